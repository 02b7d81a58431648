/* SPDX-License-Identifier: MIT */
/*
 * protocol.h - what buildr and buildr-init say to each other.
 *
 * The one header that both ends include, so libc only. Over a unix socket, or
 * over the container's stdin (to init) and stdout (to buildr), each side sends
 * frames:
 *
 *	byte 0     type (enum br_frame_type)
 *	byte 1     stream of an OUTPUT frame, else 0
 *	bytes 2-3  number of the stage, little-endian; 0 where none is meant.
 *	           After its STAGE_FINISHED a number may be used again
 *	bytes 4-7  length of the payload, little-endian
 *
 * A payload other than output is a row of fields: one byte tag, four bytes
 * length (little-endian), the value. Numbers are eight bytes, little-endian.
 * Unknown tags are skipped; unknown types, a payload over the limit and a field
 * that does not fit end the connection.
 *
 * Conversation:
 *
 *	init    HELLO {VERSION}                first, at once
 *	buildr  SETUP {VERSION, …}             once, before any stage
 *	init    SET_UP                         where SETUP has a PATH: from now on
 *	                                       what comes there is given back
 *	buildr  STAGE {…} · STOP               any time, any number of stages
 *	init    STEP_STARTED, OUTPUT*, STEP_FINISHED … STAGE_FINISHED
 *	buildr  INPUT · RESIZE {…}             while a stage with INPUT runs
 *	init    INPUT_TAKEN {COUNT}            there is room for so much more
 *	buildr  PING                           where SETUP asked for them
 *	buildr  END                            no stage is running any more
 *	buildr  LEAVE                          as END, but files are left as they
 *	                                       are: another init gives them back
 *	buildr  KEEP                           as END, but what runs goes on
 *	init    ENDED {FAILURE}                files are given back: the last word
 *
 * When the connection closes, init kills everything, gives files back and exits.
 * After KEEP and ENDED it stays, and with it the container, until a SIGTERM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* Both ends must have the same. */
	BR_PROTOCOL_VERSION = 3,
	BR_FRAME_HEADER_BYTES = 8,
	BR_FIELD_HEADER_BYTES = 5,
	/* A STAGE with its script and environment; other frames are small. */
	BR_FRAME_MAX_BYTES = 8 * 1024 * 1024,
	/* One OUTPUT frame; what a pipe holds at most. */
	BR_OUTPUT_MAX_BYTES = 1024 * 1024,
	/* Input of a stage that has been sent and not yet been taken. */
	BR_INPUT_WINDOW_BYTES = 16 * 1024,
	/* The descriptor on which a stage's shell announces its steps. */
	BR_STEP_FD = 9,
};

enum br_frame_type {
	/* From init. */
	BR_FRAME_HELLO = 1,
	BR_FRAME_STEP_STARTED = 2,
	BR_FRAME_OUTPUT = 3,
	BR_FRAME_STEP_FINISHED = 4,
	BR_FRAME_STAGE_FINISHED = 5,
	BR_FRAME_ENDED = 6,
	BR_FRAME_SET_UP = 7,
	BR_FRAME_INPUT_TAKEN = 8,
	/* From buildr. */
	BR_FRAME_SETUP = 64,
	BR_FRAME_STAGE = 65,
	BR_FRAME_STOP = 66,
	BR_FRAME_PING = 67,
	BR_FRAME_END = 68,
	BR_FRAME_LEAVE = 69,
	/*
	 * The payload is bytes for the stage to read; none: the end of them. Over
	 * BR_INPUT_WINDOW_BYTES that were not taken end the connection.
	 */
	BR_FRAME_INPUT = 70,
	BR_FRAME_RESIZE = 71,
	BR_FRAME_KEEP = 72,
};

