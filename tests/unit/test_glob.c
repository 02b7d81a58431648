/* SPDX-License-Identifier: MIT */
/*
 * What a glob means is what git says: random globs are held against
 * `git check-ignore`, each in the `.gitignore` of a folder of its own, so that git
 * is started once.
 *
 * Planted bugs that these tests were seen to catch: no second try behind `**`; a
 * file for a folder; `/` in front without a meaning.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/folder.h"
#include "base/buf.h"
#include "base/glob.h"
#include "base/process.h"

static void assert_matches(const char *glob, const char *path)
{
	if (!br_glob_matches(glob, path))
		fail_msg("'%s' does not match '%s'", glob, path);
}

static void assert_differs(const char *glob, const char *path)
{
	if (br_glob_matches(glob, path))
		fail_msg("'%s' matches '%s'", glob, path);
}

static void matches_in_every_folder_without_a_slash(void **state)
{
	(void)state;
	assert_matches("*.c", "main.c");
	assert_matches("*.c", "lib/base/glob.c");
	assert_differs("*.c", "lib/base/glob.h");
	assert_matches("doc", "a/doc");
	assert_matches("doc", "a/doc/b/c");
	assert_differs("doc", "a/docs");
}

static void starts_at_the_top_with_a_slash(void **state)
{
	(void)state;
	assert_matches("/doc", "doc");
	assert_differs("/doc", "a/doc");
	assert_matches("src/*.c", "src/main.c");
	assert_differs("src/*.c", "a/src/main.c");
	assert_differs("src/*.c", "src/a/main.c");
}

static void means_a_folder_with_a_slash_at_the_end(void **state)
{
	(void)state;
	assert_matches("doc/", "doc/a");
	assert_matches("doc/", "a/doc/b");
	assert_differs("doc/", "doc");
	assert_differs("/doc/", "a/doc/b");
	assert_matches("**/", "a/b");
	assert_differs("**/", "a");
	assert_matches("a/**/", "a/b/c");
	assert_differs("a/**/", "a/b");
}

static void spans_folders_with_two_stars(void **state)
{
	(void)state;
	assert_matches("src/**", "src/a");
	assert_matches("src/**", "src/a/b/c");
	assert_differs("src/**", "src");
	assert_matches("**/test", "test");
	assert_matches("**/test", "a/b/test");
	assert_matches("a/**/b", "a/b");
	assert_matches("a/**/b", "a/x/y/b");
	assert_differs("a/**/b", "a/x/y/c");
	assert_differs("a**b/c", "a/b/c");
}

static void takes_characters_as_they_stand(void **state)
{
	(void)state;
	assert_matches("\\*", "*");
	assert_differs("\\*", "a");
	assert_matches("[[:digit:]]x", "7x");
	assert_matches("a b\n\"\\\\", "a b\n\"\\");
	assert_matches("gr\xc3\xbc\xc3\x9f"
		       "e/*",
		"gr\xc3\xbc\xc3\x9f"
		"e/\xff");
	assert_matches("*", ".hidden");
}

/* Stars that could each take any number of folders: no search that explodes. */
static void finds_out_soon_that_nothing_matches(void **state)
{
	br_autobuf struct br_buf glob = { 0 };
	br_autobuf struct br_buf path = { 0 };

	(void)state;
	for (int i = 0; i < 300; i++)
		br_buf_add_text(&glob, "**/a/");
	br_buf_add_text(&glob, "b");
	for (int i = 0; i < 2000; i++)
		br_buf_add_text(&path, "a/");
	br_buf_add_text(&path, "c");
	assert_differs(br_buf_text(&glob), br_buf_text(&path));
}

enum { GLOBS = 400, NAMES = 4, DEPTH = 3 };

static const char *const names[NAMES] = { "a", "b", "ab", ".a" };

/* A generator of its own: the same globs every time and everywhere. */
static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*seed >> 33) % limit;
}

