/* SPDX-License-Identifier: MIT */
/* Users, and files that are given back, by a real buildr-init. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clean.h"
#include "base/file.h"
#include "peer.h"
#include "tests/support/folder.h"

#define STEPS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* No users of this machine. */
enum { CALLER_UID = 54321, CALLER_GID = 54322, OTHER_UID = 54323 };

/* A project folder that is the caller's. */
static char *make_project(void)
{
	char *project = folder_make();

	assert_int_equal(chmod(project, 0755), 0);
	assert_int_equal(chown(project, CALLER_UID, CALLER_GID), 0);
	return project;
}

static void make_file(
	const char *folder, const char *name, uid_t uid, gid_t gid)
{
	br_autofree char *path = br_path_join(folder, name);

	folder_write(folder, name, 0640, "old\n");
	assert_int_equal(chown(path, uid, gid), 0);
}

static void expect_owner(
	const char *folder, const char *name, uid_t uid, gid_t gid)
{
	br_autofree char *path = br_path_join(folder, name);
	struct stat status = { 0 };

	if (lstat(path, &status) < 0)
		fail_msg("%s is gone", path);
	if (status.st_uid != uid || status.st_gid != gid)
		fail_msg("%s belongs to %u:%u, not %u:%u", name,
			(unsigned)status.st_uid, (unsigned)status.st_gid,
			(unsigned)uid, (unsigned)gid);
}

static void open_peer(struct peer *peer, const char *project)
{
	const struct peer_options options = {
		.give_back_path = project,
		.uid = CALLER_UID,
		.gid = CALLER_GID,
	};

	peer_open(peer, &options);
}

static void run_in(struct peer *peer, const char *project, const char *text)
{
	const struct br_session_step step = { .text = text };

	peer_start_stage(peer, 1,
		(struct br_session_stage){
			.steps = &step, .step_count = 1, .workdir = project });
	peer_run_until_over(peer, 1);
	assert_string_equal(br_buf_text(&peer->log), "<1.1>1.1=0#1=0");
}

static void gives_back_what_a_build_made_and_nothing_else(void **state)
{
	char *project = make_project();
	struct peer peer;

	(void)state;
	make_file(project, "mine", CALLER_UID, CALLER_GID);
	make_file(project, "replaced", CALLER_UID, CALLER_GID);
	make_file(project, "roots", 0, 0);
	make_file(project, "others", OTHER_UID, OTHER_UID);
	make_file(project, "overwritten", 0, 0);
	make_file(project, "taken", CALLER_UID, CALLER_GID);
	open_peer(&peer, project);
	run_in(&peer, project,
		"mkdir -p new/deep && echo x >new/deep/file\n"
		"ln -s /etc/passwd new/link && mkfifo new/fifo\n"
		"rm replaced && echo new >replaced\n"
		"ln roots new/hard && echo more >>overwritten\n"
		"mkdir -m 000 new/closed && chown 0:0 taken\n"
		"chown 54323 new/deep/file");
	peer_close(&peer);

	static const char *const given[] = { "mine", "replaced", "taken", "new",
		"new/deep", "new/deep/file", "new/link", "new/fifo",
		"new/closed" };
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		expect_owner(project, given[i], CALLER_UID, CALLER_GID);
	expect_owner(project, "roots", 0, 0);
	expect_owner(project, "new/hard", 0, 0);
	expect_owner(project, "overwritten", 0, 0);
	expect_owner(project, "others", OTHER_UID, OTHER_UID);
	expect_owner("/etc", "passwd", 0, 0);
	folder_remove(project);
}

static void gives_back_when_the_connection_is_lost(void **state)
{
	char *project = make_project();
	struct peer peer;

	(void)state;
	open_peer(&peer, project);
	run_in(&peer, project, "mkdir new; echo x >new/file");
	peer_hang_up(&peer);
	expect_owner(project, "new", CALLER_UID, CALLER_GID);
	expect_owner(project, "new/file", CALLER_UID, CALLER_GID);
	folder_remove(project);
}

