/* SPDX-License-Identifier: MIT */
#include "checkout/find.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/str.h"

enum {
	/* git's own number for all of the history. */
	DEPTH_ALL = 0x7fffffff,
};

/*
 * A job that names a commit mostly means one of the last few; each step costs as much
 * as what it brings.
 */
static const int depths[] = { 50, 1000, DEPTH_ALL };

static const char heads[] = "refs/heads/";
static const char tags[] = "refs/tags/";

/* Cut line ends off. */
static void trim(struct br_buf *text)
{
	while (text->len > 0 && strchr("\r\n", text->data[text->len - 1]))
		text->data[--text->len] = '\0';
}

/* Give the whole name of what was found at the server. The caller frees it. */
static char *name_ref(const struct br_found *found)
{
	switch (found->kind) {
	case BR_REF_BRANCH:
		return br_format("%s%s", heads, found->name);
	case BR_REF_TAG:
		return br_format("%s%s", tags, found->name);
	case BR_REF_ANY:
	case BR_REF_HEAD:
		break;
	}
	return br_strdup("HEAD");
}

/*
 * Read `ref: refs/heads/main<TAB>HEAD`, the first line of an answer, if it is there,
 * and `OBJECT<TAB>HEAD`, the second.
 */
static bool read_head(
	const char *answer, struct br_found *found, struct br_err *err)
{
	static const char mark[] = "ref: refs/heads/";
	br_autofree char *name = NULL;
	struct br_ref ref;

	found->kind = BR_REF_HEAD;
	if (br_has_prefix(answer, mark)) {
		answer += strlen(mark);
		name = br_memdup(answer, strcspn(answer, "\t\n"));
		/* A server can call anything its branch. */
		if (!br_ref_parse(name, &ref, err))
			return false;
		found->kind = BR_REF_BRANCH;
		found->name = br_take_ptr(&name);
		answer += strcspn(answer, "\n");
		answer += *answer ? 1 : 0;
	}

	size_t len = strspn(answer, "0123456789abcdef");
	if (len > 0 && len < sizeof(found->object))
		memcpy(found->object, answer, len);
	return true;
}

/* Ask which branch HEAD names. */
static bool ask_head(struct br_mirror *mirror, const struct br_gits *gits,
	struct br_found *found, struct br_err *err)
{
	const char *const args[] = { "ls-remote", "--symref", "--",
		gits->repo->address, "HEAD", NULL };
	const struct br_git_call call = {
		.git_dir = mirror->folder,
		.args = args,
		.is_remote = true,
	};
	br_autobuf struct br_buf answer = { 0 };

	if (!br_git_run(gits, &call, &answer, err))
		return false;
	if (answer.len == 0)
		return br_fail(err, BR_ENOTFOUND,
			"its HEAD names no commit: it is empty, or has only "
			"other branches");
	return read_head(br_buf_text(&answer), found, err);
}

static bool fetch(struct br_mirror *mirror, const struct br_gits *gits,
	int depth, struct br_found *found, struct br_err *err)
{
	br_autofree char *ref = name_ref(found);
	struct br_err why = { 0 };

	if (br_mirror_fetch(mirror, gits, ref, depth, found->object, &why))
		return true;
	/* Old servers, and those that only have files. */
	if (strstr(why.text, "support shallow"))
		return br_mirror_fetch(
			mirror, gits, ref, 0, found->object, err);
	*err = why;
	return false;
}

/* As fetch(), but a mirror of the other kind of objects is changed for it. */
static bool fetch_any_format(struct br_mirror *mirror,
	const struct br_gits *gits, int depth, struct br_found *found,
	struct br_err *err)
{
	struct br_err why = { 0 };

	if (fetch(mirror, gits, depth, found, &why))
		return true;
	if (!strstr(why.text, "mismatched algorithms")) {
		*err = why;
		return false;
	}
	return br_mirror_make(mirror, strstr(why.text, "server sha256"), err) &&
		fetch(mirror, gits, depth, found, err);
}

