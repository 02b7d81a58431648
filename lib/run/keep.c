/* SPDX-License-Identifier: MIT */
#include "run/keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/quote.h"
#include "run/emit.h"

enum {
	/* As much as anybody would copy. */
	ENVIRONMENT_MAX_BYTES = 2000,
	/* So much of an id is enough for the engine, and for people. */
	SHORT_ID_CHARACTERS = 12,
};

void br_keep_mark(const struct br_stage_run *run)
{
	const struct br_plan_indexes *services = &run->stage->services;

	if (!run->host || run->host->state != BR_HOST_UP)
		return;
	br_host_keep(run->host);
	for (size_t i = 0; i < services->count; i++)
		br_host_keep(
			run->owner->services.items[services->items[i]].host);
}

/* How to call the engine's own program, so that it finds this engine. */
static void add_program(struct br_engine *engine, struct br_buf *command)
{
	struct br_engine_info info = { 0 };
	struct br_err ignored = { 0 };

	if (!br_engine_describe(engine, &info, &ignored)) {
		br_buf_add_text(command, "docker");
		return;
	}
	br_buf_add_text(command, info.is_podman ? "podman" : "docker");
	if (info.is_podman || !info.is_usual) {
		br_buf_add_text(command, info.is_podman ? " --url " : " -H ");
		br_quote_word(info.address, command);
	}
	br_engine_info_done(&info);
}

static bool is_secret(const struct br_mask *mask, const char *text)
{
	br_autobuf struct br_buf masked = { 0 };

	if (!mask)
		return false;
	br_mask_text(mask, br_str(text), &masked);
	return strcmp(br_buf_text(&masked), text) != 0;
}

static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ')
			return false;
	return true;
}

/* Gives how many variables are left out. */
static size_t add_environment(
	const struct br_stage_run *run, struct br_buf *command)
{
	const struct br_mask *mask = run->owner->options.emitter->mask;
	size_t start = command->len;
	size_t left_out = 0;

	for (size_t i = 0; run->stage->environment[i]; i++) {
		const char *variable = run->stage->environment[i];

		if (is_secret(mask, variable) || !is_plain(variable) ||
			command->len - start + strlen(variable) >
				ENVIRONMENT_MAX_BYTES) {
			left_out++;
			continue;
		}
		br_buf_add_text(command, " -e ");
		br_quote_word(variable, command);
	}
	return left_out;
}

/* How to enter it as the stage did. */
static void tell_stage(const struct br_stage_run *run, const char *program)
{
	const struct br_plan_stage *stage = run->stage;
	struct br_emitter *emitter = run->owner->options.emitter;
	br_autofree const char **words = br_shell_words(stage);
	br_autobuf struct br_buf command = { 0 };

	br_buf_addf(&command, "%s exec -it -w ", program);
	br_quote_word(stage->workdir, &command);
	if (stage->user) {
		br_buf_add_text(&command, " -u ");
		br_quote_word(stage->user, &command);
	}

	size_t left_out = add_environment(run, &command);
	br_buf_addf(
		&command, " %.*s ", SHORT_ID_CHARACTERS, run->host->kept_id);
	br_quote_argv(words, &command);
	br_emit_notice(emitter, BR_LEVEL_INFO,
		"the container of stage '%s' is kept; to enter it: %s",
		stage->name, br_buf_text(&command));
	if (left_out > 0)
		br_emit_notice(emitter, BR_LEVEL_INFO,
			"that is without %zu variables, which are secret, have "
			"several lines, or are too long",
			left_out);
}

static bool is_there(const struct br_host *host)
{
	return host->is_kept && host->state != BR_HOST_LOST;
}

void br_keep_tell(
	struct br_stages *stages, const struct br_run_options *options)
{
	br_autobuf struct br_buf program = { 0 };
	bool is_any = false;

	for (size_t i = 0; i < stages->count; i++) {
		const struct br_stage_run *run = &stages->runs[i];

		if (!run->is_failure || !run->host || !is_there(run->host))
			continue;
		if (!is_any)
			add_program(options->engine, &program);
		is_any = true;
		tell_stage(run, br_buf_text(&program));
	}
	if (is_any)
		br_emit_notice(stages->options.emitter, BR_LEVEL_INFO,
			"to remove what is kept: %s --kept %s",
			options->gc_command, stages->options.build);
}
