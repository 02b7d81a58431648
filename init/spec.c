/* SPDX-License-Identifier: MIT */
#include "init/spec.h"

#include <stdlib.h>
#include <string.h>

#include "init/mem.h"
#include "init/protocol.h"

/* NULL where the value holds a NUL. `base` is the payload that it points into. */
static char *take_text(uint8_t *base, const struct br_field *field)
{
	if (field->len > 0 && memchr(field->value, '\0', field->len))
		return NULL;

	/* The field's value again, but through the pointer that may write. */
	uint8_t *text = base + (field->value - base) - 1;
	memmove(text, text + 1, field->len);
	text[field->len] = '\0';
	return (char *)text;
}

/* How many fields of each kind there are, to make all lists in one go. */
struct counts {
	size_t env;
	size_t shell;
	size_t step;
	size_t arg;
};

static bool is_of_step(uint8_t tag)
{
	return tag == BR_TAG_EXEC_ARG || tag == BR_TAG_PORT ||
		tag == BR_TAG_PORT_IS_LOCAL;
}

static bool count_fields(
	const uint8_t *payload, size_t len, struct counts *counts)
{
	const uint8_t *at = payload;
	struct br_field field;
	bool is_bad;

	while (br_field_next(&at, payload + len, &field, &is_bad)) {
		counts->env += field.tag == BR_TAG_ENV;
		counts->shell += field.tag == BR_TAG_SHELL_ARG;
		counts->step += field.tag == BR_TAG_STEP;
		counts->arg += field.tag == BR_TAG_EXEC_ARG;
		if (is_of_step(field.tag) && counts->step == 0)
			return false;
	}
	return !is_bad;
}

/* Where the next string of each list goes. */
struct cursor {
	char **env;
	char **shell;
	char **arg;
};

/* One list after another in one array, each with a NULL behind it. */
static void make_lists(const struct counts *counts, struct stage_spec *spec,
	struct cursor *next)
{
	size_t slots = counts->env + 1 + counts->shell + 1 + counts->arg +
		counts->step;

	spec->strings = mem_new((slots + 1) * sizeof(*spec->strings));
	spec->steps = mem_new((counts->step + 1) * sizeof(*spec->steps));
	spec->environment = spec->strings;
	spec->shell = spec->environment + counts->env + 1;
	next->env = spec->environment;
	next->shell = spec->shell;
	next->arg = spec->shell + counts->shell + 1;
}

static void add_step(struct stage_spec *spec, struct cursor *next)
{
	/* The NULL of the step before, where it has arguments. */
	if (spec->step_count > 0 && spec->steps[spec->step_count - 1].argv)
		next->arg++;
	spec->step_count++;
}

static void add_arg(struct stage_spec *spec, struct cursor *next, char *text)
{
	struct step_spec *step = &spec->steps[spec->step_count - 1];

	if (!step->argv)
		step->argv = next->arg;
	*next->arg++ = text;
}

static bool take_number(
	const struct br_field *field, uint64_t max, uint64_t *number)
{
	return br_field_number(field, number) && *number <= max;
}

/* How large the value of a field may be. */
static uint64_t most_of(uint8_t tag)
{
	bool is_switch = tag == BR_TAG_TTY || tag == BR_TAG_INPUT ||
		tag == BR_TAG_PORT_IS_LOCAL;

	return is_switch ? 1 : UINT16_MAX;
}

/* A field that is a number; its step, if it is of one, is there. */
static bool take_stage_number(
	const struct br_field *field, struct stage_spec *spec)
{
	uint64_t number;

	if (!take_number(field, most_of(field->tag), &number))
		return false;
	if (field->tag == BR_TAG_PORT)
		spec->steps[spec->step_count - 1].port = (uint16_t)number;
	else if (field->tag == BR_TAG_PORT_IS_LOCAL)
		spec->steps[spec->step_count - 1].is_local = number != 0;
	else if (field->tag == BR_TAG_COLUMNS)
		spec->columns = (uint16_t)number;
	else if (field->tag == BR_TAG_ROWS)
		spec->rows = (uint16_t)number;
	else if (field->tag == BR_TAG_INPUT)
		spec->has_input = number != 0;
	else
		spec->has_tty = number != 0;
	return true;
}

static bool take_stage_field(uint8_t *payload, const struct br_field *field,
	struct stage_spec *spec, struct cursor *next)
{
	char *text = NULL;

