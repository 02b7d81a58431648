/* SPDX-License-Identifier: MIT */
/* cmd_completion.c - `buildr completion`: what has a shell complete our command lines. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/commands.h"
#include "cmd/texts.h"

int cmd_completion(const struct options *options)
{
	const struct text *script =
		text_find(scripts, SCRIPTS, options->stages[0]);
	struct br_err err = { 0 };

	if (!script) {
		(void)br_fail(&err, BR_EINPUT,
			"there is no completion for the shell '%s', only for "
			"bash, zsh and fish",
			options->stages[0]);
		complain(&err);
		return STATUS_USAGE;
	}
	if (!br_file_write(STDOUT_FILENO, script->content,
		    strlen(script->content), &err)) {
		complain(&err);
		return STATUS_ENVIRONMENT;
	}
	return STATUS_PASS;
}