static bool is_missing(const struct br_err *why)
{
	return why->code == BR_ENOTFOUND &&
		strstr(why->text, "find remote ref");
}

/* Fetch a branch or, where there is none of that name, a tag. */
static bool fetch_named(struct br_mirror *mirror, const struct br_gits *gits,
	int depth, enum br_ref_kind kind, struct br_found *found,
	struct br_err *err)
{
	struct br_err why = { 0 };

	found->kind = kind == BR_REF_TAG ? BR_REF_TAG : BR_REF_BRANCH;
	if (fetch_any_format(mirror, gits, depth, found, &why))
		return true;
	if (kind == BR_REF_ANY && is_missing(&why)) {
		found->kind = BR_REF_TAG;
		if (fetch_any_format(mirror, gits, depth, found, &why))
			return true;
	}
	if (is_missing(&why))
		return br_fail(err, BR_ENOTFOUND, "the repository has none");
	*err = why;
	return false;
}

/* Find the commit behind a tag. */
static bool peel(struct br_mirror *mirror, const struct br_gits *gits,
	struct br_found *found, struct br_err *err)
{
	br_autofree char *wanted = br_format("%s^{commit}", found->object);
	const char *const args[] = { "rev-parse", "--verify", "--quiet", wanted,
		NULL };
	const struct br_git_call call = {
		.git_dir = mirror->folder,
		.args = args,
	};
	br_autobuf struct br_buf answer = { 0 };
	int status = 0;

	if (!br_git_ask(gits, &call, &answer, &status, err))
		return false;
	trim(&answer);
	if (status != 0 || answer.len == 0 ||
		answer.len >= BR_OBJECT_TEXT_BYTES)
		return br_fail(err, BR_ENOTFOUND, "the tag is of no commit");
	memcpy(found->commit, answer.data, answer.len + 1);
	return true;
}

static bool find_tip(struct br_mirror *mirror, const struct br_gits *gits,
	struct br_found *found, struct br_err *err)
{
	if (found->kind == BR_REF_TAG)
		return peel(mirror, gits, found, err);
	memcpy(found->commit, found->object, sizeof(found->commit));
	return true;
}

/*
 * Look for `commit` in what the mirror has of the history: it is where both meet. It
 * may be abbreviated, and names no other object that the mirror has.
 */
static bool find_in_history(struct br_mirror *mirror,
	const struct br_gits *gits, const char *commit,
	const struct br_found *found, struct br_buf *full, struct br_err *err)
{
	const char *const args[] = { "merge-base", commit, found->commit,
		NULL };
	const struct br_git_call call = {
		.git_dir = mirror->folder,
		.args = args,
	};
	int status = 0;

	br_buf_clear(full);
	if (!br_git_ask(gits, &call, full, &status, err))
		return false;
	trim(full);
	if (status != 0 || full->len >= BR_OBJECT_TEXT_BYTES ||
		!br_has_prefix(br_buf_text(full), commit))
		br_buf_clear(full);
	return true;
}

/* Go back in the history until `commit` is found. */
static bool find_commit(struct br_mirror *mirror, const struct br_gits *gits,
	const char *commit, struct br_found *found, struct br_err *err)
{
	br_autobuf struct br_buf full = { 0 };

	if (br_has_prefix(found->commit, commit))
		return true;
	for (size_t i = 0; strlen(commit) <= strlen(found->commit) &&
		i < sizeof(depths) / sizeof(depths[0]);
		i++) {
		/* The first came with the branch. */
		if (i > 0 &&
			(!fetch(mirror, gits, depths[i], found, err) ||
				!find_tip(mirror, gits, found, err)))
			return false;
		if (!find_in_history(mirror, gits, commit, found, &full, err))
			return false;
		if (full.len == 0)
			continue;
		memcpy(found->commit, full.data, full.len + 1);
		return true;
	}
	return br_fail(err, BR_ENOTFOUND, "it has no commit %s", commit);
}

