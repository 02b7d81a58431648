/* SPDX-License-Identifier: MIT */
/* What the goldens of tests/view cannot show: when, how much, and failures. */
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "view/view.h"

enum { SHOWN_MAX_BYTES = 1024 * 1024 };

/* A view that writes into memory. */
struct screen {
	int out_fd;
	int err_fd;
	struct br_sink *view;
};

static struct screen open_screen(int out_fd, int err_fd)
{
	struct br_view_options options = {
		.out_fd = out_fd,
		.err_fd = err_fd,
	};

	return (struct screen){ out_fd, err_fd, br_plain_new(&options) };
}

static int open_memory(void)
{
	int fd = memfd_create("screen", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void close_screen(struct screen *screen)
{
	br_view_free(screen->view);
	(void)close(screen->out_fd);
	(void)close(screen->err_fd);
}

static bool write_output(
	struct br_sink *view, const char *data, size_t len, struct br_err *err)
{
	struct br_event event = {
		.type = BR_EVENT_OUTPUT,
		.output = { .stage = "s", .step = 1, .data = { data, len } },
	};

	return br_sink_handle(view, &event, err);
}

static bool write_notice(struct br_sink *view, struct br_err *err)
{
	struct br_event event = {
		.type = BR_EVENT_NOTICE,
		.notice = { .text = "hear, hear" },
	};

	return br_sink_handle(view, &event, err);
}

/* All that has been written so far. */
static struct br_str shown(int fd, char *text)
{
	ssize_t len = pread(fd, text, SHOWN_MAX_BYTES, 0);

	assert_true(len >= 0);
	return (struct br_str){ text, (size_t)len };
}

static void assert_shown(int fd, const char *expected)
{
	char *text = br_alloc(SHOWN_MAX_BYTES + 1);

	(void)shown(fd, text);
	assert_string_equal(text, expected);
	free(text);
}

static void a_line_is_kept_back_until_its_end_or_a_flush(void **state)
{
	struct screen screen = open_screen(open_memory(), open_memory());
	struct br_err err = { 0 };

	(void)state;
	assert_true(write_output(screen.view, "Name: ", 6, &err));
	assert_shown(screen.out_fd, "");
	assert_true(br_sink_flush(screen.view, &err));
	assert_shown(screen.out_fd, "s | Name: ");
	assert_true(write_output(screen.view, "Ann", 3, &err));
	assert_shown(screen.out_fd, "s | Name: ");
	assert_true(write_output(screen.view, "\n", 1, &err));
	assert_shown(screen.out_fd, "s | Name: Ann\n");
	close_screen(&screen);
}

static void no_more_than_64_kib_are_kept_back(void **state)
{
	struct screen screen = open_screen(open_memory(), open_memory());
	char *text = br_alloc(SHOWN_MAX_BYTES);
	char data[4096];
	struct br_err err = { 0 };

	(void)state;
	memset(data, 'x', sizeof(data));
	for (size_t i = 0; i < 16; i++)
		assert_true(
			write_output(screen.view, data, sizeof(data), &err));
	assert_int_equal(shown(screen.out_fd, text).len, 0);
	assert_true(write_output(screen.view, "y", 1, &err));
	assert_int_equal(shown(screen.out_fd, text).len, 4 + 65536 + 1);
	free(text);
	close_screen(&screen);
}

static void what_is_kept_back_is_written_when_the_view_is_freed(void **state)
{
	struct screen screen = open_screen(open_memory(), open_memory());
	struct br_err err = { 0 };

	(void)state;
	assert_true(write_output(screen.view, "cut", 3, &err));
	br_view_free(screen.view);
	screen.view = NULL;
	assert_shown(screen.out_fd, "s | cut\n");
	close_screen(&screen);
}

/* A small generator, so that a failure can be seen again. */
static size_t next_random(uint32_t *seed, size_t below)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 8) % below;
}

static void fill_random(char *data, size_t len, uint32_t *seed)
{
	for (size_t i = 0; i < len; i++) {
		size_t pick = next_random(seed, 300);

		data[i] = '\n';
		if (pick < 256)
			data[i] = (char)pick;
	}
}

static void any_cut_of_the_output_gives_the_same_bytes(void **state)
{
	enum { DATA_BYTES = 300000 };
	struct screen whole = open_screen(open_memory(), open_memory());
	struct screen cut = open_screen(open_memory(), open_memory());
	char *data = br_alloc(DATA_BYTES);
	char *texts[2] = { br_alloc(SHOWN_MAX_BYTES),
		br_alloc(SHOWN_MAX_BYTES) };
	struct br_err err = { 0 };
	uint32_t seed = 20260101;

	(void)state;
	fill_random(data, DATA_BYTES, &seed);
	/* A line that is not kept back, nor put together with others. */
	memset(data + 50000, 'x', 200000);
	assert_true(write_output(whole.view, data, DATA_BYTES, &err));
	for (size_t at = 0; at < DATA_BYTES;) {
		size_t max = next_random(&seed, 2) ? 5 : 70000;
		size_t len = next_random(&seed, max);

		if (len > DATA_BYTES - at)
			len = DATA_BYTES - at;
		assert_true(write_output(cut.view, data + at, len, &err));
		at += len;
	}
	assert_true(br_sink_flush(whole.view, &err));
	assert_true(br_sink_flush(cut.view, &err));

	struct br_str all = shown(whole.out_fd, texts[0]);
	struct br_str pieces = shown(cut.out_fd, texts[1]);

	assert_true(all.len > DATA_BYTES);
	assert_true(br_str_equal(all, pieces));
	free(data);
	free(texts[0]);
	free(texts[1]);
	close_screen(&whole);
	close_screen(&cut);
}

