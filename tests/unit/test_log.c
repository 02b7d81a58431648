/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "event/json.h"
#include "log/folder.h"
#include "log/log.h"
#include "tests/support/folder.h"

#define BUILD "0192f0c1-2b3c-7d4e-8f50-6172839400"

struct fixture {
	char *home;
	struct br_arena arena;
	struct br_durations durations;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->home = folder_make();
	setenv("XDG_STATE_HOME", fixture->home, 1);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	folder_remove(fixture->home);
	br_arena_done(&fixture->arena);
	free(fixture);
	return 0;
}

static char *logs_of(const char *project)
{
	struct br_err err = { 0 };
	char *path = NULL;

	assert_true(br_log_folder_find(project, &path, &err));
	return path;
}

static const struct br_log_limits usual = { BR_LOG_KEPT, BR_LOG_SIZE_BYTES };

static bool try_log(int number, const struct br_log_limits *limits,
	struct br_sink **log, struct br_err *err)
{
	char build[BR_UUID_TEXT_BYTES];
	const struct br_log_options options = {
		.project_dir = "/home/ann/app",
		.build = build,
		.limits = *limits,
		.header = { .branch = "main", .command = "buildr run" },
	};

	(void)snprintf(build, sizeof(build), BUILD "%02d", number);
	return br_log_open(&options, log, err);
}

static struct br_sink *open_limited(
	int number, const struct br_log_limits *limits)
{
	struct br_sink *log = NULL;
	struct br_err err = { 0 };

	assert_true(try_log(number, limits, &log, &err));
	return log;
}

static struct br_sink *open_log(int number)
{
	return open_limited(number, &usual);
}

static struct br_event finish(
	const char *stage, enum br_result result, double seconds)
{
	return (struct br_event){
		.type = BR_EVENT_STAGE_FINISHED,
		.seq = 1,
		.attempt = 1,
		.build = BUILD "00",
		.stage_finished = { .stage = stage,
			.attempt = 1,
			.result = result,
			.seconds = seconds,
			.reason = result == BR_RESULT_PASS ? BR_REASON_NONE
							   : BR_REASON_STATUS,
			.status = -1 },
	};
}

static struct br_event write_text(
	const char *stage, uint64_t seq, const char *text)
{
	return (struct br_event){
		.type = BR_EVENT_OUTPUT,
		.seq = seq,
		.attempt = 1,
		.build = BUILD "00",
		.output = { .stage = stage, .step = 1, .data = br_str(text) },
	};
}

static void tell(struct br_sink *log, struct br_event event)
{
	struct br_err err = { 0 };

	assert_true(br_sink_handle(log, &event, &err));
	assert_int_equal(err.code, BR_OK);
}

/* A build of its own with one stage, the `number`-th. */
static void log_stage(
	int number, const char *stage, enum br_result result, double seconds)
{
	struct br_sink *log = open_log(number);

	tell(log, finish(stage, result, seconds));
	br_log_close(log);
}

static void load_durations(struct fixture *fixture)
{
	br_log_durations("/home/ann/app", &fixture->arena, &fixture->durations);
}

static int64_t ms_of(const struct fixture *fixture, const char *stage)
{
	for (size_t i = 0; i < fixture->durations.count; i++)
		if (!strcmp(fixture->durations.items[i].stage, stage))
			return fixture->durations.items[i].ms;
	return -1;
}

static void add_line(const char *log, const char *text)
{
	br_autofree char *folder = logs_of("/home/ann/app");
	br_autofree char *path = br_path_join(folder, log);
	FILE *file = fopen(path, "ae");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *name, const char *expected)
{
	br_autofree char *folder = logs_of("/home/ann/app");
	br_autofree char *path = br_path_join(folder, name);
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };

	assert_true(br_file_load(path, 1000, &text, &err));
	assert_string_equal(br_buf_text(&text), expected);
}

