/* SPDX-License-Identifier: MIT */
/*
 * session.h - the conversation with one buildr-init.
 *
 * A session is made on a connection that stands, a unix socket or an attached
 * stdin and stdout. The owner polls br_session_fd() for br_session_poll_events()
 * and calls br_session_pump() when it is ready; what comes in is told by the
 * handlers. Any number of stages run at once; each has a number that the owner
 * picks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"
#include "init/protocol.h"

struct br_attach;
struct br_session;

enum br_output_stream {
	BR_OUTPUT_STDOUT = 0,
	BR_OUTPUT_STDERR = 1,
};

struct br_step_report {
	unsigned step;
	int status;
	int64_t wall_us;
	int64_t cpu_us;
	int64_t max_rss_bytes;
	bool is_oom;
	bool is_signal;
};

struct br_stage_report {
	int status;
	/* NULL: the stage was run. Borrowed for the call. */
	const char *failure;
	enum br_failure_kind failure_kind;
};

/* Called by br_session_pump(). A false ends the pump with the same `err`. */
struct br_session_handlers {
	void *ctx;
	bool (*step_started)(
		void *ctx, unsigned stage, unsigned step, struct br_err *err);
	/* `data` is borrowed for the call; len is never 0. */
	bool (*output)(void *ctx, unsigned stage, enum br_output_stream stream,
		const char *data, size_t len, struct br_err *err);
	bool (*step_finished)(void *ctx, unsigned stage,
		const struct br_step_report *report, struct br_err *err);
	bool (*stage_finished)(void *ctx, unsigned stage,
		const struct br_stage_report *report, struct br_err *err);
};

/* Exactly one of `text`, `argv` and `port` is given. */
struct br_session_step {
	/* For the shell. */
	const char *text;
	/* Exec form; NULL-terminated. */
	const char *const *argv;
	/*
	 * No program, but a wait until something in the container's network
	 * listens on this TCP port; needs nothing of the image. Has no end of
	 * its own: br_session_stop() ends it.
	 */
	unsigned port;
	/*
	 * The port is used from the same network (`host`, say): a server on a
	 * loopback address counts as well, which nobody else reaches.
	 */
	bool port_is_local;
};

/* Borrowed for the call of br_session_start(). */
struct br_session_stage {
	const struct br_session_step *steps;
	size_t step_count;
	/* NAME=VALUE, NULL-terminated; may be NULL. */
	const char *const *environment;
	/* NULL: the image's. */
	const char *workdir;
	/* NULL: root. */
	const char *user;
	/* `user` is `uid:gid` as the host numbers them. */
	bool is_host_user;
	/* NULL-terminated; may be NULL where no step is for it. */
	const char *const *shell;
	/*
	 * The steps get a terminal of 80 columns and 24 rows. All their output is
	 * stdout, with `\r\n` for line ends; a read finds the end of the input.
	 */
	bool has_tty;
	/*
	 * What br_session_input() sends is what the one step reads, which has the
	 * exec form: from its terminal, with job control, or else as its stdin. Where
	 * its program is not there, that is a failure of the stage.
	 */
	bool has_input;
	/* How large its terminal is; 0: as above. At most 65535. */
	unsigned columns;
	unsigned rows;
};

struct br_session_setup {
	/* Give files under this path in the container back; NULL: none. */
	const char *give_back_path;
	uid_t uid;
	gid_t gid;
};

/*
 * Take over a connection: exactly one of `fd` (a connected socket) and `attach`
 * is given; the other is -1 or NULL. Sends SETUP; does not wait for HELLO.
 *
 * Over `attach` a helper process sends a PING every second for as long as this
 * process lives, so that init ends also where the engine died and cannot tell it;
 * a stalled reader of our output does not stop it.
 *
 * Ownership: takes the connection, also on failure; the caller frees *session
 * with br_session_free(). `handlers` is copied. Fails with BR_ESYSTEM.
 */
bool br_session_open(int fd, struct br_attach *attach,
	const struct br_session_setup *setup,
	const struct br_session_handlers *handlers, struct br_session **session,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Say whether all that is made under give_back_path from now on, by whomever, will
 * be given back: init remembers what was there before. True where there is no path.
 */
bool br_session_is_set_up(const struct br_session *session);

/* Give the descriptor to poll. Borrowed until br_session_free(). */
int br_session_fd(const struct br_session *session);

/* Give what to poll for: POLLIN, and POLLOUT while something is to be sent. */
short br_session_poll_events(const struct br_session *session);

/*
 * Start a stage. `stage` is its number, from 1 to 65535, that of no stage which
 * runs: after its stage_finished a number may be used again.
 */
void br_session_start(struct br_session *session, unsigned stage,
	const struct br_session_stage *what);

/*
 * Say how many bytes br_session_input() may send to the stage now: its reader has not
 * taken what was sent before. 0 for a stage that reads nothing, or does not run.
 */
size_t br_session_input_room(const struct br_session *session, unsigned stage);

/*
 * Send a stage bytes to read, at most br_session_input_room(). `len` 0 is the end of
 * them, after which there must be no more; a terminal has none.
 */
void br_session_input(struct br_session *session, unsigned stage,
	const void *data, size_t len);

/* Tell a stage that its terminal has another size, from 1 to 65535 each. */
void br_session_resize(struct br_session *session, unsigned stage,
	unsigned columns, unsigned rows);

/*
 * Stop a stage: SIGTERM (SIGHUP where it has input), then SIGKILL after `grace_ms`; 0: SIGKILL at once. Its
 * step_finished and stage_finished come as ever.
 */
void br_session_stop(
	struct br_session *session, unsigned stage, int64_t grace_ms);

/*
 * Say that no stage is running any more and none will be: init gives files back.
 * Does not wait; the owner goes on with br_session_pump() until
 * br_session_has_ended(), for as long as it likes.
 */
void br_session_end(struct br_session *session);

/*
 * As br_session_end(), but files are left as they are: others still use them, and
 * another container gives them back.
 */
void br_session_leave(struct br_session *session);

/*
 * As br_session_end(), but stages go on, and what they write is dropped: when init
 * has answered and the connection is closed, it stays until somebody ends the
 * container.
 */
void br_session_keep(struct br_session *session);

/*
 * Say whether init has answered the end: files are given back, or a pump has
 * failed with why not. Nothing more comes then, so the owner stops polling.
 */
bool br_session_has_ended(const struct br_session *session);

/*
 * Read and write what goes without blocking, and call the handlers. Does nothing
 * once init has answered the end.
 *
 * Fails with BR_EUNAVAIL where the connection ended before that, BR_EPROTO where
 * init said something that it must not, is of another version or no init at all,
 * BR_ESYSTEM where init could not give all files back, and with what a handler
 * set.
 */
bool br_session_pump(
	struct br_session *session, struct br_err *err) BR_MUST_CHECK;

/* Close the connection and free `session`, which may be NULL. */
void br_session_free(struct br_session *session);

BR_DEFINE_AUTO(br_session)
