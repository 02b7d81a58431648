/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "session/private.h"
#include "tests/support/folder.h"

/* Where the folders of each test are made. */
static int set_up(void **state)
{
	char *place = folder_make();

	*state = place;
	return setenv("XDG_RUNTIME_DIR", place, 1);
}

static int tear_down(void **state)
{
	folder_remove(*state);
	return 0;
}

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

/* Make a build's folder in `place`, and give its path. */
static char *make(const char *place, const char *build)
{
	br_autofree char *program = br_path_join(place, "program");
	struct br_private made = { .listen_fd = -1 };
	struct br_err err = { 0 };
	char *path = br_private_path(build);

	folder_write(place, "program", 0700, "");
	if (!br_private_open(path, program, &made, &err))
		fail_msg("%s", err.text);
	(void)close(made.listen_fd);
	free(made.folder);
	return path;
}

/* A folder of each of a build's containers, as it has one itself. */
static void add_part(const char *folder, const char *name)
{
	br_autofree char *path = br_format("%s/init", name);

	folder_write(folder, path, 0755, "");
}

static void removes_what_is_in_a_folder(void **state)
{
	br_autofree char *path = make(*state, "one");

	assert_true(is_there(path));
	add_part(path, "1");
	add_part(path, "27");
	assert_true(br_private_remove(path));
	assert_false(is_there(path));
	assert_true(br_private_remove(path));
}

static void leaves_what_it_did_not_put_there(void **state)
{
	br_autofree char *path = make(*state, "one");
	br_autofree char *kept = br_path_join(path, "mine/init");
	br_autofree char *init = br_path_join(path, "init");

	add_part(path, "mine");
	assert_false(br_private_remove(path));
	assert_true(is_there(kept));
	assert_false(is_there(init));
}

static void follows_no_link(void **state)
{
	const char *place = *state;
	br_autofree char *target = br_path_join(place, "target");
	br_autofree char *kept = br_path_join(place, "target/init");
	br_autofree char *path = make(*state, "one");
	br_autofree char *part = br_path_join(path, "1");
	br_autofree char *link = br_path_join(place, "link");

	folder_write(place, "target/init", 0755, "");
	assert_int_equal(symlink(target, part), 0);
	assert_int_equal(symlink(target, link), 0);
	assert_false(br_private_remove(path));
	assert_false(br_private_remove(link));
	assert_true(is_there(kept));
	assert_true(is_there(link));
}

/* A process that makes a folder and ends; gives its path. */
static char *make_and_end(const char *place, const char *build)
{
	br_autofree char *told = br_path_join(place, "told");
	br_autobuf struct br_buf path = { 0 };
	struct br_err err = { 0 };
	int status = -1;

	(void)unlink(told);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		br_autofree char *made = make(place, build);

		_exit(br_file_save_new(told, 0600, made, strlen(made), &err)
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(br_file_load(told, PATH_MAX, &path, &err));
	return br_strdup(br_buf_text(&path));
}

static void sweeps_what_an_owner_left_that_is_gone(void **state)
{
	const char *place = *state;
	br_autofree char *mine = make(place, "mine");
	br_autofree char *gone = make_and_end(place, "gone");
	br_autofree char *other = br_path_join(place, "buildr-other.thing");
	struct br_process_id self;
	struct br_process_id elsewhere;
	struct br_err err = { 0 };

	assert_int_equal(mkdir(other, 0700), 0);
	assert_true(br_process_self(&self, &err));
	elsewhere = self;
	elsewhere.pid_namespace++;
	add_part(gone, "1");

	(void)br_private_sweep(&elsewhere);
	assert_true(is_there(gone));
	assert_true(br_private_sweep(&self) >= 1);
	assert_false(is_there(gone));
	assert_true(is_there(mine));
	assert_true(is_there(other));
}

/* Only root can give a folder away. */
static void leaves_a_folder_of_another_user(void **state)
{
	const char *place = *state;
	br_autofree char *gone = make_and_end(place, "gone");
	struct br_process_id self;
	struct br_err err = { 0 };

	if (geteuid() != 0)
		return;
	assert_int_equal(chown(gone, 1234, 1234), 0);
	assert_true(br_process_self(&self, &err));
	(void)br_private_sweep(&self);
	assert_true(is_there(gone));
	assert_false(br_private_remove(gone));
	assert_true(is_there(gone));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(removes_what_is_in_a_folder),
		IN_PLACE(leaves_what_it_did_not_put_there),
		IN_PLACE(follows_no_link),
		IN_PLACE(sweeps_what_an_owner_left_that_is_gone),
		IN_PLACE(leaves_a_folder_of_another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
