/* SPDX-License-Identifier: MIT */
/*
 * spec.h - what buildr asks for: payloads of frames taken apart.
 *
 * Text in a payload has no NUL behind it. It gets one in place: the value moves
 * one byte to the front, over the field's header, which has been read by then. So
 * a spec points into its payload, which must live as long.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Neither `argv` nor `port`: the shell runs it. */
struct step_spec {
	/* NULL-terminated, or NULL. */
	char **argv;
	/* The step waits for this TCP port; 0: it does not. */
	uint16_t port;
	/* One that listens on a loopback address counts as well. */
	bool is_local;
};

static inline bool step_is_for_shell(const struct step_spec *step)
{
	return !step->argv && step->port == 0;
}

/* A STAGE. Starts out all zero; borrowed from its payload. */
struct stage_spec {
	/* NAME=VALUE, NULL-terminated; never NULL after decoding. */
	char **environment;
	/* NULL-terminated; never NULL after decoding. */
	char **shell;
	/* NULL: `/`. */
	const char *workdir;
	/* NULL: root. */
	const char *user;
	/* `user` is as the host numbers it. */
	bool is_host_user;
	/* The steps have a terminal, of this size; 0: the usual one. */
	bool has_tty;
	uint16_t columns;
	uint16_t rows;
	/* Its one step reads what INPUT frames bring. */
	bool has_input;
	struct step_spec *steps;
	size_t step_count;
	const uint8_t *script;
	size_t script_len;
	/* Owned: where all lists of strings live. */
	char **strings;
};

/*
 * Take a STAGE apart; changes `payload`. Gives false where it is not as the
 * protocol has it, and leaves nothing to free then.
 */
bool stage_spec_decode(uint8_t *payload, size_t len, struct stage_spec *spec);

/* Free what decoding made. */
void stage_spec_done(struct stage_spec *spec);

struct setup_spec {
	uint64_t version;
	/* NULL: nothing is given back. Borrowed from the payload. */
	const char *path;
	/* As the host numbers them. */
	uint64_t uid;
	uint64_t gid;
	/* 0: wait for ever. */
	uint64_t silence_ms;
};

/* Take a SETUP apart, as stage_spec_decode() does. */
bool setup_spec_decode(uint8_t *payload, size_t len, struct setup_spec *spec);

/* Read a RESIZE. False: a bad payload. */
bool resize_decode(
	const uint8_t *payload, size_t len, uint16_t *columns, uint16_t *rows);

/* Read the grace of a STOP; 0 where it has none. False: a bad payload. */
bool stop_grace_decode(const uint8_t *payload, size_t len, uint64_t *grace_ms);
