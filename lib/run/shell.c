/* SPDX-License-Identifier: MIT */
#include "run/shell.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "run/emit.h"
#include "run/stages.h"

enum {
	SLOT_INPUT,
	SLOT_RESIZE,
	/* Between SIGHUP and SIGKILL: an editor saves what it has. */
	GRACE_MS = 1000,
	READ_BYTES = 4096,
};

static struct br_session *session_of(const struct br_shell *shell)
{
	return shell->run->host->container.session;
}

/* With `-e` the first mistake that somebody types would be the last. */
const char **br_shell_words(const struct br_plan_stage *stage)
{
	size_t count = 1;

	while (stage->shell[count] && stage->shell[count][0] != '-' &&
		stage->shell[count][0] != '+')
		count++;

	const char **words = br_alloc_array(count + 1, sizeof(*words));
	for (size_t i = 0; i < count; i++)
		words[i] = stage->shell[i];
	return words;
}

void br_shell_open(struct br_shell *shell, struct br_stage_run *run)
{
	const struct br_seat *seat = shell->seat;
	br_autofree const char **words = br_shell_words(run->stage);
	br_autofree char *term =
		seat->term ? br_format("TERM=%s", seat->term) : NULL;
	const struct br_session_step step = { .argv = words };
	struct br_session_stage how = {
		.steps = &step,
		.step_count = 1,
		.has_tty = seat->is_terminal,
		.has_input = true,
	};

	br_emit_flush(run->owner->options.emitter);
	*shell = (struct br_shell){ .seat = seat, .run = run };
	seat->begin(seat->ctx);
	if (seat->is_terminal)
		seat->size(seat->ctx, &how.columns, &how.rows);
	br_attempt_send(run, &how, seat->is_terminal ? term : NULL);
}

bool br_shell_has(const struct br_shell *shell, unsigned number)
{
	return shell->run && shell->run->number == number;
}

void br_shell_write(
	struct br_shell *shell, enum br_stream stream, struct br_str data)
{
	const struct br_seat *seat = shell->seat;
	struct br_err ignored = { 0 };

	if (!shell->is_stopping &&
		!seat->output(seat->ctx, stream, data, &ignored))
		br_shell_stop(shell);
}

void br_shell_stop(struct br_shell *shell)
{
	if (!shell->run || shell->is_stopping)
		return;
	shell->is_stopping = true;
	/* Of a host that is lost its owner is about to be told. */
	if (shell->run->host->state == BR_HOST_UP)
		br_session_stop(
			session_of(shell), shell->run->number, GRACE_MS);
}

void br_shell_close(struct br_shell *shell)
{
	if (!shell->run)
		return;
	shell->run = NULL;
	shell->seat->end(shell->seat->ctx);
}

void br_shell_poll(
	const struct br_shell *shell, struct pollfd waits[BR_SHELL_FDS])
{
	bool is_read = shell->run && shell->run->host->state == BR_HOST_UP &&
		!shell->has_input_ended && !shell->is_stopping &&
		br_session_input_room(session_of(shell), shell->run->number) >
			0;

	waits[SLOT_INPUT] = (struct pollfd){
		.fd = is_read ? shell->seat->input_fd : -1,
		.events = POLLIN,
	};
	waits[SLOT_RESIZE] = (struct pollfd){
		.fd = shell->run ? shell->seat->resize_fd : -1,
		.events = POLLIN,
	};
}

/* The end of what is typed: of commands, or the terminal is gone. */
static void end_input(struct br_shell *shell)
{
	shell->has_input_ended = true;
	if (shell->seat->is_terminal)
		br_shell_stop(shell);
	else
		br_session_input(
			session_of(shell), shell->run->number, NULL, 0);
}

static void pass_on(struct br_shell *shell)
{
	unsigned number = shell->run->number;
	size_t room = br_session_input_room(session_of(shell), number);
	char data[READ_BYTES];
	ssize_t n = read(shell->seat->input_fd, data,
		room < sizeof(data) ? room : sizeof(data));

	if (n > 0)
		br_session_input(session_of(shell), number, data, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		end_input(shell);
}

static void resize(struct br_shell *shell)
{
	unsigned columns = 0;
	unsigned rows = 0;

	shell->seat->size(shell->seat->ctx, &columns, &rows);
	br_session_resize(session_of(shell), shell->run->number, columns, rows);
}

void br_shell_work(
	struct br_shell *shell, const struct pollfd waits[BR_SHELL_FDS])
{
	if (!shell->run || shell->run->host->state != BR_HOST_UP)
		return;
	if (waits[SLOT_RESIZE].revents)
		resize(shell);
	if (waits[SLOT_INPUT].revents)
		pass_on(shell);
}
