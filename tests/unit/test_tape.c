/* SPDX-License-Identifier: MIT */
/*
 * What a stage says, recorded and said again.
 *
 * Planted bugs that these tests were seen to catch: the names of then, a step that the stage does
 * not have any more, a byte that is not UTF-8 lost, a secret shown that was none when it was
 * recorded, a tape that is too long kept, one that cannot be written taken for whole.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "run/tape.h"
#include "tests/support/folder.h"
#include "tests/unit/planned.h"

/* Takes events down in short. */
struct listener {
	struct br_sink sink;
	struct br_buf heard;
};

static bool hear(
	struct br_sink *sink, const struct br_event *event, struct br_err *err)
{
	struct listener *listener = (struct listener *)sink;
	struct br_buf *heard = &listener->heard;

	(void)err;
	if (event->type == BR_EVENT_STEP_STARTED)
		br_buf_addf(heard, "[%s %d %s:%d]", event->step_started.stage,
			(int)event->step_started.step,
			event->step_started.command,
			(int)event->step_started.line);
	else if (event->type == BR_EVENT_STEP_FINISHED)
		br_buf_addf(heard, "[%d=%d]", (int)event->step_finished.step,
			(int)event->step_finished.status);
	else if (event->type == BR_EVENT_OUTPUT) {
		br_buf_addf(heard, "<%d>", (int)event->output.stream);
		br_buf_add(
			heard, event->output.data.data, event->output.data.len);
	}
	return true;
}

struct fixture {
	char *folder;
	struct planned planned;
	struct listener listener;
	struct br_bus bus;
	struct br_emitter emitter;
	struct br_tape tape;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->folder = folder_make();
	planned_must(&fixture->planned,
		"image: image:1\n"
		"stages: [now]\n"
		"now: {inputs: [], script: [first, second]}\n");
	fixture->listener.sink.handle = hear;
	fixture->bus.attempt = 1;
	(void)snprintf(fixture->bus.build, sizeof(fixture->bus.build),
		"01a21704-9d3f-7771-bca1-99b03d3fd19e");
	fixture->emitter.bus = &fixture->bus;
	br_bus_add(&fixture->bus, &fixture->listener.sink);
	br_tape_open(fixture->folder, &fixture->tape);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	br_tape_close(&fixture->tape);
	br_buf_done(&fixture->listener.heard);
	br_mask_free(fixture->emitter.mask);
	planned_done(&fixture->planned);
	folder_remove(fixture->folder);
	free(fixture);
	return 0;
}

static void start(struct fixture *fixture, int step)
{
	struct br_event event = {
		.type = BR_EVENT_STEP_STARTED,
		.step_started = { .stage = "then",
			.step = step,
			.command = "old",
			.line = 99 },
	};

	br_emit_taped(&fixture->emitter, &fixture->tape, &event);
}

static void say(struct fixture *fixture, int step, enum br_stream stream,
	struct br_str data)
{
	struct br_event event = {
		.type = BR_EVENT_OUTPUT,
		.output = { .stage = "then",
			.step = step,
			.stream = stream,
			.data = data },
	};

	br_emit_taped(&fixture->emitter, &fixture->tape, &event);
}

static void finish(struct fixture *fixture, int step)
{
	struct br_event event = {
		.type = BR_EVENT_STEP_FINISHED,
		.step_finished = { .stage = "then", .step = step },
	};

	br_emit_taped(&fixture->emitter, &fixture->tape, &event);
}