static void output_is_in_a_file_of_its_own_and_all_is_there_at_once(
	void **state)
{
	br_autobuf struct br_buf events = { 0 };
	br_autobuf struct br_buf output = { 0 };
	struct br_sink *log = open_log(7);
	struct br_event event = finish("build", BR_RESULT_PASS, 1.5);
	struct br_event text = write_text("build", 2, "x");
	struct br_err err = { 0 };

	(void)state;
	tell(log, event);
	tell(log, text);
	/* Before the log is closed. */
	br_buf_add_text(&events,
		"{\"log\":1,\"branch\":\"main\","
		"\"command\":\"buildr run\"}\n");
	br_event_format(&event, &events);
	br_event_format(&text, &output);
	assert_file(BUILD "07.jsonl", br_buf_text(&events));
	assert_file(BUILD "07.output.jsonl", br_buf_text(&output));
	assert_int_equal(br_log_lost(log, &err), 0);
	br_log_close(log);
}

static void only_the_user_can_read_a_log(void **state)
{
	br_autofree char *folder = logs_of("/home/ann/app");
	br_autofree char *path = br_path_join(folder, BUILD "07.jsonl");
	struct stat status = { 0 };

	(void)state;
	br_log_close(open_log(7));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
}

static void projects_of_one_name_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *ann = logs_of("/home/ann/my app");
	br_autofree char *bob = logs_of("/home/bob/my app");
	br_autofree char *root = logs_of("/");
	br_autofree char *start = br_format("%s/buildr/my_app-", fixture->home);

	assert_true(br_has_prefix(ann, start));
	assert_true(br_has_prefix(bob, start));
	assert_string_not_equal(ann, bob);
	assert_non_null(strstr(root, "/buildr/root-"));
}

static void without_a_home_there_is_no_log(void **state)
{
	struct br_sink *log = NULL;
	struct br_err err = { 0 };
	const char *home = getenv("HOME");
	br_autofree char *before = br_strdup(home ? home : "/");

	(void)state;
	setenv("XDG_STATE_HOME", "relative", 1);
	unsetenv("HOME");
	assert_false(try_log(1, &usual, &log, &err));
	assert_int_equal(err.code, BR_EUNAVAIL);
	load_durations(*state);
	setenv("HOME", before, 1);
}

