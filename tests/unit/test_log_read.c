/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "event/json.h"
#include "log/builds.h"
#include "log/folder.h"
#include "log/log.h"
#include "log/reader.h"
#include "log/stages.h"
#include "tests/support/folder.h"

#define PROJECT "/home/ann/app"
#define BUILD "0192f0c1-2b3c-7d4e-8f50-617283940000"

struct fixture {
	char *home;
	char *folder;
	struct br_sink *log;
	uint64_t seq;
};

static struct br_sink *open_log(const char *build, int64_t size_bytes)
{
	const struct br_log_options options = {
		.project_dir = PROJECT,
		.build = build,
		.limits = { .builds = 50, .size_bytes = size_bytes },
		.header = { .branch = "main" },
	};
	struct br_sink *log = NULL;
	struct br_err err = { 0 };

	assert_true(br_log_open(&options, &log, &err));
	return log;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct br_err err = { 0 };

	fixture->home = folder_make();
	setenv("XDG_STATE_HOME", fixture->home, 1);
	assert_true(br_log_folder_find(PROJECT, &fixture->folder, &err));
	fixture->log = open_log(BUILD, BR_LOG_SIZE_BYTES);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	br_log_close(fixture->log);
	folder_remove(fixture->home);
	free(fixture->folder);
	free(fixture);
	return 0;
}

static void tell(struct fixture *fixture, struct br_event event)
{
	struct br_err err = { 0 };

	event.seq = ++fixture->seq;
	event.attempt = 1;
	event.wall_us = (int64_t)fixture->seq * 1000000;
	memcpy(event.build, BUILD, sizeof(event.build));
	assert_true(br_sink_handle(fixture->log, &event, &err));
}

static struct br_event start(void)
{
	static const char *const stages[] = { "build", "test (py=3.12)" };

	return (struct br_event){
		.type = BR_EVENT_BUILD_STARTED,
		.build_started = { .project = PROJECT,
			.stages = { stages, 2 },
			.host = { "vm", "Linux", "6", "x86_64" },
			.version = "1" },
	};
}

static struct br_event write_text(const char *stage, const char *text)
{
	return (struct br_event){
		.type = BR_EVENT_OUTPUT,
		.output = { .stage = stage, .step = 1, .data = br_str(text) },
	};
}

static struct br_event end_step(const char *stage)
{
	return (struct br_event){
		.type = BR_EVENT_STEP_FINISHED,
		.step_finished = { .stage = stage, .step = 1 },
	};
}

static struct br_event end_stage(const char *stage, enum br_result result)
{
	return (struct br_event){
		.type = BR_EVENT_STAGE_FINISHED,
		.stage_finished = { .stage = stage,
			.attempt = 1,
			.result = result,
			.status = -1 },
	};
}

static struct br_event end(enum br_result result)
{
	return (struct br_event){
		.type = BR_EVENT_BUILD_FINISHED,
		.build_finished = { .result = result, .seconds = 2.5 },
	};
}

static void tell_a_build(struct fixture *fixture)
{
	tell(fixture, start());
	tell(fixture, write_text("build", "one\n"));
	tell(fixture, write_text("build", "two\n"));
	tell(fixture, end_step("build"));
	tell(fixture, end_stage("build", BR_RESULT_PASS));
	tell(fixture, write_text("test (py=3.12)", "three\n"));
	tell(fixture, end(BR_RESULT_PASS));
}

static struct br_log_reader *open_reader(const struct fixture *fixture)
{
	struct br_log_reader *reader = NULL;
	struct br_err err = { 0 };

	assert_true(br_log_reader_open(
		fixture->folder, BUILD, true, &reader, &err));
	return reader;
}

/* Read on, and check that events come in order. Gives how many came. */
static size_t read_on(struct br_log_reader *reader, uint64_t *last_seq)
{
	const struct br_event *event;
	size_t count = 0;

	while ((event = br_log_reader_next(reader)) != NULL) {
		assert_true(event->seq > *last_seq);
		*last_seq = event->seq;
		count++;
	}
	return count;
}

