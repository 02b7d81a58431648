/* SPDX-License-Identifier: MIT */
#include "run/after.h"

#include "run/stages.h"

bool br_after_is_wanted(const struct br_stage_run *run)
{
	const struct br_stages *stages = run->owner;

	return stages->options.is_shell_on_fail && stages->options.seat &&
		!stages->is_closed && run->end.result == BR_RESULT_FAIL &&
		run->host && run->host->state == BR_HOST_UP;
}

void br_after_wait(struct br_stage_run *run)
{
	run->phase = BR_STAGE_SHELL;
	run->owner->shell_count++;
}

void br_after_drop(struct br_stage_run *run)
{
	run->owner->shell_count--;
	br_stages_end(run, true);
}

void br_after_leave(struct br_stage_run *run, const char *failure)
{
	struct br_emitter *emitter = run->owner->options.emitter;

	if (failure)
		br_emit_notice(emitter, BR_LEVEL_WARNING,
			"stage '%s': no shell can be opened: %s",
			run->stage->name, failure);
	else
		br_emit_notice(emitter, BR_LEVEL_INFO,
			"the shell has ended, and the build goes on");
	br_after_drop(run);
}

static void open_shell(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;

	br_emit_notice(stages->options.emitter, BR_LEVEL_INFO,
		"stage '%s' has failed: a shell in its container; 'exit' ends "
		"it, and the build goes on",
		run->stage->name);
	run->number = br_stages_next_number(stages);
	br_shell_open(&stages->shell, run);
}

void br_after_open(struct br_stages *stages)
{
	for (size_t i = 0; i < stages->count && stages->running_count == 0 &&
		!br_shell_is_open(&stages->shell);
		i++) {
		struct br_stage_run *run = &stages->runs[i];

		if (run->phase == BR_STAGE_SHELL)
			open_shell(run);
	}
}
