/* SPDX-License-Identifier: MIT */
/* Users by an image's files, and ids of a user namespace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "init/id_map.h"
#include "init/user.h"
#include "tests/support/folder.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "short:x:7\n"
			     "me:x:1000:100:Me:/home/me:/bin/sh\n"
			     "me:x:1001:101::/home/second:\n"
			     "\n"
			     "last:x:4294967295:1::/:\n"
			     "minus:x:-1:1::/:\n"
			     "nothing:x::1::/:\n"
			     "1000:x:55:56::/home/number:\n"
			     "homeless:x:60:61::relative:";
static const char group[] = "root:x:0:\n"
			    "users:x:100:me\n"
			    "short:x\n"
			    "wheel:x:10:root,me,other\n"
			    "bad:x:99x:me\n"
			    "10:x:77:\n"
			    "almost:x:11:meme,m";

static char *make_etc(void)
{
	char *etc = folder_make();

	folder_write(etc, "passwd", 0644, passwd);
	folder_write(etc, "group", 0644, group);
	return etc;
}

/* What is found for `text`: `uid:gid home groups…`, or `none`. */
static void expect_user(const char *etc, const char *text, const char *expected)
{
	struct user user = { 0 };
	br_autobuf struct br_buf found = { 0 };

	if (user_find(etc, text, &user)) {
		br_buf_addf(&found, "%u:%u %s", (unsigned)user.uid,
			(unsigned)user.gid, user.home);
		for (size_t i = 0; i < user.group_count; i++)
			br_buf_addf(&found, " %u", (unsigned)user.groups[i]);
	} else {
		br_buf_add_text(&found, "none");
	}
	if (strcmp(br_buf_text(&found), expected) != 0)
		fail_msg("'%s' is '%s', not '%s'", text, br_buf_text(&found),
			expected);
}

static void finds_users_by_name_and_then_by_number(void **state)
{
	char *etc = make_etc();

	(void)state;
	expect_user(etc, "me", "1000:100 /home/me 100 10");
	expect_user(etc, "1001", "1001:101 /home/second 100 10");
	/* There is a user of that name. */
	expect_user(etc, "1000", "55:56 /home/number");
	expect_user(etc, "homeless", "60:61 /");
	expect_user(etc, "4000", "4000:0 /");
	expect_user(etc, "nobody", "none");
	expect_user(etc, "", "none");
	folder_remove(etc);
}

static void takes_a_group_instead_of_the_user_s_own(void **state)
{
	char *etc = make_etc();

	(void)state;
	expect_user(etc, "me:wheel", "1000:10 /home/me");
	expect_user(etc, "me:10", "1000:77 /home/me");
	expect_user(etc, "4000:4001", "4000:4001 /");
	expect_user(etc, "me:nobody", "none");
	expect_user(etc, "me:", "none");
	folder_remove(etc);
}

static void skips_lines_that_are_none(void **state)
{
	char *etc = make_etc();

	(void)state;
	expect_user(etc, "short", "none");
	/* (uid_t)-1 means "no change" to the kernel: root would stay root. */
	expect_user(etc, "last", "none");
	expect_user(etc, "4294967295", "none");
	expect_user(etc, "18446744073709551616", "none");
	expect_user(etc, "minus", "none");
	expect_user(etc, "nothing", "none");
	expect_user(etc, "me:bad", "none");
	expect_user(etc, "me:short", "none");
	folder_remove(etc);
}

static void a_text_too_long_for_a_user_is_none(void **state)
{
	char *etc = make_etc();
	char text[1024];

	(void)state;
	memset(text, '0', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_user(etc, text, "none");
	folder_remove(etc);
}

/* A build may put one there; nobody would ever write to it. */
static void does_not_wait_for_a_pipe_in_place_of_a_file(void **state)
{
	char *etc = folder_make();
	br_autofree char *path = br_path_join(etc, "passwd");

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_user(etc, "me", "none");
	expect_user(etc, "7", "7:0 /");
	folder_remove(etc);
}

static void finds_the_host_s_users_by_two_numbers_only(void **state)
{
	static const char *const bad[] = { "", "1", "1:", ":1", "me:1", "1:me",
		"1:1:1", "-1:1", "1:4294967295" };
	char *etc = make_etc();
	struct user user = { 0 };
	char text[1024];

	(void)state;
	/* This process has all ids, so the host's numbers are its own. */
	assert_true(user_find_host(etc, "1001:100", &user));
	assert_int_equal(user.uid, id_map_uid(1001));
	assert_int_equal(user.gid, id_map_gid(100));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (user_find_host(etc, bad[i], &user))
			fail_msg("'%s' is a user", bad[i]);
	memset(text, '0', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(user_find_host(etc, text, &user));
	folder_remove(etc);
}

static void translates_ids_of_a_user_namespace(void **state)
{
	static const char rootless[] = "         0       1000          1\n"
				       "         1     100000      65536\n";

	(void)state;
	assert_int_equal(id_map_find(rootless, 1000), 0);
	assert_int_equal(id_map_find(rootless, 100000), 1);
	assert_int_equal(id_map_find(rootless, 165535), 65536);
	assert_int_equal(
		id_map_find("0 0 4294967295\n", 4294967294), 4294967294);
	/* Somebody who is not in there: root, who may give files to no one. */
	assert_int_equal(id_map_find(rootless, 165536), 0);
	assert_int_equal(id_map_find(rootless, 999), 0);
	assert_int_equal(id_map_find("", 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_users_by_name_and_then_by_number),
		cmocka_unit_test(takes_a_group_instead_of_the_user_s_own),
		cmocka_unit_test(skips_lines_that_are_none),
		cmocka_unit_test(a_text_too_long_for_a_user_is_none),
		cmocka_unit_test(does_not_wait_for_a_pipe_in_place_of_a_file),
		cmocka_unit_test(finds_the_host_s_users_by_two_numbers_only),
		cmocka_unit_test(translates_ids_of_a_user_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