static void play(struct fixture *fixture)
{
	enum { TAPE_BYTES = 1024 * 1024 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	assert_true(br_tape_flush(&fixture->tape, &err));
	assert_int_equal(lseek(fixture->tape.fd, 0, SEEK_SET), 0);
	assert_int_equal(read(fixture->tape.fd, br_buf_room(&bytes, TAPE_BYTES),
				 TAPE_BYTES),
		fixture->tape.size_bytes);
	br_buf_grew(&bytes, (size_t)fixture->tape.size_bytes);
	br_buf_clear(&fixture->listener.heard);
	br_tape_play(br_buf_str(&bytes),
		planned_stage(&fixture->planned, "now"), &fixture->emitter);
}

static void says_the_same_as_the_stage_of_today(void **state)
{
	struct fixture *fixture = *state;
	struct br_event other = {
		.type = BR_EVENT_STAGE_STARTED,
		.stage_started = { .stage = "then" },
	};

	br_emit_taped(&fixture->emitter, &fixture->tape, &other);
	start(fixture, 1);
	say(fixture, 1, BR_STREAM_STDOUT, br_str("out"));
	say(fixture, 1, BR_STREAM_STDERR, br_str("\377 err\n"));
	finish(fixture, 1);
	start(fixture, 2);
	finish(fixture, 2);
	play(fixture);
	assert_string_equal(br_buf_text(&fixture->listener.heard),
		"[now 1 first:3]<0>out<1>\377 err\n[1=0][now 2 second:3][2=0]");
}

static void leaves_out_what_the_stage_does_not_have(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, 3);
	say(fixture, 0, BR_STREAM_STDOUT, br_str("never"));
	br_buf_add_text(&fixture->tape.lines, "no JSON\n{\"v\":1}\n\n");
	start(fixture, 2);
	play(fixture);
	assert_string_equal(
		br_buf_text(&fixture->listener.heard), "[now 2 second:3]");
}

static void masks_what_has_become_a_secret(void **state)
{
	struct fixture *fixture = *state;
	const struct br_str secret = br_str("hunter2");

	start(fixture, 1);
	say(fixture, 1, BR_STREAM_STDOUT, br_str("a hunter2\nhun"));
	say(fixture, 1, BR_STREAM_STDOUT, br_str("ter2\nhun"));
	say(fixture, 1, BR_STREAM_STDERR, br_str("ter2\n"));
	finish(fixture, 1);
	fixture->emitter.mask = br_mask_new(&secret, 1);
	play(fixture);
	assert_null(strstr(br_buf_text(&fixture->listener.heard), "hunter2"));
	assert_string_equal(br_buf_text(&fixture->listener.heard),
		"[now 1 first:3]<0>a ***\n<0>***\n<0>hun<1>ter2\n[1=0]");
}

static void one_that_is_too_long_is_not_whole(void **state)
{
	enum { PIECE_BYTES = 1024 * 1024 };
	struct fixture *fixture = *state;
	br_autofree char *piece = br_alloc(PIECE_BYTES);
	struct br_err err = { 0 };

	memset(piece, 'x', PIECE_BYTES);
	for (int i = 0; i <= BR_LIMIT_STORED_LOG_BYTES / PIECE_BYTES; i++)
		say(fixture, 1, BR_STREAM_STDOUT,
			(struct br_str){ piece, PIECE_BYTES });
	assert_false(br_tape_flush(&fixture->tape, &err));
	assert_non_null(strstr(err.text, "what it has said is more than"));
	assert_true(fixture->tape.size_bytes <=
		BR_LIMIT_STORED_LOG_BYTES + 2 * PIECE_BYTES);
}

static void one_that_cannot_be_written_is_not_whole(void **state)
{
	struct fixture *fixture = *state;
	struct br_tape none = BR_TAPE_CLOSED;
	struct br_err err = { 0 };

	assert_false(br_tape_flush(&none, &err));
	br_tape_open("/nowhere/at/all", &none);
	start(fixture, 1);
	assert_false(br_tape_flush(&none, &err));
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	br_tape_close(&none);

	int full = open("/dev/full", O_WRONLY);
	assert_int_equal(dup2(full, fixture->tape.fd), fixture->tape.fd);
	(void)close(full);
	assert_false(br_tape_flush(&fixture->tape, &err));
	/* Nor is what is added afterwards. */
	start(fixture, 2);
	assert_false(br_tape_flush(&fixture->tape, &err));
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(says_the_same_as_the_stage_of_today),
		TEST(leaves_out_what_the_stage_does_not_have),
		TEST(masks_what_has_become_a_secret),
		TEST(one_that_is_too_long_is_not_whole),
		TEST(one_that_cannot_be_written_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
