/* SPDX-License-Identifier: MIT */
#include "cache/globs.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/limits.h"

enum part_kind {
	/* `**`. */
	PART_ANY_DEPTH,
	PART_LITERAL,
	/* `*` and then what a name must end with. */
	PART_SUFFIX,
	/* For fnmatch(3). */
	PART_PATTERN,
};

struct part {
	enum part_kind kind;
	const char *text;
	size_t len;
};

struct glob {
	/* As the user has it. */
	const char *text;
	bool takes_away;
	/* Matches from any folder on, not only from the top. */
	bool is_floating;
	bool is_for_folders;
	bool is_used;
	struct part *parts;
	size_t part_count;
};

struct br_globs {
	struct br_arena arena;
	struct glob *items;
	size_t count;
};

static bool is_plain(const char *text)
{
	return text[strcspn(text, "*?[\\")] == '\0';
}

static struct part parse_part(struct br_arena *arena, const char *at)
{
	size_t len = strcspn(at, "/");
	const char *text = br_arena_memdup(arena, at, len);

	if (len >= 2 && strspn(text, "*") == len)
		return (struct part){ .kind = PART_ANY_DEPTH, .text = text };
	if (is_plain(text))
		return (struct part){ PART_LITERAL, text, len };
	if (text[0] == '*' && is_plain(text + 1))
		return (struct part){ PART_SUFFIX, text + 1, len - 1 };
	return (struct part){ PART_PATTERN, text, len };
}

static size_t count_parts(const char *path)
{
	size_t count = 0;

	for (; *path != '\0'; path += path[0] == '/') {
		path += strcspn(path, "/");
		count++;
	}
	return count;
}

static bool parse(struct br_arena *arena, const char *text, struct glob *glob,
	struct br_err *err)
{
	const char *path = text + (text[0] == '!');
	const char *slash = strchr(path, '/');
	size_t len = strlen(path);
	const char *at = path + (path[0] == '/');
	size_t count = count_parts(at);

	if (count > BR_LIMIT_GLOB_FOLDERS)
		return br_fail(err, BR_EINPUT,
			"glob '%.60s...' has more than %d folders", text,
			BR_LIMIT_GLOB_FOLDERS);
	*glob = (struct glob){
		.text = br_arena_strdup(arena, text),
		.takes_away = text[0] == '!',
		.is_floating = !slash || (slash != path && slash[1] == '\0'),
		.is_for_folders = len > 0 && path[len - 1] == '/',
		.parts = br_arena_array(arena, count, sizeof(*glob->parts)),
		.part_count = count,
	};
	for (size_t i = 0; i < count; i++) {
		glob->parts[i] = parse_part(arena, at);
		at += strcspn(at, "/") + 1;
	}
	return true;
}

bool br_globs_new(const char *const *texts, size_t count,
	struct br_globs **globs, struct br_err *err)
{
	br_auto(br_globs) struct br_globs *made = br_alloc(sizeof(*made));

	made->items = br_arena_array(&made->arena, count, sizeof(*made->items));
	made->count = count;
	for (size_t i = 0; i < count; i++)
		if (!parse(&made->arena, texts[i], &made->items[i], err))
			return false;
	*globs = br_take_ptr(&made);
	return true;
}

void br_globs_free(struct br_globs *globs)
{
	if (!globs)
		return;
	br_arena_done(&globs->arena);
	free(globs);
}

size_t br_globs_count(const struct br_globs *globs)
{
	return globs->count;
}

/* `**` may also stand for no folder at all: its end is reached with it. */
static uint64_t reach(const struct glob *glob, size_t part)
{
	uint64_t parts = UINT64_C(1) << part;

	while (part + 1 < glob->part_count &&
		glob->parts[part].kind == PART_ANY_DEPTH)
		parts |= UINT64_C(1) << ++part;
	return parts;
}

void br_globs_start(const struct br_globs *globs, struct br_globs_spot *top)
{
	for (size_t i = 0; i < globs->count; i++) {
		const struct glob *glob = &globs->items[i];

		top[i] = (struct br_globs_spot){
			.parts = glob->part_count ? reach(glob, 0) : 0,
		};
	}
}

static bool matches(const struct part *part, const char *name, size_t len)
{
	switch (part->kind) {
	case PART_ANY_DEPTH:
		return true;
	case PART_LITERAL:
		return len == part->len && memcmp(name, part->text, len) == 0;
	case PART_SUFFIX:
		return len >= part->len &&
			memcmp(name + len - part->len, part->text, part->len) ==
			0;
	case PART_PATTERN:
		return fnmatch(part->text, name, 0) == 0;
	}
	return false;
}

static struct br_globs_spot step(const struct glob *glob,
	struct br_globs_spot from, const char *name, bool is_folder)
{
	struct br_globs_spot to = { .is_matched = from.is_matched };
	size_t len = from.parts ? strlen(name) : 0;

	for (size_t at = 0; from.parts >> at; at++) {
		bool is_deep = glob->parts[at].kind == PART_ANY_DEPTH;
		bool is_last = at + 1 == glob->part_count;

		if ((from.parts >> at & 1) == 0 ||
			!matches(&glob->parts[at], name, len))
			continue;
		if (is_last && (is_folder || !glob->is_for_folders))
			to.is_matched = true;
		if (is_deep)
			to.parts |= reach(glob, at);
		else if (!is_last)
			to.parts |= reach(glob, at + 1);
	}
	if (glob->is_floating)
		to.parts |= reach(glob, 0);
	return to;
}

void br_globs_enter(struct br_globs *globs, const struct br_globs_spot *folder,
	const char *name, bool is_folder, struct br_globs_spot *spots)
{
	for (size_t i = 0; i < globs->count; i++) {
		struct glob *glob = &globs->items[i];

		spots[i] = folder[i];
		if (folder[i].parts)
			spots[i] = step(glob, folder[i], name, is_folder);
		glob->is_used |= spots[i].is_matched;
	}
}

bool br_globs_are_choosing(
	const struct br_globs *globs, const struct br_globs_spot *spots)
{
	for (size_t i = globs->count; i > 0; i--)
		if (spots[i - 1].is_matched)
			return !globs->items[i - 1].takes_away;
	return false;
}

bool br_globs_may_choose_in(
	const struct br_globs *globs, const struct br_globs_spot *spots)
{
	for (size_t i = globs->count; i > 0; i--) {
		const struct br_globs_spot *spot = &spots[i - 1];
		bool takes_away = globs->items[i - 1].takes_away;

		if (!takes_away && (spot->is_matched || spot->parts))
			return true;
		/* What comes before it has no say in this folder any more. */
		if (takes_away && spot->is_matched)
			return false;
	}
	return false;
}

const char *br_globs_find_unused(const struct br_globs *globs)
{
	for (size_t i = 0; i < globs->count; i++)
		if (!globs->items[i].takes_away && !globs->items[i].is_used)
			return globs->items[i].text;
	return NULL;
}
