/* SPDX-License-Identifier: MIT */
#include "run/emit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "run/tape.h"

/* The most texts that an event of the table has. */
enum { TEXTS_MAX = 8 };

/* Replace each text of `event` by its masked form, kept in `texts`. */
static void mask_texts(const struct br_mask *mask, struct br_event *event,
	struct br_buf texts[TEXTS_MAX])
{
	const struct br_event_desc *desc = &br_event_descs[event->type];
	size_t used = 0;

	for (size_t i = 0; i < desc->field_count && used < TEXTS_MAX; i++) {
		const struct br_event_field *field = &desc->fields[i];
		const char *text = NULL;

		if (field->kind != BR_FIELD_STRING)
			continue;

		char *member = (char *)event + field->offset;
		memcpy(&text, member, sizeof(text));
		if (!text)
			continue;
		br_mask_text(mask, br_str(text), &texts[used]);
		text = br_buf_text(&texts[used++]);
		memcpy(member, &text, sizeof(text));
	}
}

/* The first failure is the one that is told. */
static void fail(struct br_emitter *emitter, const struct br_err *err)
{
	if (!emitter->has_failed)
		emitter->failure = *err;
	emitter->has_failed = true;
}

static void hand_on(struct br_emitter *emitter, struct br_tape *tape,
	struct br_event *event)
{
	struct br_err err = { 0 };

	if (!br_bus_emit(emitter->bus, event, &err))
		fail(emitter, &err);
	if (tape)
		br_tape_add(tape, event);
}

void br_emit_taped(struct br_emitter *emitter, struct br_tape *tape,
	struct br_event *event)
{
	struct br_buf texts[TEXTS_MAX] = { { 0 } };

	if (!emitter->mask) {
		hand_on(emitter, tape, event);
		return;
	}
	mask_texts(emitter->mask, event, texts);
	hand_on(emitter, tape, event);
	for (size_t i = 0; i < TEXTS_MAX; i++)
		br_buf_done(&texts[i]);
}

void br_emit(struct br_emitter *emitter, struct br_event *event)
{
	br_emit_taped(emitter, NULL, event);
}

void br_emit_notice(
	struct br_emitter *emitter, enum br_level level, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	int len = vasprintf(&text, fmt, args);
	va_end(args);

	if (len < 0)
		br_out_of_memory();

	br_autofree char *owned = text;
	struct br_event event = {
		.type = BR_EVENT_NOTICE,
		.notice = { .level = level, .text = owned },
	};
	br_emit(emitter, &event);
}

void br_emit_flush(struct br_emitter *emitter)
{
	struct br_err err = { 0 };

	if (!br_bus_flush(emitter->bus, &err))
		fail(emitter, &err);
}

void br_emit_tick(struct br_emitter *emitter)
{
	struct br_err err = { 0 };

	if (!br_bus_tick(emitter->bus, &err))
		fail(emitter, &err);
}