static void load(
	const struct fixture *fixture, const char *suffix, struct br_buf *text)
{
	br_autofree char *path = br_log_path(fixture->folder, BUILD, suffix);
	struct br_err err = { 0 };

	assert_true(br_file_load(path, 1 << 20, text, &err));
}

static void replace(const struct fixture *fixture, const char *suffix,
	const char *data, size_t len)
{
	br_autofree char *path = br_log_path(fixture->folder, BUILD, suffix);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static size_t count_lines(const char *data, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += data[i] == '\n';
	return count;
}

static void a_reader_puts_events_and_output_together_again(void **state)
{
	static const enum br_event_type types[] = {
		BR_EVENT_BUILD_STARTED,
		BR_EVENT_OUTPUT,
		BR_EVENT_OUTPUT,
		BR_EVENT_STEP_FINISHED,
		BR_EVENT_STAGE_FINISHED,
		BR_EVENT_OUTPUT,
		BR_EVENT_BUILD_FINISHED,
	};
	struct fixture *fixture = *state;

	tell_a_build(fixture);

	struct br_log_reader *reader = open_reader(fixture);

	for (size_t i = 0; i < 7; i++) {
		const struct br_event *event = br_log_reader_next(reader);

		assert_non_null(event);
		assert_int_equal(event->type, types[i]);
		assert_int_equal(event->seq, i + 1);
	}
	assert_null(br_log_reader_next(reader));
	assert_int_equal(br_log_reader_unreadable(reader), 0);
	assert_string_equal(br_log_reader_header(reader)->branch, "main");
	br_log_reader_free(reader);
}

static void a_log_cut_at_any_byte_gives_what_is_whole(void **state)
{
	static const char *const suffixes[] = { BR_LOG_SUFFIX,
		BR_LOG_OUTPUT_SUFFIX };
	struct fixture *fixture = *state;

	tell_a_build(fixture);
	for (size_t i = 0; i < 2; i++) {
		br_autobuf struct br_buf text = { 0 };
		/* Of the other file, without the header. */
		size_t others = i == 0 ? 3 : 4;

		load(fixture, suffixes[i], &text);
		for (size_t cut = 0; cut <= text.len; cut++) {
			size_t lines = count_lines(text.data, cut);
			uint64_t last_seq = 0;

			replace(fixture, suffixes[i], text.data, cut);

			struct br_log_reader *reader = open_reader(fixture);

			if (i == 0 && lines > 0)
				lines--;
			assert_int_equal(
				read_on(reader, &last_seq), lines + others);
			assert_int_equal(br_log_reader_unreadable(reader), 0);
			br_log_reader_free(reader);
		}
	}
}

static void what_is_no_event_is_passed_over_and_counted(void **state)
{
	struct fixture *fixture = *state;
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf noise = { 0 };
	uint64_t last_seq = 0;

	tell_a_build(fixture);
	load(fixture, BR_LOG_SUFFIX, &text);
	br_buf_add(&noise, "\0\0\0\0\n\xff\xfe{\n\n{}\nnull\n[1]\n", 22);
	/* A line longer than any event. */
	for (int i = 0; i < 5 * 1024; i++) {
		char block[1024];

		memset(block, i % 2 ? 'x' : '\0', sizeof(block));
		br_buf_add(&noise, block, sizeof(block));
	}
	br_buf_add_char(&noise, '\n');
	br_buf_add(&noise, text.data, text.len);
	/* An event of another build. */
	br_buf_add_text(&noise,
		"{\"v\":1,\"seq\":9,\"try\":1,\"ts\":"
		"\"2026-11-21T02:30:00.123456Z\",\"build\":"
		"\"0192f0c1-2b3c-7d4e-8f50-617283940009\",\"type\":\"notice\","
		"\"level\":\"info\",\"text\":\"x\"}\n");
	replace(fixture, BR_LOG_SUFFIX, noise.data, noise.len);

	struct br_log_reader *reader = open_reader(fixture);

	assert_int_equal(read_on(reader, &last_seq), 7);
	/* Without the empty line and the long one, with the header in its midst. */
	assert_int_equal(br_log_reader_unreadable(reader), 7);
	br_log_reader_free(reader);
}

static void what_is_written_while_it_is_read_comes_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct br_log_reader *reader = open_reader(fixture);
	uint64_t last_seq = 0;
	size_t count = 0;

	srand(7);
	for (int i = 0; i < 2000; i++) {
		if (rand() % 3 == 0)
			tell(fixture, end_step("build"));
		else
			tell(fixture, write_text("build", "text\n"));
		if (rand() % 5 == 0)
			count += read_on(reader, &last_seq);
	}
	count += read_on(reader, &last_seq);
	assert_int_equal(count, 2000);
	br_log_reader_free(reader);
}

