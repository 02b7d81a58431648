/* SPDX-License-Identifier: MIT */
/* Much output, byte for byte, with a reader of any speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "peer.h"
#include "tests/support/folder.h"

enum {
	MEBIBYTE = 1024 * 1024,
	SIZE_BYTES = 64 * MEBIBYTE,
};

#define STEPS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A file of bytes 0, 1, … 255, 0, 1, … */
static void make_file(const char *folder)
{
	br_autobuf struct br_buf content = { 0 };
	br_autofree char *path = br_path_join(folder, "bytes");
	struct br_err err = { 0 };

	for (int i = 0; i < MEBIBYTE; i++)
		br_buf_add_char(&content, (char)i);
	if (!br_file_save_new(path, 0644, content.data, content.len, &err))
		fail_msg("%s", err.text);
}

static void pass_64_mebibytes(bool is_stdio)
{
	const struct peer_options options = { .is_stdio = is_stdio };
	struct peer peer;
	char *folder = folder_make();
	br_autofree char *step = br_format(
		"i=0; while [ $i -lt 64 ]; do cat %s/bytes; i=$((i+1)); done",
		folder);

	make_file(folder);
	peer_open(&peer, &options);
	peer.is_counting = true;
	peer_start(&peer, 1, STEPS(step));
	peer_run_until_over(&peer, 1);
	assert_int_equal(peer.output_bytes, SIZE_BYTES);
	assert_int_equal(peer.wrong_bytes, 0);
	assert_in_range(peer_init_peak_kib(&peer), 1, INIT_MAX_KIB);
	peer_close(&peer);
	folder_remove(folder);
}

static void passes_64_mebibytes_over_the_socket(void **state)
{
	(void)state;
	pass_64_mebibytes(false);
}

static void passes_64_mebibytes_over_stdio(void **state)
{
	(void)state;
	pass_64_mebibytes(true);
}

/* Write one byte at a time, so that every read is a short one. */
static void passes_output_in_tiny_pieces(void **state)
{
	const struct peer_options plain = { 0 };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1,
		STEPS("i=0; while [ $i -lt 20000 ]; do echo; i=$((i+1)); done; "
		      "echo end"));
	peer_run_until_over(&peer, 1);
	assert_int_equal(strspn(br_buf_text(&peer.log) + 4, "\n"), 20000);
	assert_non_null(strstr(br_buf_text(&peer.log), "\nend\n>1.1=0#1=0"));
	peer_close(&peer);
}

static void stops_a_step_that_writes_without_end(void **state)
{
	const struct peer_options plain = { 0 };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer.is_counting = true;
	peer_start(&peer, 1, STEPS("cat /dev/zero"));
	while (peer.output_bytes < SIZE_BYTES)
		peer_work(&peer);
	br_session_stop(peer.session, 1, 0);
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log), "<1.1>1.1=137#1=137");
	assert_in_range(peer_init_peak_kib(&peer), 1, INIT_MAX_KIB);
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_64_mebibytes_over_the_socket),
		cmocka_unit_test(passes_64_mebibytes_over_stdio),
		cmocka_unit_test(passes_output_in_tiny_pieces),
		cmocka_unit_test(stops_a_step_that_writes_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
