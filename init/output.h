/* SPDX-License-Identifier: MIT */
/*
 * output.h - where the processes of a stage write to, on the way to the wire: a
 * pipe for each stream, or terminals.
 *
 * A terminal controls the processes of one session only, and each process that
 * init starts leads one. So there are two: the shell's, and one for the programs
 * of exec-form steps, of which none runs beside another.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/leftovers.h"
#include "init/outpipe.h"
#include "init/poller.h"
#include "init/spawn.h"
#include "init/tty.h"
#include "init/wire.h"

/* Streams as OUTPUT frames number them. */
enum { STREAM_OUT = 0, STREAM_ERR = 1, OUTPUT_STREAMS = 2 };

enum { TTY_OF_SHELL = 0, TTY_OF_PROGRAMS = 1, OUTPUT_TTYS = 2 };

/* Starts out by output_init(). */
struct output {
	/* The stage whose output it is. */
	uint16_t stage;
	bool has_tty;
	/* Only those of the one kind are open. */
	struct outpipe pipes[OUTPUT_STREAMS];
	struct tty ttys[OUTPUT_TTYS];
};

void output_init(struct output *output, uint16_t stage);

/*
 * Open it for a stage that runs as `owner`, with terminals at which somebody sits if
 * `is_attended`; gives false, with errno.
 */
bool output_open(
	struct output *output, bool has_tty, bool is_attended, uid_t owner);

/* Give the end of the terminal at which a program's input is typed. Borrowed. */
int output_terminal(const struct output *output);

/* Say how large the terminals are; nothing where there are none. */
void output_resize(struct output *output, uint16_t columns, uint16_t rows);

/* Hand it on to the shell, or to a program. */
void output_hand_on(
	const struct output *output, bool is_shell, struct spawn *spawn);

/* Wait for what is written. `is_taken`: there is a step that it belongs to. */
void output_poll(struct output *output, struct poller *poller, bool is_taken);

/* Send what is there, as far as the wire takes it now. */
void output_pump(
	struct output *output, const struct poller *poller, struct wire *wire);

/* What has been written by now is the last of its step. */
void output_begin_drain(struct output *output, struct wire *wire);

/* Send the last of a step; true when all of it is on its way. */
bool output_drain(struct output *output, struct wire *wire);

/* Do what has to be done now and then while a step runs. */
void output_tend(struct output *output);

/* No process is started any more. */
void output_end(struct output *output);

/* Leave what is still written to those who drop it. */
void output_leave(struct output *output, struct leftovers *leftovers);

/* May be called twice. */
void output_close(struct output *output);