/* Of two that share the project the first gives back what both have made. */
static void leaves_files_that_another_gives_back(void **state)
{
	char *project = make_project();
	struct peer first;
	struct peer second;

	(void)state;
	make_file(project, "roots", 0, 0);
	open_peer(&first, project);
	run_in(&first, project, "mkdir first");
	open_peer(&second, project);
	run_in(&second, project, "mkdir second");
	peer_leave(&second);
	expect_owner(project, "second", 0, 0);
	expect_owner(project, "first", 0, 0);
	peer_close(&first);
	expect_owner(project, "second", CALLER_UID, CALLER_GID);
	expect_owner(project, "first", CALLER_UID, CALLER_GID);
	expect_owner(project, "roots", 0, 0);
	folder_remove(project);
}

/* Deeper than a path can be long, and wide. */
static void gives_back_a_deep_and_a_wide_tree(void **state)
{
	char *project = make_project();
	struct peer peer;

	(void)state;
	open_peer(&peer, project);
	run_in(&peer, project,
		"mkdir wide deep; (cd wide; seq 1 1000 | xargs touch)\n"
		"cd deep; i=0\n"
		"while [ $i -lt 100 ]; do\n"
		"n=ffffffffffffffffffffffffffffffffffffffffffffffffff$i\n"
		"mkdir $n; cd -P ./$n; i=$((i+1))\n"
		"done; echo x >bottom");
	peer_close(&peer);
	expect_owner(project, "wide/1000", CALLER_UID, CALLER_GID);
	expect_owner(project, "deep", CALLER_UID, CALLER_GID);

	/* By its own paths, find looks at all of it and finds none of root's. */
	open_peer(&peer, project);
	run_in(&peer, project,
		"test $(find . -uid 54321 | wc -l) = 1104\n"
		"test -z \"$(find . ! -uid 54321)\"; rm -r deep");
	peer_close(&peer);
	folder_remove(project);
}

static void gives_nothing_back_unless_asked_to(void **state)
{
	const struct peer_options plain = { 0 };
	char *project = make_project();
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	run_in(&peer, project, "echo x >new");
	peer_close(&peer);
	expect_owner(project, "new", 0, 0);
	folder_remove(project);
}

/* Run `id`-like text as `user` in a fresh init, and compare what it says. */
static void expect_as(
	const char *user, const char *const *environment, const char *expected)
{
	const struct peer_options plain = { 0 };
	const struct br_session_step step = {
		.text = "echo $(id -u) $(id -g) $(id -G) $HOME"
	};
	struct peer peer;
	br_autofree char *log = br_format("<1.1%s\n>1.1=0#1=0", expected);

	peer_open(&peer, &plain);
	peer_start_stage(&peer, 1,
		(struct br_session_stage){ .steps = &step,
			.step_count = 1,
			.user = user,
			.environment = environment });
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log), log);
	peer_close(&peer);
}

static void runs_a_stage_as_its_user(void **state)
{
	(void)state;
	assert_int_equal(setenv("HOME", "/root", 1), 0);
	expect_as("54321:54322", NULL, "54321 54322 54322 /");
	expect_as("54321", NULL, "54321 0 0 /");
	expect_as("daemon", NULL, "1 1 1 /usr/sbin");
	expect_as("daemon:54322", NULL, "1 54322 54322 /usr/sbin");
	expect_as("1", NULL, "1 1 1 /usr/sbin");
	expect_as("root", NULL, "0 0 0 /root");
	expect_as("daemon", STEPS("HOME=/mine"), "1 1 1 /mine");
	/* The image chose this one. */
	assert_int_equal(setenv("HOME", "/image", 1), 0);
	expect_as("daemon", NULL, "1 1 1 /image");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_a_build_made_and_nothing_else),
		cmocka_unit_test(gives_back_when_the_connection_is_lost),
		cmocka_unit_test(leaves_files_that_another_gives_back),
		cmocka_unit_test(gives_back_a_deep_and_a_wide_tree),
		cmocka_unit_test(gives_nothing_back_unless_asked_to),
		cmocka_unit_test(runs_a_stage_as_its_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
