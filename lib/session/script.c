/* SPDX-License-Identifier: MIT */
/*
 * Why the script is as it is:
 *
 *	{ \command echo 2 >&9 && \command read -r _ <&9 && \command set -e; } 2>&-
 *	\eval 'text' 9>&-
 *	case $? in 0) ;; *) \command exit "$?" ;; esac
 *
 * - A step may have made functions or aliases called echo, read, set, eval or
 *   exit; `command` passes by the first, the backslash by the second.
 * - But for eval: after `command eval` a subshell of busybox 1.35 whose redirection
 *   fails runs for ever. POSIX shells let nothing pass for eval anyway, and bash
 *   and zsh have `builtin`.
 * - `_` is the one variable that a shell overwrites itself all the time.
 * - `set -e` holds inside the `eval`, because nothing tests its result; only a step
 *   that said `set +e` comes out with a status, which the `case` looks at. It
 *   changes nothing, whatever IFS is and whether `set -u` holds.
 * - After `set -x` the shell would show the first line on stderr: 2>&-.
 * - The read fails where buildr-init has closed the socket, because a step of
 *   the exec form has failed: the shell leaves.
 */
#include "session/script.h"

#include <string.h>

#include "init/protocol.h"

/* How to call a command of the shell itself. */
struct callers {
	const char *builtin;
	const char *eval;
};

static struct callers find_callers(const char *shell)
{
	const char *slash = strrchr(shell, '/');
	const char *name = slash ? slash + 1 : shell;

	if (strcmp(name, "bash") == 0 || strcmp(name, "zsh") == 0)
		return (struct callers){ "\\builtin", "\\builtin eval" };
	return (struct callers){ "\\command", "\\eval" };
}

/* In single quotes nothing has a meaning but the quote that ends them. */
static void add_quoted(struct br_buf *script, const char *text)
{
	br_buf_add_char(script, '\'');
	for (;;) {
		size_t len = strcspn(text, "'");

		br_buf_add(script, text, len);
		text += len;
		if (*text == '\0')
			break;
		br_buf_add_text(script, "'\\''");
		text++;
	}
	br_buf_add_char(script, '\'');
}

static void add_step(struct br_buf *script, const struct callers *callers,
	size_t number, const char *text)
{
	const char *builtin = callers->builtin;

	br_buf_addf(script,
		"{ %s echo %zu >&%d && %s read -r _ <&%d && %s set -e; } "
		"2>&- || %s exit\n%s ",
		builtin, number, BR_STEP_FD, builtin, BR_STEP_FD, builtin,
		builtin, callers->eval);
	add_quoted(script, text);
	br_buf_addf(script,
		" %d>&-\n"
		"case $? in 0) ;; *) %s exit \"$?\" ;; esac\n",
		BR_STEP_FD, builtin);
}

void br_script_build(const struct br_session_step *steps, size_t step_count,
	const char *shell, struct br_buf *script)
{
	const struct callers callers = find_callers(shell);
	bool is_last_for_shell = false;

	for (size_t i = 0; i < step_count; i++) {
		is_last_for_shell = steps[i].text != NULL;
		if (steps[i].text)
			add_step(script, &callers, i + 1, steps[i].text);
	}
	if (!is_last_for_shell)
		br_buf_addf(script, "{ %s echo 0 >&%d; } 2>&-\n",
			callers.builtin, BR_STEP_FD);
}

const char *br_script_build_file(struct br_buf *script)
{
	/* The shell has opened the file anew; the steps get neither. */
	br_buf_add_text(script, "exec 8>&-\n");
	return ". /proc/self/fd/8";
}
