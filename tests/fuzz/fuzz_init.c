/* SPDX-License-Identifier: MIT */
/*
 * buildr-init's end of the wire: frames in any cut, and the payloads of STAGE,
 * SETUP, STOP, INPUT and RESIZE. What was decoded is looked at to its last byte, so that a string
 * without its NUL or a list without its NULL is found.
 */
#include <stdlib.h>
#include <string.h>

#include "init/id_map.h"
#include "init/inbox.h"
#include "init/input.h"
#include "init/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that were seen, so that looking is not optimised away. */
struct seen {
	size_t bytes;
	size_t frames;
	/* Nobody takes what it holds. */
	struct input input;
};

static void look_at_list(struct seen *seen, char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		seen->bytes += strlen(list[i]);
}

static bool look_at_stage(struct seen *seen, uint8_t *payload, size_t len)
{
	struct stage_spec spec = { 0 };

	if (!stage_spec_decode(payload, len, &spec))
		return false;
	look_at_list(seen, spec.environment);
	look_at_list(seen, spec.shell);
	for (size_t i = 0; i < spec.step_count; i++) {
		look_at_list(seen, spec.steps[i].argv);
		seen->bytes += spec.steps[i].port + spec.steps[i].is_local;
	}
	if (spec.workdir)
		seen->bytes += strlen(spec.workdir);
	if (spec.user)
		seen->bytes += strlen(spec.user);
	seen->bytes += spec.has_tty;
	seen->bytes += spec.columns;
	seen->bytes += spec.rows;
	/* What is typed goes to a program, which must be there. */
	if (spec.has_input)
		seen->bytes += strlen(spec.steps[0].argv[0]);
	for (size_t i = 0; i < spec.script_len; i++)
		seen->bytes += spec.script[i] != 0;
	stage_spec_done(&spec);
	return true;
}

static bool look_at_setup(struct seen *seen, uint8_t *payload, size_t len)
{
	struct setup_spec spec = { 0 };

	if (!setup_spec_decode(payload, len, &spec))
		return false;
	if (spec.path)
		seen->bytes += strlen(spec.path) +
			id_map_find(spec.path, spec.uid) % 2;
	return true;
}

static bool look(void *ctx, const struct br_frame *frame, uint8_t **payload)
{
	struct seen *seen = ctx;
	uint64_t grace_ms = 0;
	uint16_t size[2] = { 0 };

	seen->frames++;
	if (frame->type == BR_FRAME_INPUT)
		return input_feed(&seen->input, *payload, frame->len);
	if (frame->type == BR_FRAME_RESIZE)
		return resize_decode(*payload, frame->len, &size[0], &size[1]);
	if (frame->type == BR_FRAME_STAGE)
		return look_at_stage(seen, *payload, frame->len);
	if (frame->type == BR_FRAME_SETUP)
		return look_at_setup(seen, *payload, frame->len);
	return stop_grace_decode(*payload, frame->len, &grace_ms);
}

static struct seen run(const uint8_t *data, size_t size, size_t cut, bool *ok)
{
	struct inbox inbox = { 0 };
	struct seen seen = { 0 };

	input_open_terminal(&seen.input, -1);
	*ok = inbox_feed(&inbox, data, cut, look, &seen) &&
		inbox_feed(&inbox, data + cut, size - cut, look, &seen);
	inbox_done(&inbox);
	seen.bytes += seen.input.len + seen.input.has_ended;
	input_close(&seen.input);
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;

	bool is_whole_good;
	bool is_cut_good;
	size_t rest = size - 1;
	struct seen whole = run(data + 1, rest, 0, &is_whole_good);
	struct seen cut =
		run(data + 1, rest, data[0] % (rest + 1), &is_cut_good);

	if (is_whole_good != is_cut_good || whole.bytes != cut.bytes ||
		whole.frames != cut.frames)
		abort();
	return 0;
}