/* A step that writes `count` pieces of 1 KiB, and a last word. */
static void tell_much(struct fixture *fixture, const char *stage, int count)
{
	char text[1025];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < count; i++)
		tell(fixture, write_text(stage, text));
	tell(fixture, write_text(stage, "the last word"));
	tell(fixture, end_step(stage));
}

static void of_output_beyond_the_limit_the_end_of_each_step_is_kept(
	void **state)
{
	struct fixture *fixture = *state;
	br_autobuf struct br_buf text = { 0 };
	const struct br_event *event;
	uint64_t last_seq = 0;
	size_t notices = 0;
	size_t words = 0;
	size_t gaps = 0;

	br_log_close(fixture->log);
	fixture->log = open_log(BUILD, INT64_C(2097152));
	tell_much(fixture, "build", 1000);
	tell_much(fixture, "test", 100);
	load(fixture, BR_LOG_OUTPUT_SUFFIX, &text);
	assert_true(text.len <= 524288);

	struct br_log_reader *reader = open_reader(fixture);

	while ((event = br_log_reader_next(reader)) != NULL) {
		assert_true(event->seq > last_seq);
		gaps += event->seq > last_seq + 1;
		last_seq = event->seq;
		notices += event->type == BR_EVENT_NOTICE;
		words += event->type == BR_EVENT_OUTPUT &&
			br_str_is(event->output.data, "the last word");
	}
	/* Where it is cut, and what each step wrote beyond its end. */
	assert_int_equal(notices, 3);
	assert_int_equal(words, 2);
	assert_int_equal(gaps, 2);
	assert_int_equal(last_seq, fixture->seq);
	br_log_reader_free(reader);
}

static void a_log_takes_no_more_than_its_limit(void **state)
{
	struct fixture *fixture = *state;
	br_autobuf struct br_buf text = { 0 };

	br_log_close(fixture->log);
	fixture->log = open_log(BUILD, INT64_C(1048576));
	for (int i = 0; i < 20; i++)
		tell_much(fixture, "build", 100);
	load(fixture, BR_LOG_OUTPUT_SUFFIX, &text);
	assert_true(text.len > 200000 && text.len <= 262144);
	/* It may be shut, but is whole. */
	assert_int_equal(text.data[text.len - 1], '\n');
}

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
		(void)open_log(build, BR_LOG_SIZE_BYTES);
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

static enum br_log_state state_of(const struct fixture *fixture)
{
	struct br_log_builds builds = { 0 };
	struct br_err err = { 0 };

	assert_true(br_log_builds_load(fixture->folder, &builds, &err));
	assert_int_equal(builds.count, 1);

	enum br_log_state state = builds.items[0].state;

	br_log_builds_done(&builds);
	return state;
}

static void a_build_runs_until_its_process_is_gone(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, start());
	br_log_close(fixture->log);
	fixture->log = NULL;
	assert_int_equal(state_of(fixture), BR_LOG_UNFINISHED);

	pid_t pid = start_build(BUILD);

	assert_int_equal(state_of(fixture), BR_LOG_RUNNING);
	end_build(pid);
	assert_int_equal(state_of(fixture), BR_LOG_UNFINISHED);
	fixture->log = open_log(BUILD, BR_LOG_SIZE_BYTES);
	tell(fixture, end(BR_RESULT_CANCELLED));
	assert_int_equal(state_of(fixture), BR_LOG_FINISHED);
}

/* Logs of other builds: `0192f0c1-2b3c-7d4e-8f50-61728394000N`. */
static char *id_of(int number)
{
	return br_format("%.*s%d", (int)sizeof(BUILD) - 2, BUILD, number);
}

