/* SPDX-License-Identifier: MIT */
#include "engine/snapshot.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clean.h"
#include "base/json_text.h"
#include "engine/json.h"

enum {
	CALL_TIMEOUT_MS = 60 * 1000,
	/* Gigabytes, on a slow disk. */
	SAVE_TIMEOUT_MS = 30 * 60 * 1000,
};

/*
 * The engine gives a snapshot its container's labels. Those that lead to the build that
 * is at work would make leftovers of it of all that people start from the snapshot.
 */
static const char *const dropped[] = { "io.buildr.build", "io.buildr.owner",
	"io.buildr.keep" };
enum { DROPPED = sizeof(dropped) / sizeof(dropped[0]) };

static void add_labels(const struct br_snapshot_spec *spec, struct br_buf *json)
{
	br_buf_add_text(json, "\"Labels\":{");
	for (size_t i = 0; i < DROPPED; i++)
		br_buf_addf(json, "\"%s\":\"\",", dropped[i]);
	br_buf_add_text(json, "\"" BR_SNAPSHOT_LABEL "\":");
	br_json_add_string(json, br_str(spec->identity));
	br_buf_addf(json, ",\"" BR_SNAPSHOT_EXPIRES_LABEL "\":\"%" PRId64 "\"}",
		spec->expires_s);
}

void br_snapshot_encode(const struct br_snapshot_spec *spec,
	const struct cJSON *config, struct br_buf *json)
{
	const struct cJSON *entrypoint = br_json_find(config, "Entrypoint");

	br_buf_add_char(json, '{');
	for (const struct cJSON *member = br_json_first(config); member;
		member = br_json_next(member)) {
		const char *name = br_json_name(member);

		if (!strcmp(name, "Labels") || !strcmp(name, "Entrypoint"))
			continue;
		br_json_add_string(json, br_str(name));
		br_buf_add_char(json, ':');
		br_json_add_value(json, member);
		br_buf_add_char(json, ',');
	}
	/* Without one the container's, which is buildr-init, would be taken. */
	br_buf_add_text(json, "\"Entrypoint\":");
	if (br_json_is_array(entrypoint))
		br_json_add_value(json, entrypoint);
	else
		br_buf_add_text(json, "[]");
	br_buf_add_char(json, ',');
	add_labels(spec, json);
	br_buf_add_char(json, '}');
}

static void add_change(struct br_buf *path, const char *change)
{
	br_buf_add_text(path, "&changes=");
	br_http_add_escaped(path, change);
}

static void add_text_change(
	struct br_buf *path, const char *instruction, const char *value)
{
	br_autobuf struct br_buf change = { 0 };

	/* The container's mean the same as none. */
	if (value[0] == '\0')
		return;
	br_buf_addf(&change, "%s %s", instruction, value);
	add_change(path, change.data);
}

static void add_list_change(
	struct br_buf *path, const char *instruction, const struct cJSON *value)
{
	br_autobuf struct br_buf change = { 0 };

	br_buf_addf(&change, "%s ", instruction);
	if (br_json_is_array(value))
		br_json_add_value(&change, value);
	else
		br_buf_add_text(&change, "[]");
	add_change(path, change.data);
}

/* Podman takes no settings, only lines of a Dockerfile, and them without any quoting. */
static void add_changes(struct br_buf *path,
	const struct br_snapshot_spec *spec, const struct cJSON *config)
{
	br_autobuf struct br_buf label = { 0 };

	add_list_change(path, "ENTRYPOINT", br_json_find(config, "Entrypoint"));
	add_list_change(path, "CMD", br_json_find(config, "Cmd"));
	add_text_change(path, "USER", br_json_find_text(config, "User"));
	add_text_change(
		path, "WORKDIR", br_json_find_text(config, "WorkingDir"));
	for (size_t i = 0; i < DROPPED; i++) {
		br_buf_clear(&label);
		br_buf_addf(&label, "LABEL %s=", dropped[i]);
		add_change(path, label.data);
	}
	br_buf_clear(&label);
	br_buf_addf(&label, "LABEL " BR_SNAPSHOT_LABEL "=%s", spec->identity);
	add_change(path, label.data);
	br_buf_clear(&label);
	br_buf_addf(&label, "LABEL " BR_SNAPSHOT_EXPIRES_LABEL "=%" PRId64,
		spec->expires_s);
	add_change(path, label.data);
}

static bool ask_to_save(struct br_http *http,
	const struct br_snapshot_spec *spec, const struct cJSON *config,
	struct br_err *err)
{
	br_autobuf struct br_buf path = { 0 };
	br_autobuf struct br_buf json = { 0 };
	br_autoanswer struct br_http_answer answer = { 0 };

	br_snapshot_encode(spec, config, &json);
	/*
	 * pause=0: a container that is paused does not end when buildr does. Its
	 * buildr-init has nothing to do meanwhile.
	 */
	br_buf_add_text(&path, "/commit?pause=0&container=");
	br_http_add_escaped(&path, spec->container);
	br_buf_add_text(&path, "&repo=" BR_SNAPSHOT_REPOSITORY "&tag=");
	br_http_add_escaped(&path, spec->tag);
	if (br_http_is_podman(http))
		add_changes(&path, spec, config);
	return br_http_want(http,
		&(struct br_http_request){
			.method = "POST",
			.path = path.data,
			.body = json.data,
			.body_len = json.len,
			.content_type = "application/json",
			.is_once = true,
			.timeout_ms = SAVE_TIMEOUT_MS,
		},
		&answer, err);
}

bool br_snapshot_save(struct br_http *http, const struct br_snapshot_spec *spec,
	struct br_err *err)
{
	br_autojson struct cJSON *image = NULL;
	br_autobuf struct br_buf path = { 0 };

	br_buf_add_text(&path, "/images/");
	br_http_add_escaped(&path, spec->image);
	br_buf_add_text(&path, "/json");
	if (!br_http_ask_json(http, path.data, &image, err) ||
		!ask_to_save(http, spec, br_json_find(image, "Config"), err))
		return br_wrap(err, "make an image of the container");
	return true;
}

/* In the words of Docker, and of Podman. */
static bool is_in_use(const struct br_http_answer *answer)
{
	return answer->status == 409 ||
		(answer->status >= 400 &&
			strstr(br_buf_text(&answer->body), "in use by"));
}

bool br_snapshot_remove(struct br_http *http, const char *name, bool *is_gone,
	struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autobuf struct br_buf path = { 0 };

	br_buf_add_text(&path, "/images/");
	br_http_add_escaped(&path, name);
	/* What it was made from is not ours to remove, also where it has no name. */
	br_buf_add_text(&path, "?noprune=1");
	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "DELETE",
			    .path = path.data,
			    .timeout_ms = CALL_TIMEOUT_MS,
		    },
		    &answer, err))
		return br_wrap(err, "remove the image '%s'", name);

	bool is_left = is_in_use(&answer);
	if (!is_left && answer.status != 404 && answer.status != 200) {
		(void)br_http_refuse(&answer, err);
		return br_wrap(err, "remove the image '%s'", name);
	}
	*is_gone = !is_left;
	return true;
}