	switch (field->tag) {
	case BR_TAG_STEP:
		add_step(spec, next);
		return true;
	case BR_TAG_PORT:
	case BR_TAG_PORT_IS_LOCAL:
	case BR_TAG_TTY:
	case BR_TAG_INPUT:
	case BR_TAG_COLUMNS:
	case BR_TAG_ROWS:
		return take_stage_number(field, spec);
	case BR_TAG_SCRIPT:
		spec->script = field->value;
		spec->script_len = field->len;
		return true;
	case BR_TAG_ENV:
	case BR_TAG_SHELL_ARG:
	case BR_TAG_EXEC_ARG:
	case BR_TAG_WORKDIR:
	case BR_TAG_USER:
	case BR_TAG_HOST_USER:
		text = take_text(payload, field);
		break;
	default:
		return true;
	}

	if (!text)
		return false;
	if (field->tag == BR_TAG_ENV)
		*next->env++ = text;
	else if (field->tag == BR_TAG_SHELL_ARG)
		*next->shell++ = text;
	else if (field->tag == BR_TAG_EXEC_ARG)
		add_arg(spec, next, text);
	else if (field->tag == BR_TAG_WORKDIR)
		spec->workdir = text;
	else
		spec->user = text;
	if (field->tag == BR_TAG_HOST_USER)
		spec->is_host_user = true;
	return true;
}

/*
 * A step is of one kind, those for the shell need one, what is typed goes to one
 * program, a workdir is absolute.
 */
static bool makes_sense(const struct stage_spec *spec)
{
	if (spec->workdir && spec->workdir[0] != '/')
		return false;
	if (spec->has_input && (spec->step_count != 1 || !spec->steps[0].argv))
		return false;
	for (size_t i = 0; i < spec->step_count; i++) {
		const struct step_spec *step = &spec->steps[i];

		if (step->argv && step->port != 0)
			return false;
		if (step_is_for_shell(step) && !spec->shell[0])
			return false;
	}
	return true;
}

bool stage_spec_decode(uint8_t *payload, size_t len, struct stage_spec *spec)
{
	const uint8_t *at = payload;
	struct counts counts = { 0 };
	struct stage_spec made = { 0 };
	struct cursor next;
	struct br_field field;
	bool is_bad;

	if (!count_fields(payload, len, &counts))
		return false;
	make_lists(&counts, &made, &next);
	while (br_field_next(&at, payload + len, &field, &is_bad)) {
		if (!take_stage_field(payload, &field, &made, &next)) {
			stage_spec_done(&made);
			return false;
		}
	}
	if (!makes_sense(&made)) {
		stage_spec_done(&made);
		return false;
	}
	*spec = made;
	return true;
}

void stage_spec_done(struct stage_spec *spec)
{
	free(spec->strings);
	free(spec->steps);
	*spec = (struct stage_spec){ 0 };
}

static bool take_setup_field(
	uint8_t *payload, const struct br_field *field, struct setup_spec *spec)
{
	switch (field->tag) {
	case BR_TAG_VERSION:
		return br_field_number(field, &spec->version);
	case BR_TAG_UID:
		return br_field_number(field, &spec->uid);
	case BR_TAG_GID:
		return br_field_number(field, &spec->gid);
	case BR_TAG_SILENCE_MS:
		return br_field_number(field, &spec->silence_ms);
	case BR_TAG_PATH:
		spec->path = take_text(payload, field);
		return spec->path != NULL;
	default:
		return true;
	}
}

bool setup_spec_decode(uint8_t *payload, size_t len, struct setup_spec *spec)
{
	const uint8_t *at = payload;
	struct setup_spec made = { 0 };
	struct br_field field;
	bool is_bad;

	while (br_field_next(&at, payload + len, &field, &is_bad))
		if (!take_setup_field(payload, &field, &made))
			return false;
	if (is_bad)
		return false;
	*spec = made;
	return true;
}

bool resize_decode(
	const uint8_t *payload, size_t len, uint16_t *columns, uint16_t *rows)
{
	const uint8_t *at = payload;
	uint64_t number = 0;
	struct br_field field;
	bool is_bad;

	*columns = 0;
	*rows = 0;
	while (br_field_next(&at, payload + len, &field, &is_bad)) {
		if (field.tag != BR_TAG_COLUMNS && field.tag != BR_TAG_ROWS)
			continue;
		if (!take_number(&field, UINT16_MAX, &number))
			return false;
		*(field.tag == BR_TAG_ROWS ? rows : columns) = (uint16_t)number;
	}
	return !is_bad && *columns > 0 && *rows > 0;
}

bool stop_grace_decode(const uint8_t *payload, size_t len, uint64_t *grace_ms)
{
	const uint8_t *at = payload;
	struct br_field field;
	bool is_bad;

	*grace_ms = 0;
	while (br_field_next(&at, payload + len, &field, &is_bad))
		if (field.tag == BR_TAG_GRACE_MS &&
			!br_field_number(&field, grace_ms))
			return false;
	return !is_bad;
}