static void a_home_that_takes_no_folder_is_an_error_at_the_start(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *file = br_path_join(fixture->home, "file");
	struct br_sink *log = NULL;
	struct br_err err = { 0 };

	folder_write(fixture->home, "file", 0600, "");
	setenv("XDG_STATE_HOME", file, 1);
	assert_false(try_log(1, &usual, &log, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_non_null(strstr(err.text, "Not a directory"));
}

static void a_disk_that_is_full_is_counted_and_the_end_comes_into_the_log(
	void **state)
{
	struct fixture *fixture = *state;
	struct br_sink *log = open_log(1);
	const struct rlimit none = { 0, RLIM_INFINITY };
	struct rlimit before;
	struct br_err why = { 0 };

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	tell(log, finish("a", BR_RESULT_PASS, 1));
	tell(log, write_text("a", 2, "lost"));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	tell(log, write_text("a", 3, "lost too"));
	tell(log, finish("b", BR_RESULT_PASS, 1));
	assert_int_equal(br_log_lost(log, &why), 3);
	assert_string_equal(why.text, "write: File too large");
	br_log_close(log);
	load_durations(fixture);
	assert_int_equal(ms_of(fixture, "a"), -1);
	assert_int_equal(ms_of(fixture, "b"), 1000);
}

static size_t count_files(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		count += entry->d_name[0] != '.';
	(void)closedir(dir);
	return count;
}

static void the_newest_logs_are_kept_and_foreign_files_left_alone(void **state)
{
	br_autofree char *folder = logs_of("/home/ann/app");
	br_autofree char *oldest = br_path_join(folder, BUILD "00.jsonl");
	br_autofree char *kept = br_path_join(folder, BUILD "10.jsonl");
	br_autofree char *newest = br_path_join(folder, BUILD "59.jsonl");

	(void)state;
	br_log_close(open_log(0));
	folder_write(folder, "notes.txt", 0600, "");
	folder_write(folder, "x.jsonl", 0600, "");
	for (int i = 1; i < BR_LOG_KEPT + 10; i++)
		br_log_close(open_log(i));
	/* Two files each. */
	assert_int_equal(count_files(folder), 2 * BR_LOG_KEPT + 2);
	assert_int_not_equal(access(oldest, F_OK), 0);
	assert_int_equal(access(kept, F_OK), 0);
	assert_int_equal(access(newest, F_OK), 0);
}

static void a_stage_takes_as_long_as_when_it_last_passed(void **state)
{
	struct fixture *fixture = *state;
	struct br_sink *log;

	log_stage(1, "build", BR_RESULT_PASS, 10);
	log_stage(2, "test (py=3.12)", BR_RESULT_PASS, 0.0125);
	log = open_log(3);
	tell(log, finish("build", BR_RESULT_PASS, 20));
	tell(log, finish("build", BR_RESULT_PASS, 30.25));
	br_log_close(log);
	log_stage(4, "build", BR_RESULT_FAIL, 40);
	log_stage(5, "lint", BR_RESULT_CACHED, 50);
	log_stage(6, "a \"b\" \\ c", BR_RESULT_PASS, 60);
	load_durations(fixture);
	assert_int_equal(fixture->durations.count, 3);
	assert_int_equal(ms_of(fixture, "a \"b\" \\ c"), 60000);
	assert_int_equal(ms_of(fixture, "build"), 30250);
	assert_int_equal(ms_of(fixture, "test (py=3.12)"), 13);
}

static void only_the_newest_logs_are_read(void **state)
{
	struct fixture *fixture = *state;

	log_stage(0, "long ago", BR_RESULT_PASS, 1);
	for (int i = 1; i <= BR_LOG_DURATION_FILES; i++)
		log_stage(i, i == 1 ? "first" : "build", BR_RESULT_PASS, i);
	load_durations(fixture);
	assert_int_equal(ms_of(fixture, "long ago"), -1);
	assert_int_equal(ms_of(fixture, "first"), 1000);
	assert_int_equal(ms_of(fixture, "build"), 10000);
}

static void lines_that_cannot_be_read_are_passed_over(void **state)
{
	static const char half[] =
		"{\"v\":1,\"seq\":3,\"type\":\"stage.finished\",\"stage\":\"c\","
		"\"result\":\"pass\"";
	struct fixture *fixture = *state;

	log_stage(1, "a", BR_RESULT_PASS, 1);
	add_line(BUILD "01.jsonl", "\n\nnoise\n");
	add_line(BUILD "01.jsonl", half);
	add_line(BUILD "01.jsonl", "\n");
	add_line(BUILD "01.jsonl",
		"\"result\":\"pass\",\"seconds\":"
		"\"type\":\"stage.finished\",\"stage\":\"}\n");
	add_line(BUILD "01.jsonl",
		"\"type\":\"stage.finished\",\"stage\":"
		"\"d\",\"result\":\"pass\",\"seconds\":1e99}\n");
	log_stage(1, "b", BR_RESULT_PASS, 2);
	add_line(BUILD "01.jsonl", half);
	load_durations(fixture);
	assert_int_equal(fixture->durations.count, 2);
	assert_int_equal(ms_of(fixture, "a"), 1000);
	assert_int_equal(ms_of(fixture, "b"), 2000);
}

static void a_project_without_logs_has_no_durations(void **state)
{
	struct fixture *fixture = *state;

	load_durations(fixture);
	assert_int_equal(fixture->durations.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(output_is_in_a_file_of_its_own_and_all_is_there_at_once),
		TEST(only_the_user_can_read_a_log),
		TEST(projects_of_one_name_are_told_apart),
		TEST(without_a_home_there_is_no_log),
		TEST(a_home_that_takes_no_folder_is_an_error_at_the_start),
		TEST(a_disk_that_is_full_is_counted_and_the_end_comes_into_the_log),
		TEST(the_newest_logs_are_kept_and_foreign_files_left_alone),
		TEST(a_stage_takes_as_long_as_when_it_last_passed),
		TEST(only_the_newest_logs_are_read),
		TEST(lines_that_cannot_be_read_are_passed_over),
		TEST(a_project_without_logs_has_no_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