/* Letters as git writes them. The caller frees the copy. */
static char *lower(const char *commit)
{
	char *copy = br_strdup(commit);

	for (char *at = copy; *at; at++)
		if (*at >= 'A' && *at <= 'F')
			*at = (char)(*at - 'A' + 'a');
	return copy;
}

/* Say whether the mirror has from before what the server has now. */
static bool has_already(
	const struct br_mirror *mirror, const struct br_found *found)
{
	char before[BR_OBJECT_TEXT_BYTES];
	br_autofree char *ref = name_ref(found);

	return br_mirror_find(mirror, ref, before) &&
		strcmp(before, found->object) == 0;
}

/* Fetch what HEAD names, where the mirror does not have it from before. */
static bool fetch_head(struct br_mirror *mirror, const struct br_gits *gits,
	int depth, struct br_found *found, struct br_err *err)
{
	return ask_head(mirror, gits, found, err) &&
		((depth == 1 && has_already(mirror, found)) ||
			fetch_any_format(mirror, gits, depth, found, err));
}

/* Whether a connection costs next to nothing: one more is no loss then. */
static bool is_near(const struct br_gits *gits)
{
	return strcmp(gits->repo->protocol, "file") == 0 ||
		strcmp(gits->repo->protocol, "git") == 0;
}

/*
 * Find out whether a branch is what the mirror has, which is much faster than to fetch
 * nothing. Where it is not, or cannot be asked, fetching tells.
 */
static bool is_unchanged(struct br_mirror *mirror, const struct br_gits *gits,
	struct br_found *found)
{
	br_autofree char *ref = br_format("%s%s", heads, found->name);
	const char *const args[] = { "ls-remote", "--", gits->repo->address,
		ref, NULL };
	const struct br_git_call call = {
		.git_dir = mirror->folder,
		.args = args,
		.is_remote = true,
	};
	br_autobuf struct br_buf answer = { 0 };
	char object[BR_OBJECT_TEXT_BYTES];
	struct br_err ignored = { 0 };

	found->kind = BR_REF_BRANCH;
	if (!br_mirror_find(mirror, ref, object) ||
		!br_git_run(gits, &call, &answer, &ignored))
		return false;

	br_autofree char *expected = br_format("%s\t%s", object, ref);
	trim(&answer);
	if (strcmp(br_buf_text(&answer), expected) != 0)
		return false;
	memcpy(found->object, object, sizeof(object));
	return true;
}

static bool load(struct br_mirror *mirror, const struct br_gits *gits,
	const struct br_ref *ref, const char *commit, struct br_found *found,
	struct br_err *err)
{
	br_autofree char *wanted = commit ? lower(commit) : NULL;
	int depth = commit ? depths[0] : 1;
	bool is_good;

	if (ref->kind == BR_REF_HEAD) {
		is_good = fetch_head(mirror, gits, depth, found, err);
	} else {
		found->name = br_strdup(ref->name);
		is_good = (depth == 1 && ref->kind != BR_REF_TAG &&
				  is_near(gits) &&
				  is_unchanged(mirror, gits, found)) ||
			fetch_named(mirror, gits, depth, ref->kind, found, err);
	}
	is_good = is_good && find_tip(mirror, gits, found, err) &&
		(!wanted || find_commit(mirror, gits, wanted, found, err));
	return is_good ||
		(found->name && br_wrap(err, "branch '%s'", found->name));
}

bool br_found_load(struct br_mirror *mirror, const struct br_gits *gits,
	const struct br_ref *ref, const char *commit, struct br_found *found,
	struct br_err *err)
{
	struct br_found loaded = { 0 };

	if (!load(mirror, gits, ref, commit, &loaded, err)) {
		br_found_done(&loaded);
		return false;
	}
	*found = loaded;
	return true;
}

void br_found_done(struct br_found *found)
{
	free(found->name);
	*found = (struct br_found){ 0 };
}