/* A pipe that nobody reads. */
static int open_broken_pipe(void)
{
	int ends[2];

	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	return ends[1];
}

static void a_stdout_that_nobody_reads_is_a_failure(void **state)
{
	struct screen screen = open_screen(open_broken_pipe(), open_memory());
	struct br_err err = { 0 };

	(void)state;
	assert_true(write_output(screen.view, "kept back, ", 11, &err));
	assert_false(write_output(screen.view, "x\nand more", 10, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_string_equal(err.text, "write to stdout: Broken pipe");
	close_screen(&screen);
}

static void a_stderr_that_nobody_reads_is_not(void **state)
{
	struct screen screen = open_screen(open_memory(), open_broken_pipe());
	struct br_err err = { 0 };

	(void)state;
	assert_true(write_notice(screen.view, &err));
	assert_true(write_output(screen.view, "x\n", 2, &err));
	assert_shown(screen.out_fd, "s | x\n");
	close_screen(&screen);
}

static void a_stderr_that_is_stdout_too_is_a_failure(void **state)
{
	int fd = open_broken_pipe();
	struct screen screen = open_screen(fd, dup(fd));
	struct br_err err = { 0 };

	(void)state;
	assert_false(write_notice(screen.view, &err));
	assert_string_equal(err.text, "write to stdout: Broken pipe");
	close_screen(&screen);
}

static void a_command_may_be_changed_after_the_view_was_made(void **state)
{
	char command[] = "buildr -f a.yml";
	struct br_view_options options = {
		.out_fd = open_memory(),
		.err_fd = open_memory(),
		.command = command,
	};
	struct screen screen = { options.out_fd, options.err_fd,
		br_quiet_new(&options) };
	struct br_event events[] = {
		{ .type = BR_EVENT_STAGE_STARTED,
			.stage_started = { .stage = "-s", .image = "i" } },
		{ .type = BR_EVENT_STAGE_FINISHED,
			.stage_finished = { .stage = "-s",
				.result = BR_RESULT_FAIL,
				.reason = BR_REASON_OUTPUTS } },
		{ .type = BR_EVENT_BUILD_FINISHED,
			.build_finished = { .result = BR_RESULT_FAIL } },
	};
	struct br_err err = { 0 };

	(void)state;
	memset(command, 'x', sizeof(command) - 1);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		assert_true(br_sink_handle(screen.view, &events[i], &err));
	assert_shown(screen.err_fd,
		"FAILED -s, after 0.00 s: an output is missing or wrong\n"
		"  again: buildr -f a.yml --only -s\n\n"
		"failed in 0.00 s\n");
	close_screen(&screen);
}

static void lines_begin_at_the_left_of_a_raw_terminal(void **state)
{
	static const char expected[] =
		"\r\ninfo: hear, hear\r\ninfo: hear, hear\n";
	char shown[256] = { 0 };
	int ours = -1;
	int theirs = -1;
	struct termios raw = { 0 };
	struct br_err err = { 0 };

	(void)state;
	cfmakeraw(&raw);
	assert_int_equal(openpty(&ours, &theirs, NULL, &raw, NULL), 0);
	struct screen screen = open_screen(open_memory(), theirs);
	br_view_pause(screen.view, true);
	assert_true(write_notice(screen.view, &err));
	br_view_pause(screen.view, false);
	assert_true(write_notice(screen.view, &err));
	/* A terminal hands on what it has: one of the two, or both. */
	for (size_t len = 0; len < strlen(expected);) {
		ssize_t n = read(ours, shown + len, sizeof(shown) - 1 - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_string_equal(shown, expected);
	close_screen(&screen);
	(void)close(ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_kept_back_until_its_end_or_a_flush),
		cmocka_unit_test(no_more_than_64_kib_are_kept_back),
		cmocka_unit_test(
			what_is_kept_back_is_written_when_the_view_is_freed),
		cmocka_unit_test(any_cut_of_the_output_gives_the_same_bytes),
		cmocka_unit_test(a_stdout_that_nobody_reads_is_a_failure),
		cmocka_unit_test(a_stderr_that_nobody_reads_is_not),
		cmocka_unit_test(a_stderr_that_is_stdout_too_is_a_failure),
		cmocka_unit_test(
			a_command_may_be_changed_after_the_view_was_made),
		cmocka_unit_test(lines_begin_at_the_left_of_a_raw_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
