/* SPDX-License-Identifier: MIT */
#include "engine/image.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "engine/login.h"
#include "engine/pull.h"
#include "engine/reference.h"

enum {
	INSPECT_TIMEOUT_MS = 60 * 1000,
	/* Between two lines of a pull that goes on: a slow registry, a disk. */
	PULL_SILENCE_MS = 10 * 60 * 1000,
};

/*
 * What Podman says in Docker's words leaves HEALTHCHECK out. Asked by id: a short name
 * need not be the same image in its own words.
 */
static bool add_health(
	struct br_http *http, struct br_image *image, struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autobuf struct br_buf path = { 0 };

	if (!br_http_is_podman(http) || image->health_command)
		return true;
	br_buf_add_text(&path, "/libpod/images/");
	br_http_add_escaped(&path, strchr(image->id, ':') + 1);
	br_buf_add_text(&path, "/json");
	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "GET",
			    .path = path.data,
			    .timeout_ms = INSPECT_TIMEOUT_MS,
		    },
		    &answer, err))
		return false;
	/* One that does not know the request knows of no health either. */
	return answer.status != 200 ||
		br_image_parse_health(br_buf_str(&answer.body), image, err);
}

/* Look at the image. One that is not there is a success without an id. */
static bool inspect(struct br_http *http, const struct br_reference *reference,
	struct br_image *image, struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autofree char *path = br_format("/images/%s/json", reference->text);

	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "GET",
			    .path = path,
			    .timeout_ms = INSPECT_TIMEOUT_MS,
		    },
		    &answer, err))
		return false;
	if (answer.status == 404)
		return true;
	if (answer.status != 200)
		return br_http_refuse(&answer, err);
	return br_image_parse(br_buf_str(&answer.body), reference->full_name,
		       image, err) &&
		add_health(http, image, err);
}

static bool feed(void *ctx, const char *data, size_t len, struct br_err *err)
{
	return br_pull_feed(ctx, data, len, err);
}

static bool ask_to_pull(struct br_http *http,
	const struct br_reference *reference, const char *registry_auth,
	struct br_pull_stream *stream, struct br_err *err)
{
	br_autobuf struct br_buf path = { 0 };
	br_autoanswer struct br_http_answer answer = { 0 };

	br_buf_add_text(&path, "/images/create?fromImage=");
	br_http_add_escaped(&path, reference->name);
	br_buf_add_text(&path, "&tag=");
	br_http_add_escaped(&path, reference->tag);
	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "POST",
			    .path = path.data,
			    .registry_auth = registry_auth,
			    .idle_timeout_ms = PULL_SILENCE_MS,
			    .fn = feed,
			    .ctx = stream,
		    },
		    &answer, err))
		return false;
	if (answer.status != 200) {
		br_autofree char *message =
			br_http_message(br_buf_str(&answer.body));

		return br_pull_fail(message, err);
	}
	return br_pull_end(stream, err);
}

static bool pull_image(struct br_http *http,
	const struct br_reference *reference, br_pull_fn *progress, void *ctx,
	struct br_err *err)
{
	br_autocredentials struct br_credentials credentials = { 0 };
	struct br_pull_stream stream = { .progress = progress, .ctx = ctx };

	br_credentials_find(
		reference->registry, br_http_cancel(http), &credentials);
	bool is_good =
		ask_to_pull(http, reference, credentials.header, &stream, err);
	br_pull_done(&stream);
	if (is_good)
		return true;

	/* What went wrong with the credentials may well be the cause. */
	if (credentials.problem && err->code != BR_ECANCELED) {
		struct br_err cause = *err;

		(void)br_fail(err, cause.code, "%.300s (%s)", cause.text,
			credentials.problem);
	}
	return br_wrap(err, "pull");
}

static bool have(struct br_http *http, const struct br_reference *reference,
	enum br_pull pull, br_pull_fn *progress, void *ctx,
	struct br_image *image, struct br_err *err)
{
	bool must_pull = pull == BR_PULL_ALWAYS && !reference->is_id;

	if (!must_pull) {
		if (!inspect(http, reference, image, err))
			return false;
		if (image->id)
			return true;
		if (reference->is_id)
			return br_fail(err, BR_ENOTFOUND,
				"the engine has no image with this id");
		if (pull == BR_PULL_NEVER)
			return br_fail(err, BR_ENOTFOUND,
				"the engine does not have it, and it is not to be pulled");
	}
	if (!pull_image(http, reference, progress, ctx, err) ||
		!inspect(http, reference, image, err))
		return false;
	/* A pull that was cut off may look like one that went well. */
	return image->id ||
		br_fail(err, BR_EUNAVAIL,
			"the engine does not have it after the pull");
}

bool br_image_have(struct br_http *http, const char *name, enum br_pull pull,
	br_pull_fn *progress, void *ctx, struct br_image *image,
	struct br_err *err)
{
	br_autoreference struct br_reference reference = { 0 };
	struct br_image found = { 0 };

	if (!br_reference_parse(name, &reference, err))
		return false;
	if (!have(http, &reference, pull, progress, ctx, &found, err)) {
		br_image_done(&found);
		return br_wrap(err, "image '%s'", reference.text);
	}
	*image = found;
	return true;
}
