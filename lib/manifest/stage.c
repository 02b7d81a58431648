/* SPDX-License-Identifier: MIT */
#include "manifest/stage.h"

#include <string.h>

#include "base/limits.h"
#include "base/parse.h"
#include "manifest/files.h"
#include "manifest/matrix_read.h"
#include "manifest/needs.h"
#include "manifest/retry.h"
#include "manifest/script.h"
#include "manifest/services.h"
#include "manifest/vars.h"
#include "manifest/when.h"

#define DEFAULTS_OWN "each stage has its own"
#define PREPARE_TAKES "it takes 'script', 'timeout', 'retry' and 'cache'"

static void read_image(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;
	const char *image =
		br_read_word(reader, entry, "'image'", "the name of an image");

	if (image)
		stage->image = image;
}

static void read_environment(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;

	br_vars_read(reader, entry, &stage->environment);
}

static void read_timeout(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;

	br_read_amount(reader, entry, br_parse_duration,
		"a duration like 90s, 20m or 2h", &stage->timeout_ms);
}

static void read_statuses(struct br_reader *reader,
	const struct br_entry *entry, struct br_allow_failure *allowed)
{
	const struct br_node *list = entry->value;
	uint8_t *statuses =
		br_arena_array(&reader->manifest->arena, list->entry_count, 1);
	size_t count = 0;

	for (size_t i = 0; i < list->entry_count; i++) {
		int64_t status = 0;

		if (br_read_int(reader, &list->entries[i],
			    "an item of 'allow_failure'",
			    "an exit code from 1 to 255", 1, UINT8_MAX,
			    &status))
			statuses[count++] = (uint8_t)status;
	}
	*allowed = (struct br_allow_failure){
		.statuses = statuses,
		.status_count = count,
	};
}

static void read_allow_failure(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;
	bool is_any = false;

	if (entry->value->kind == BR_NODE_LIST)
		read_statuses(reader, entry, &stage->allow_failure);
	else if (br_read_bool(reader, entry,
			 "true, false or a list of exit codes", &is_any))
		stage->allow_failure =
			(struct br_allow_failure){ .is_any = is_any };
}

static void read_workdir(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;
	const char *path = br_read_line(reader, entry, "'workdir'", "a path");

	if (path)
		stage->workdir = path;
}

/* Say whether `text` is digits for a uid or gid; the highest one means none. */
static bool is_id(const char *text)
{
	int64_t id = 0;
	struct br_err err = { 0 };

	return text[0] != '-' &&
		br_parse_int(text, 0, (int64_t)UINT32_MAX - 1, &id, &err);
}

/* `uid`, `uid:gid`, `host`, or a name as useradd(8) would take it. */
static bool is_user(const char *text)
{
	static const char name_chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_.-";
	char uid[16] = { 0 };
	const char *colon = strchr(text, ':');
	size_t uid_len = colon ? (size_t)(colon - text) : 0;

	if (colon && uid_len < sizeof(uid)) {
		memcpy(uid, text, uid_len);
		return is_id(uid) && is_id(colon + 1);
	}
	if (text[0] >= '0' && text[0] <= '9')
		return is_id(text);
	return strchr("-.", text[0]) == NULL &&
		strspn(text, name_chars) == strlen(text);
}

static void read_user(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;
	static const char wants[] = "a uid, uid:gid, a name or host";
	const char *user = br_read_word(reader, entry, "'user'", wants);

	if (!user)
		return;
	if (is_user(user))
		stage->user = user;
	else
		br_read_wrong(reader, entry, "'user'", wants, NULL);
}

static void read_shell(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;
	const char **argv = NULL;

	if (entry->value->kind == BR_NODE_LIST) {
		const char *const *list =
			br_script_read_argv(reader, entry, "'shell'");

		if (list)
			stage->shell = list;
		return;
	}
	if (entry->value->kind == BR_NODE_SCALAR &&
		strchr(entry->value->text, ' ')) {
		br_read_wrong(reader, entry, "'shell'",
			"one program without blanks",
			"with arguments it is a list, as in [bash, -x]");
		return;
	}
	argv = br_arena_array(&reader->manifest->arena, 2, sizeof(*argv));
	argv[0] = br_read_word(reader, entry, "'shell'", "a program or a list");
	if (argv[0])
		stage->shell = argv;
}

static void read_tty(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;

	(void)br_read_bool(reader, entry, "true or false", &stage->has_tty);
}

