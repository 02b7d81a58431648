/* SPDX-License-Identifier: MIT */
/* What the engine says of an image. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "engine/image.h"
#include "engine/json.h"
#include "engine/reference.h"

/*
 * The digest under which the image was pulled from where `full_name` says; NULL
 * where it was built or loaded here. Borrowed.
 */
static const char *find_digest(const struct cJSON *image, const char *full_name)
{
	const struct cJSON *digests = br_json_find(image, "RepoDigests");

	for (const struct cJSON *entry = br_json_first(digests); entry;
		entry = br_json_next(entry)) {
		br_autoreference struct br_reference reference = { 0 };
		struct br_err ignored = { 0 };
		const char *text = br_json_text(entry);

		if (br_reference_parse(text, &reference, &ignored) &&
			reference.has_digest &&
			!strcmp(reference.full_name, full_name))
			return strchr(text, '@') + 1;
	}
	return NULL;
}

/* A list of texts that grows. */
struct texts {
	char **list;
	size_t count;
	size_t capacity;
};

static void add_text(struct texts *texts, const char *text)
{
	texts->list = br_grow(texts->list, texts->count, &texts->capacity,
		sizeof(*texts->list));
	texts->list[texts->count++] = br_strdup(text);
}

/*
 * Add the texts of an array from `entry` on. What is no text must not be left out:
 * another command would run.
 */
static bool add_texts(
	struct texts *texts, const struct cJSON *entry, struct br_err *err)
{
	for (; entry; entry = br_json_next(entry)) {
		if (!br_json_is_text(entry))
			return br_fail(err, BR_EPROTO,
				"a command of the image has a part that is no text");
		add_text(texts, br_json_text(entry));
	}
	return true;
}

/* Give the list, ended by NULL; NULL where it is empty. Owned by the caller. */
static char **take_texts(struct texts *texts)
{
	if (texts->count == 0)
		return NULL;
	texts->list = br_grow(texts->list, texts->count, &texts->capacity,
		sizeof(*texts->list));
	texts->list[texts->count] = NULL;
	return br_take_ptr(&texts->list);
}

/* A command: an array, or as early engines have it one text. */
static bool read_command(
	const struct cJSON *value, struct texts *texts, struct br_err *err)
{
	if (br_json_is_text(value))
		add_text(texts, br_json_text(value));
	return !br_json_is_array(value) ||
		add_texts(texts, br_json_first(value), err);
}

/* The shell of the image's own SHELL, else the one that engines take. */
static bool read_shell(
	const struct cJSON *config, struct texts *texts, struct br_err *err)
{
	if (!read_command(br_json_find(config, "Shell"), texts, err))
		return false;
	if (texts->count == 0) {
		add_text(texts, "/bin/sh");
		add_text(texts, "-c");
	}
	return true;
}

/* `["NONE"]`, `["CMD", ...]` or `["CMD-SHELL", "text"]`. */
static bool read_health(
	const struct cJSON *config, struct texts *texts, struct br_err *err)
{
	const struct cJSON *test =
		br_json_find(br_json_find(config, "Healthcheck"), "Test");
	const struct cJSON *kind =
		br_json_is_array(test) ? br_json_first(test) : NULL;
	bool is_shell = !strcmp(br_json_text(kind), "CMD-SHELL");

	if (!kind || !br_json_next(kind) ||
		(!is_shell && strcmp(br_json_text(kind), "CMD") != 0))
		return true;
	if (is_shell && !read_shell(config, texts, err))
		return false;
	return add_texts(texts, br_json_next(kind), err);
}

/* The engine has it in nanoseconds, and takes no less than a millisecond. */
static int64_t read_interval_ms(const struct cJSON *config)
{
	enum { NS_PER_MS = 1000000 };
	int64_t ns = br_json_int(
		br_json_find(br_json_find(config, "Healthcheck"), "Interval"),
		0);

	if (ns <= 0)
		return 0;
	return ns < NS_PER_MS ? 1 : ns / NS_PER_MS;
}

static void free_texts(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->list[i]);
	free(texts->list);
}

/* Read a command by `read` into `*into`. */
static bool read_into(const struct cJSON *value,
	bool (*read)(const struct cJSON *value, struct texts *texts,
		struct br_err *err),
	char ***into, struct br_err *err)
{
	struct texts texts = { 0 };

	if (!read(value, &texts, err)) {
		free_texts(&texts);
		return false;
	}
	*into = take_texts(&texts);
	return true;
}

static bool read_health_into(
	const struct cJSON *config, struct br_image *image, struct br_err *err)
{
	if (!read_into(config, read_health, &image->health_command, err))
		return false;
	if (image->health_command)
		image->health_interval_ms = read_interval_ms(config);
	return true;
}

static bool read_config(
	const struct cJSON *config, struct br_image *image, struct br_err *err)
{
	image->user = br_strdup(br_json_find_text(config, "User"));
	image->workdir = br_strdup(br_json_find_text(config, "WorkingDir"));
	return read_into(br_json_find(config, "Entrypoint"), read_command,
		       &image->entrypoint, err) &&
		read_into(br_json_find(config, "Cmd"), read_command,
			&image->command, err) &&
		read_health_into(config, image, err);
}

bool br_image_parse(struct br_str text, const char *full_name,
	struct br_image *image, struct br_err *err)
{
	br_autojson struct cJSON *value = NULL;
	struct br_image found = { 0 };

	if (!br_json_parse(text, &value, err))
		return br_wrap(err, "the engine's description of the image");

	const char *id = br_json_find_text(value, "Id");
	const char *digest = find_digest(value, full_name);

	if (id[0] == '\0')
		return br_fail(err, BR_EPROTO,
			"the engine's description of the image has no id");
	if (!read_config(br_json_find(value, "Config"), &found, err)) {
		br_image_done(&found);
		return br_wrap(err, "the engine's description of the image");
	}
	found.id = strchr(id, ':') ? br_strdup(id) : br_format("sha256:%s", id);
	found.digest = br_strdup(digest ? digest : found.id);
	found.architecture =
		br_strdup(br_json_find_text(value, "Architecture"));
	*image = found;
	return true;
}

bool br_image_parse_health(
	struct br_str text, struct br_image *image, struct br_err *err)
{
	br_autojson struct cJSON *value = NULL;

	if (!br_json_parse(text, &value, err) ||
		!read_health_into(value, image, err))
		return br_wrap(err, "the engine's description of the image");
	return true;
}