enum br_field_tag {
	/* Number. HELLO, SETUP. */
	BR_TAG_VERSION = 1,
	/*
	 * SETUP: give files under PATH that the build made to UID and GID, as
	 * the host numbers them. Without PATH: nothing is given back.
	 */
	BR_TAG_PATH = 2,
	BR_TAG_UID = 3,
	BR_TAG_GID = 4,
	/* SETUP: end when nothing came for so many ms. Absent: wait for ever. */
	BR_TAG_SILENCE_MS = 5,
	/* STAGE, each repeated: NAME=VALUE over the image's environment. */
	BR_TAG_ENV = 16,
	/* STAGE: an argument of the shell, the script's among them. */
	BR_TAG_SHELL_ARG = 17,
	/* STAGE: where the steps start; absolute. Absent: the image's. */
	BR_TAG_WORKDIR = 18,
	/* STAGE: `uid`, `uid:gid`, a name or `name:group`; absent: root. */
	BR_TAG_USER = 19,
	/*
	 * STAGE: a step, in order; the value is empty. The shell runs it, unless
	 * EXEC_ARGs follow, which make it an exec-form step, or a PORT.
	 */
	BR_TAG_STEP = 20,
	BR_TAG_EXEC_ARG = 21,
	/*
	 * STAGE: the script, where it is too long for an argument: the shell
	 * reads it as the file /proc/self/fd/8.
	 */
	BR_TAG_SCRIPT = 22,
	/* STAGE, instead of USER: `uid:gid` as the host numbers them. */
	BR_TAG_HOST_USER = 23,
	/*
	 * STAGE: number, 1: the steps have a terminal, 80 columns by 24 rows, as
	 * stdin, stdout and stderr; it controls their session. Shell steps share
	 * one, exec-form steps another. What comes out is stream 0, as a terminal
	 * gives it: `\r\n` ends a line. Nothing comes in, and a read finds the
	 * end of the input, every time; one in a mode without lines, its key (^D,
	 * unless it was set to another). TERM is `xterm` where it is not set, and
	 * SIGHUP ignored, so that what a step leaves running stays.
	 */
	BR_TAG_TTY = 24,
	/*
	 * STAGE, after a STEP: number. The step is init's own: it passes when
	 * something in the container's network listens on this TCP port, and
	 * waits for that without end. A loopback address does not count, for
	 * nobody else reaches it, unless PORT_IS_LOCAL follows, a number, 1: who
	 * wants to use the port is in the same network.
	 */
	BR_TAG_PORT = 25,
	BR_TAG_PORT_IS_LOCAL = 26,
	/*
	 * STAGE, which has one step, of the exec form: number, 1: INPUT frames are
	 * what it reads, from its terminal, or as its stdin where it has none. No
	 * end is typed, SIGHUP is not ignored, STOP sends SIGHUP instead of SIGTERM,
	 * and a program that is not there is a FAILURE, as a shell is.
	 */
	BR_TAG_INPUT = 27,
	/* STAGE with TTY, RESIZE: numbers, 1 to 65535: how large it is. */
	BR_TAG_COLUMNS = 28,
	BR_TAG_ROWS = 29,
	/* STOP: ms between SIGTERM and SIGKILL; 0: SIGKILL at once. */
	BR_TAG_GRACE_MS = 32,
	/* STEP_STARTED, STEP_FINISHED: number of the step, from 1. */
	BR_TAG_STEP_NUMBER = 48,
	/* STEP_FINISHED, STAGE_FINISHED: exit status, 128+N for a signal. */
	BR_TAG_STATUS = 49,
	/* STEP_FINISHED: microseconds. */
	BR_TAG_WALL_US = 50,
	BR_TAG_CPU_US = 51,
	/* STEP_FINISHED: bytes. */
	BR_TAG_MAX_RSS = 52,
	/* STEP_FINISHED: number, 1: a process was killed for want of memory. */
	BR_TAG_IS_OOM = 53,
	/* STEP_FINISHED: number, 1: ended by a signal that init saw. */
	BR_TAG_IS_SIGNAL = 54,
	/*
	 * STAGE_FINISHED: text, why the stage could not be run at all. ENDED: why
	 * not all files could be given back.
	 */
	BR_TAG_FAILURE = 55,
	/* STAGE_FINISHED with FAILURE: enum br_failure_kind. */
	BR_TAG_FAILURE_KIND = 56,
	/* INPUT_TAKEN: number, bytes. */
	BR_TAG_COUNT = 57,
};

enum br_failure_kind {
	/* The shell is not in the image. */
	BR_FAILURE_NO_SHELL = 1,
	/* No such user or group in the image. */
	BR_FAILURE_USER = 2,
	/* The workdir cannot be entered. */
	BR_FAILURE_WORKDIR = 3,
	/* Anything else: no process could be made. */
	BR_FAILURE_SYSTEM = 4,
};

struct br_frame {
	enum br_frame_type type;
	uint8_t stream;
	uint16_t stage;
	uint32_t len;
};

/* Write the header of `frame`. */
void br_frame_encode(
	const struct br_frame *frame, uint8_t header[BR_FRAME_HEADER_BYTES]);

/*
 * Read a header. Gives false for a type that the protocol does not have and a
 * length over the limit of the type.
 */
bool br_frame_decode(
	const uint8_t header[BR_FRAME_HEADER_BYTES], struct br_frame *frame);

struct br_field {
	uint8_t tag;
	const uint8_t *value;
	uint32_t len;
};

/* Write the header of a field. */
void br_field_encode(
	uint8_t tag, uint32_t len, uint8_t header[BR_FIELD_HEADER_BYTES]);

/*
 * Take the next field from a payload: `*at` moves on, and what `field` points to
 * is borrowed from there. Gives false at the end, and where a field does not fit,
 * which `*is_bad` tells apart.
 */
bool br_field_next(const uint8_t **at, const uint8_t *end,
	struct br_field *field, bool *is_bad);

/* Read a number of eight bytes; gives false where `field` is no such. */
bool br_field_number(const struct br_field *field, uint64_t *number);

/* Write a number of eight bytes. */
void br_number_encode(uint64_t number, uint8_t bytes[8]);
