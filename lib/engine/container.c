/* SPDX-License-Identifier: MIT */
#include "engine/container.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/json.h"
#include "engine/network.h"
#include "engine/tar.h"

enum {
	/* Networks and mounts take the engine long where the machine is busy. */
	START_TIMEOUT_MS = 120 * 1000,
	REMOVE_TIMEOUT_MS = 60 * 1000,
	CALL_TIMEOUT_MS = 60 * 1000,
};

bool br_container_copy_in(struct br_http *http, const char *id,
	const char *path, const void *data, size_t len, struct br_err *err)
{
	br_autobuf struct br_buf archive = { 0 };
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autofree char *url = br_format("/containers/%s/archive?path=/", id);

	if (!br_tar_build(path, data, len, &archive, err) ||
		!br_http_want(http,
			&(struct br_http_request){
				.method = "PUT",
				.path = url,
				.body = archive.data,
				.body_len = archive.len,
				.content_type = "application/x-tar",
				.timeout_ms = CALL_TIMEOUT_MS,
			},
			&answer, err))
		return br_wrap(err, "copy '%s' into the container", path);
	return true;
}

/*
 * Whether the engine could not execute the command: Docker answers 400 for that,
 * others 500 with the runtime's words.
 */
static bool is_bad_command(const struct br_http_answer *answer)
{
	static const char *const words[] = { "executable file not found",
		"exec format error", "exec user process",
		"no such file or directory", "permission denied" };
	const char *text = br_buf_text(&answer->body);

	if (answer->status == 400)
		return true;
	if (answer->status < 500 || !strstr(text, "exec"))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

static bool refuse_start(struct br_http *http,
	const struct br_http_answer *answer, struct br_err *err)
{
	br_autofree char *message = br_http_message(br_buf_str(&answer->body));
	br_autofree char *network = br_network_find_missing(message);

	/* Docker looks for its networks only now. */
	if (network)
		return br_network_fail_missing(http, network, err);
	(void)br_http_refuse(answer, err);
	if (is_bad_command(answer))
		err->code = BR_EINPUT;
	return false;
}

bool br_container_start(
	struct br_http *http, const char *id, struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autofree char *path = br_format("/containers/%s/start", id);

	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "POST",
			    .path = path,
			    .timeout_ms = START_TIMEOUT_MS,
		    },
		    &answer, err))
		return br_wrap(err, "start the container");
	/* 304: it runs already. */
	if ((answer.status >= 200 && answer.status < 300) ||
		answer.status == 304)
		return true;
	(void)refuse_start(http, &answer, err);
	return br_wrap(err, "start the container");
}

bool br_container_state_parse(struct br_str text,
	struct br_container_state *state, struct br_err *err)
{
	br_autojson struct cJSON *value = NULL;

	if (!br_json_parse(text, &value, err))
		return br_wrap(err, "the engine's answer");

	const struct cJSON *found = br_json_find(value, "State");
	if (!found)
		return br_fail(
			err, BR_EPROTO, "the engine's answer has no state");
	*state = (struct br_container_state){
		.exists = true,
		.is_running = br_json_is_true(br_json_find(found, "Running")),
		.exit_code =
			(int)br_json_int(br_json_find(found, "ExitCode"), 0),
		.is_oom_killed =
			br_json_is_true(br_json_find(found, "OOMKilled")),
	};
	br_autofree char *error =
		br_http_message(br_str(br_json_find_text(found, "Error")));
	(void)snprintf(state->error, sizeof(state->error), "%s", error);
	return true;
}

/* Whether there is no such container. Podman says so with 500 while one goes. */
static bool is_missing(const struct br_http_answer *answer)
{
	return answer->status == 404 ||
		(answer->status == 500 &&
			strstr(br_buf_text(&answer->body),
				"no such container"));
}

bool br_container_inspect(struct br_http *http, const char *id,
	struct br_container_state *state, struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autofree char *path = br_format("/containers/%s/json", id);

	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "GET",
			    .path = path,
			    .timeout_ms = CALL_TIMEOUT_MS,
		    },
		    &answer, err))
		return br_wrap(err, "look at the container");
	if (is_missing(&answer)) {
		*state = (struct br_container_state){ 0 };
		return true;
	}
	if (answer.status != 200) {
		(void)br_http_refuse(&answer, err);
		return br_wrap(err, "look at the container");
	}
	return br_container_state_parse(br_buf_str(&answer.body), state, err) ||
		br_wrap(err, "look at the container");
}

static bool ask_to_remove(struct br_http *http, const char *id, bool is_forced,
	struct br_http_answer *answer, struct br_err *err)
{
	br_autofree char *path =
		br_format("/containers/%s?force=%d&v=1", id, is_forced);

	return br_http_call(http,
		&(struct br_http_request){
			.method = "DELETE",
			.path = path,
			.timeout_ms = REMOVE_TIMEOUT_MS,
		},
		answer, err);
}

/* In the words of Docker, and of Podman. */
static bool is_refused_as_running(const struct br_http_answer *answer)
{
	return answer->status >= 400 &&
		(strstr(br_buf_text(&answer->body), "running container") ||
			strstr(br_buf_text(&answer->body), "as it is running"));
}

/* Whether it is gone, or somebody else is at it. */
static bool is_removed(const struct br_http_answer *answer)
{
	return (answer->status >= 200 && answer->status < 300) ||
		(answer->status == 409 &&
			strstr(br_buf_text(&answer->body),
				"already in progress"));
}

bool br_container_try_remove(struct br_http *http, const char *id,
	bool is_forced, enum br_removal *removal, struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };

	if (!ask_to_remove(http, id, is_forced, &answer, err))
		return br_wrap(err, "remove the container");
	if (is_removed(&answer)) {
		*removal = BR_REMOVAL_DONE;
	} else if (is_missing(&answer)) {
		*removal = BR_REMOVAL_MISSING;
	} else if (!is_forced && is_refused_as_running(&answer)) {
		*removal = BR_REMOVAL_REFUSED;
	} else {
		(void)br_http_refuse(&answer, err);
		return br_wrap(err, "remove the container");
	}
	return true;
}

bool br_container_remove(
	struct br_http *http, const char *id, struct br_err *err)
{
	enum br_removal removal = BR_REMOVAL_DONE;

	return br_container_try_remove(http, id, true, &removal, err);
}
