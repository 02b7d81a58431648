/* SPDX-License-Identifier: MIT */
/* Which builds there are, what became of them, and which logs have to go. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/builds.h"
#include "log/stages.h"
#include "logged.h"

/* A process that has the log of `build` open until it is killed. */
static pid_t start_build(const char *build)
{
	int ends[2];
	char byte = 0;

	assert_int_equal(pipe(ends), 0);

	pid_t pid = fork();

	if (pid == 0) {
		/* A test that fails does not come to end_build(). */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)logged_open(build, BR_LOG_SIZE_BYTES);
		(void)!write(ends[1], "x", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return pid;
}

static void end_build(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static enum br_log_state state_of(const struct logged *logged)
{
	struct br_log_builds builds = { 0 };
	struct br_err err = { 0 };

	assert_true(br_log_builds_load(logged->folder, &builds, &err));
	assert_int_equal(builds.count, 1);

	enum br_log_state state = builds.items[0].state;

	br_log_builds_done(&builds);
	return state;
}

static void a_build_runs_until_its_process_is_gone(void **state)
{
	struct logged *logged = *state;

	logged_tell(logged, logged_started());
	br_log_close(logged->log);
	logged->log = NULL;
	assert_int_equal(state_of(logged), BR_LOG_UNFINISHED);

	pid_t pid = start_build(BUILD);

	assert_int_equal(state_of(logged), BR_LOG_RUNNING);
	end_build(pid);
	assert_int_equal(state_of(logged), BR_LOG_UNFINISHED);
	logged->log = logged_open(BUILD, BR_LOG_SIZE_BYTES);
	logged_tell(logged, logged_finished(BR_RESULT_CANCELLED));
	assert_int_equal(state_of(logged), BR_LOG_FINISHED);
}

/* Logs of other builds: `0192f0c1-2b3c-7d4e-8f50-61728394000N`. */
static char *id_of(int number)
{
	return br_format("%.*s%d", (int)sizeof(BUILD) - 2, BUILD, number);
}

static void beyond_the_size_the_oldest_go_but_not_what_runs(void **state)
{
	struct logged *logged = *state;
	struct br_log_files files = { 0 };
	br_autofree char *running = id_of(1);
	pid_t pid = start_build(running);

	logged_tell_much(logged, "build", 400);
	for (int i = 2; i < 6; i++) {
		br_autofree char *id = id_of(i);

		br_log_close(logged->log);
		logged->log = logged_open(id, BR_LOG_SIZE_BYTES);
		logged_tell_much(logged, "build", 400);
	}
	br_log_close(logged->log);
	/* It makes room for itself, and the next one does for it. */
	logged->log = logged_open(BUILD, 1024000);
	assert_true(br_log_files_load(logged->folder, &files));
	end_build(pid);
	/* The two newest, the one that runs, and our own. */
	assert_int_equal(files.count, 4);
	assert_string_equal(files.items[2].build, running);
	assert_string_equal(files.items[3].build, BUILD);
	br_log_files_done(&files);
}

static void assert_found(const struct br_log_builds *builds, const char *name,
	size_t number, const char *complaint)
{
	const struct br_log_build *build = NULL;
	struct br_err err = { 0 };
	bool is_found = br_log_builds_find(builds, name, &build, &err);

	if (number > 0) {
		assert_true(is_found);
		assert_int_equal(build->number, number);
	} else {
		assert_false(is_found);
		assert_non_null(strstr(err.text, complaint));
	}
}

static void a_build_is_named_by_its_number_or_any_start_that_is_its_own(
	void **state)
{
	struct logged *logged = *state;
	struct br_log_builds builds = { 0 };
	struct br_err err = { 0 };

	br_log_close(logged_open(
		"0193f0c1-2b3c-7d4e-8f50-617283940000", BR_LOG_SIZE_BYTES));
	br_log_close(logged_open(
		"0193f0c1-2b3d-7d4e-8f50-617283940000", BR_LOG_SIZE_BYTES));
	assert_true(br_log_builds_load(logged->folder, &builds, &err));
	assert_int_equal(builds.count, 3);
	assert_int_equal(builds.id_chars, 13);
	assert_found(&builds, "@1", 1, NULL);
	assert_found(&builds, "@3", 3, NULL);
	assert_found(&builds, "0192", 3, NULL);
	assert_found(&builds, "0193F0C1-2B3D", 1, NULL);
	assert_found(&builds, BUILD, 3, NULL);
	assert_found(&builds, "@4", 0, "there are 3");
	assert_found(&builds, "@0", 0, "@1 is the newest");
	assert_found(&builds, "@", 0, "@1 is the newest");
	assert_found(&builds, "", 0, "there is no build");
	assert_found(&builds, "0193f0c1", 0,
		"2 builds: 0193f0c1-2b3d (@1), 0193f0c1-2b3c (@2)");
	assert_found(&builds, "0192f0d1", 0, "did you mean '0192f0c1'?");
	assert_found(&builds, BUILD "0", 0, "did you mean '" BUILD "'?");
	assert_found(&builds, "test", 0, "'buildr log' lists them");
	br_log_builds_done(&builds);
}

static void a_list_knows_how_each_build_ended_and_when(void **state)
{
	struct logged *logged = *state;
	struct br_log_builds builds = { 0 };
	struct br_err err = { 0 };

	logged_tell(logged, logged_started());
	logged_tell(logged, logged_finished(BR_RESULT_FAIL));
	/* What is no log, or not to be followed, is none. */
	folder_write(logged->folder, "notes.txt", 0600, "");
	br_autofree char *link = br_path_join(logged->folder,
		"0193f0c1-2b3c-7d4e-8f50-617283940000" BR_LOG_SUFFIX);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_true(br_log_builds_load(logged->folder, &builds, &err));
	assert_int_equal(builds.count, 1);

	const struct br_log_build *build = &builds.items[0];

	assert_int_equal(build->state, BR_LOG_FINISHED);
	assert_int_equal(build->result, BR_RESULT_FAIL);
	assert_int_equal(build->started_us, 1000000);
	assert_true(build->seconds > 2.4 && build->seconds < 2.6);
	assert_string_equal(build->header.branch, "main");
	assert_null(build->header.commit);
	assert_string_equal(build->project, PROJECT);
	br_log_builds_done(&builds);
}

static void of_a_stage_that_is_tried_again_the_last_end_counts(void **state)
{
	struct logged *logged = *state;
	struct br_log_stages stages = { 0 };
	struct br_err err = { 0 };

	logged_tell(logged, logged_started());
	logged_tell(logged, logged_stage_end("build", BR_RESULT_FAIL));
	logged_tell(logged, logged_stage_end("build", BR_RESULT_PASS));
	logged_tell(logged, logged_stage_end("test (py=3.12)", BR_RESULT_FAIL));
	assert_true(br_log_stages_load(logged->folder, BUILD, &stages, &err));
	assert_int_equal(stages.names.count, 2);
	assert_int_equal(stages.failed.count, 1);
	assert_string_equal(stages.failed.items[0], "test (py=3.12)");
	br_log_stages_done(&stages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGGED_TEST(a_build_runs_until_its_process_is_gone),
		LOGGED_TEST(beyond_the_size_the_oldest_go_but_not_what_runs),
		LOGGED_TEST(
			a_build_is_named_by_its_number_or_any_start_that_is_its_own),
		LOGGED_TEST(a_list_knows_how_each_build_ended_and_when),
		LOGGED_TEST(of_a_stage_that_is_tried_again_the_last_end_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