static void beyond_the_size_the_oldest_go_but_not_what_runs(void **state)
{
	struct fixture *fixture = *state;
	struct br_log_files files = { 0 };
	br_autofree char *running = id_of(1);
	pid_t pid = start_build(running);

	tell_much(fixture, "build", 400);
	for (int i = 2; i < 6; i++) {
		br_autofree char *id = id_of(i);

		br_log_close(fixture->log);
		fixture->log = open_log(id, BR_LOG_SIZE_BYTES);
		tell_much(fixture, "build", 400);
	}
	br_log_close(fixture->log);
	/* It makes room for itself, and the next one does for it. */
	fixture->log = open_log(BUILD, 1024000);
	assert_true(br_log_files_load(fixture->folder, &files));
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
	struct fixture *fixture = *state;
	struct br_log_builds builds = { 0 };
	struct br_err err = { 0 };

	br_log_close(open_log(
		"0193f0c1-2b3c-7d4e-8f50-617283940000", BR_LOG_SIZE_BYTES));
	br_log_close(open_log(
		"0193f0c1-2b3d-7d4e-8f50-617283940000", BR_LOG_SIZE_BYTES));
	assert_true(br_log_builds_load(fixture->folder, &builds, &err));
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
	struct fixture *fixture = *state;
	struct br_log_builds builds = { 0 };
	struct br_err err = { 0 };

	tell(fixture, start());
	tell(fixture, end(BR_RESULT_FAIL));
	/* What is no log, or not to be followed, is none. */
	folder_write(fixture->folder, "notes.txt", 0600, "");
	br_autofree char *link = br_path_join(fixture->folder,
		"0193f0c1-2b3c-7d4e-8f50-617283940000" BR_LOG_SUFFIX);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_true(br_log_builds_load(fixture->folder, &builds, &err));
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
	struct fixture *fixture = *state;
	struct br_log_stages stages = { 0 };
	struct br_err err = { 0 };

	tell(fixture, start());
	tell(fixture, end_stage("build", BR_RESULT_FAIL));
	tell(fixture, end_stage("build", BR_RESULT_PASS));
	tell(fixture, end_stage("test (py=3.12)", BR_RESULT_FAIL));
	assert_true(br_log_stages_load(fixture->folder, BUILD, &stages, &err));
	assert_int_equal(stages.names.count, 2);
	assert_int_equal(stages.failed.count, 1);
	assert_string_equal(stages.failed.items[0], "test (py=3.12)");
	br_log_stages_done(&stages);
}

static void logs_without_output_and_header_are_read_as_well(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *output =
		br_log_path(fixture->folder, BUILD, BR_LOG_OUTPUT_SUFFIX);
	br_autobuf struct br_buf text = { 0 };
	uint64_t last_seq = 0;

	tell_a_build(fixture);
	load(fixture, BR_LOG_SUFFIX, &text);

	size_t header = strcspn(text.data, "\n") + 1;

	replace(fixture, BR_LOG_SUFFIX, text.data + header, text.len - header);
	assert_int_equal(unlink(output), 0);

	struct br_log_reader *reader = open_reader(fixture);

	assert_int_equal(read_on(reader, &last_seq), 4);
	assert_int_equal(br_log_reader_unreadable(reader), 0);
	assert_null(br_log_reader_header(reader)->branch);
	br_log_reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_reader_puts_events_and_output_together_again),
		TEST(a_log_cut_at_any_byte_gives_what_is_whole),
		TEST(what_is_no_event_is_passed_over_and_counted),
		TEST(what_is_written_while_it_is_read_comes_in_order),
		TEST(of_output_beyond_the_limit_the_end_of_each_step_is_kept),
		TEST(a_log_takes_no_more_than_its_limit),
		TEST(a_build_runs_until_its_process_is_gone),
		TEST(beyond_the_size_the_oldest_go_but_not_what_runs),
		TEST(a_build_is_named_by_its_number_or_any_start_that_is_its_own),
		TEST(a_list_knows_how_each_build_ended_and_when),
		TEST(of_a_stage_that_is_tried_again_the_last_end_counts),
		TEST(logs_without_output_and_header_are_read_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