/* What a row says about the key in the three places that it may stand in. */
struct stage_key {
	struct br_key key;
	const char *refused_in_defaults;
	bool is_in_prepare;
	/* Its value is another one there; NULL: the same. */
	br_read_fn *read_in_prepare;
};

static const struct stage_key stage_keys[] = {
	{ { "script", br_script_read }, DEFAULTS_OWN, true },
	{ { "environment", read_environment }, NULL, false },
	{ { "timeout", read_timeout }, NULL, true },
	{ { "allow_failure", read_allow_failure }, NULL, false },
	{ { "workdir", read_workdir }, NULL, false },
	{ { "user", read_user }, NULL, false },
	{ { "shell", read_shell }, NULL, false },
	{ { "image", read_image }, NULL, false },
	{ { "needs", br_needs_read }, DEFAULTS_OWN, false },
	{ { "when", br_when_read }, NULL, false },
	{ { "retry", br_retry_read }, NULL, true },
	{ { "matrix", br_matrix_read }, NULL, false },
	{ { "services", br_services_read }, NULL, false },
	{ { "tty", read_tty }, NULL, false },
	{ { "inputs", br_inputs_read }, DEFAULTS_OWN, false },
	{ { "outputs", br_outputs_read }, DEFAULTS_OWN, false },
	{ { "cache", br_cache_read }, NULL, true, br_cache_read_time },
};

enum { STAGE_KEYS = sizeof(stage_keys) / sizeof(stage_keys[0]) };

static const char *refusal(const struct stage_key *key, enum br_stage_kind kind)
{
	switch (kind) {
	case BR_STAGE_KIND_STAGE:
		return NULL;
	case BR_STAGE_KIND_PREPARE:
		return key->is_in_prepare ? NULL : PREPARE_TAKES;
	case BR_STAGE_KIND_DEFAULTS:
		return key->refused_in_defaults;
	}
	return NULL;
}

bool br_stage_read(struct br_reader *reader, const struct br_entry *entry,
	enum br_stage_kind kind, struct br_stage *stage)
{
	static const char *const owners[] = {
		[BR_STAGE_KIND_STAGE] = "a stage",
		[BR_STAGE_KIND_PREPARE] = "'prepare'",
		[BR_STAGE_KIND_DEFAULTS] = "'defaults'",
	};
	struct br_key rows[STAGE_KEYS];
	struct br_keys keys = {
		.rows = rows,
		.count = STAGE_KEYS,
		.owner = owners[kind],
		.form_help = kind == BR_STAGE_KIND_DEFAULTS
			? NULL
			: "the steps stand in a list under 'script'",
	};

	for (size_t i = 0; i < STAGE_KEYS; i++) {
		rows[i] = stage_keys[i].key;
		rows[i].refused = refusal(&stage_keys[i], kind);
		if (kind == BR_STAGE_KIND_PREPARE &&
			stage_keys[i].read_in_prepare)
			rows[i].read = stage_keys[i].read_in_prepare;
	}
	if (!br_read_mapping(reader, entry, &keys, stage))
		return false;
	if (kind == BR_STAGE_KIND_STAGE)
		br_cache_check(reader, entry->value, stage);
	return true;
}

bool br_stage_has_key(const char *name)
{
	for (size_t i = 0; i < STAGE_KEYS; i++)
		if (!strcmp(stage_keys[i].key.name, name))
			return true;
	return false;
}

/* Blanks, controls and `/`; also those outside of ASCII. */
static bool has_unwanted(const char *name)
{
	for (const unsigned char *at = (const unsigned char *)name; *at; at++)
		if (*at <= ' ' || *at == 0x7f || *at == '/' ||
			(at[0] == 0xc2 && at[1] <= 0xa0) ||
			(at[0] == 0xe2 && at[1] == 0x80 &&
				(at[2] == 0xa8 || at[2] == 0xa9)))
			return true;
	return false;
}

bool br_stage_check_name(
	struct br_reader *reader, struct br_place place, const char *name)
{
	const char *why = NULL;

	if (name[0] == '\0')
		why = "the name of a stage must not be empty";
	else if (strlen(name) > BR_LIMIT_STAGE_NAME_BYTES)
		why = "the name of a stage is longer than 100 bytes";
	else if (has_unwanted(name))
		why = "the name of a stage must have no blanks, control "
		      "characters or '/'";
	else if (name[0] == '-')
		why = "the name of a stage must not begin with '-'";
	else if (!strcmp(name, ".") || !strcmp(name, ".."))
		why = "the name of a stage must not be '.' or '..'";
	if (why)
		br_read_fail(reader, place, NULL, why);
	return !why;
}