static void make_glob(uint64_t *seed, struct br_buf *glob)
{
	/* Not `a**`: to git stars behind plain text are folders, a slip. */
	static const char *const parts[] = { "a", "b", "ab", "*", "*", "**",
		"**", "**", "***", "?", "[ab]", "[!a]", "[^b]", "[a-c]b", "a*",
		"*b", "?a**", "\\a", ".*", "?a", "a?", "[.]a" };
	uint32_t count = 1 + random_below(seed, 4);

	if (random_below(seed, 4) == 0)
		br_buf_add_char(glob, '/');
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			br_buf_add_char(glob, '/');
		br_buf_add_text(glob,
			parts[random_below(
				seed, sizeof(parts) / sizeof(parts[0]))]);
	}
	if (random_below(seed, 4) == 0)
		br_buf_add_char(glob, '/');
}

/* Path number `index` of all up to DEPTH folders deep, from 0; false: the end. */
static bool make_path(size_t index, struct br_buf *path)
{
	size_t of_depth = NAMES;
	size_t depth = 1;

	for (; index >= of_depth; depth++) {
		index -= of_depth;
		of_depth *= NAMES;
		if (depth == DEPTH)
			return false;
	}
	for (size_t i = 0; i < depth; i++) {
		br_buf_addf(
			path, "%s%s", i > 0 ? "/" : "", names[index % NAMES]);
		index /= NAMES;
	}
	return true;
}

/* Run a command of the shell in `folder`, which must succeed or say no. */
static void shell(
	const char *folder, const char *command, struct br_buf *answer)
{
	br_autofree char *whole = br_format("cd '%s' && %s", folder, command);
	const char *const argv[] = { "sh", "-c", whole, NULL };
	struct br_process_result result = { 0 };
	struct br_err err = { 0 };

	assert_true(br_process_run(
		argv, "", 60000, 1000000, answer, &result, &err));
	assert_in_range(result.status, 0, 1);
}

/* Write the globs, and the paths that git is asked about. */
static void write_questions(const char *folder, struct br_buf *globs)
{
	br_autobuf struct br_buf asked = { 0 };
	uint64_t seed = 20261121;

	for (size_t i = 0; i < GLOBS; i++) {
		br_autofree char *ignore = br_format("%zu/.gitignore", i);

		make_glob(&seed, &globs[i]);
		folder_write(folder, ignore, 0600, br_buf_text(&globs[i]));
		for (size_t k = 0;; k++) {
			br_autobuf struct br_buf path = { 0 };

			if (!make_path(k, &path))
				break;
			br_buf_addf(&asked, "%zu/%s\n", i, br_buf_text(&path));
		}
	}
	folder_write(folder, "asked", 0600, br_buf_text(&asked));
}

static void agrees_with_git(void **state)
{
	char *folder = folder_make();
	struct br_buf globs[GLOBS] = { 0 };
	br_autobuf struct br_buf answer = { 0 };
	size_t match_count = 0;

	(void)state;
	write_questions(folder, globs);
	shell(folder,
		"unset $(git rev-parse --local-env-vars) && "
		"git init -q . && git -c core.excludesFile=/dev/null "
		"check-ignore --no-index --stdin < asked",
		&answer);

	const char *ignored = br_buf_text(&answer);
	for (size_t i = 0; i < GLOBS; i++) {
		for (size_t k = 0;; k++) {
			br_autobuf struct br_buf path = { 0 };

			if (!make_path(k, &path))
				break;
			br_autofree char *line =
				br_format("%zu/%s\n", i, br_buf_text(&path));
			bool is_ignored = br_has_prefix(ignored, line);

			if (br_glob_matches(br_buf_text(&globs[i]),
				    br_buf_text(&path)) != is_ignored)
				fail_msg("git says %s: '%s' and '%s'",
					is_ignored ? "yes" : "no",
					br_buf_text(&globs[i]),
					br_buf_text(&path));
			ignored += is_ignored ? strlen(line) : 0;
			match_count += is_ignored;
		}
		br_buf_done(&globs[i]);
	}
	assert_string_equal(ignored, "");
	/* Neither all nor nothing: the globs are worth the question. */
	assert_in_range(match_count, GLOBS, GLOBS * 50);
	folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_in_every_folder_without_a_slash),
		cmocka_unit_test(starts_at_the_top_with_a_slash),
		cmocka_unit_test(means_a_folder_with_a_slash_at_the_end),
		cmocka_unit_test(spans_folders_with_two_stars),
		cmocka_unit_test(takes_characters_as_they_stand),
		cmocka_unit_test(finds_out_soon_that_nothing_matches),
		cmocka_unit_test(agrees_with_git),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
