/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/giveback.h"
#include "init/inbox.h"
#include "init/leftovers.h"
#include "init/mem.h"
#include "init/poller.h"
#include "init/procs.h"
#include "init/protocol.h"
#include "init/spec.h"
#include "init/stage.h"
#include "init/wire.h"

enum {
	/* Peak memory is looked at so often, while a step runs. */
	SAMPLE_US = 50 * 1000,
	/*
	 * When nobody waits for it, giving back takes at most this long: all is to
	 * be gone within five seconds, of which silence has taken most.
	 */
	LATE_GIVEBACK_US = 2500 * 1000,
	SILENT_GIVEBACK_US = 500 * 1000,
	/* Where silence counts, it wakes up so often. */
	LOOK_US = 500 * 1000,
	MS_US = 1000,
	READ_BYTES = 64 * 1024,
};

/* More than any silence; keeps the arithmetic within its type. */
static const uint64_t silence_max_ms = UINT64_C(1000) * 60 * 60 * 24;

struct init {
	struct wire wire;
	int in_slot;
	int out_slot;
	struct inbox inbox;
	int signal_fd;
	int signal_slot;
	struct poller poller;
	/* Owned. */
	struct stage **stages;
	size_t stage_count;
	size_t stage_capacity;
	/* Which stage is the first to send this time. */
	size_t turn;
	struct leftovers leftovers;
	struct procs procs;
	int64_t sample_at_us;
	struct giveback giveback;
	bool is_set_up;
	/* 0: it may be silent as long as it likes. */
	int64_t silence_us;
	int64_t heard_us;
	/* When it has last begun to work. */
	int64_t awake_us;
	/* END has come, or KEEP. */
	bool is_ending;
	bool is_kept;
	/* A SIGTERM, say: also one that is kept ends. */
	bool has_signal;
	/* SIGTERM, silence, or something that is no frame. */
	bool is_lost;
	bool is_silent;
};

static bool take_setup(struct init *init, uint8_t *payload, size_t len)
{
	struct setup_spec setup;

	if (init->is_set_up || !setup_spec_decode(payload, len, &setup) ||
		setup.version != BR_PROTOCOL_VERSION)
		return false;
	init->is_set_up = true;
	if (setup.silence_ms > silence_max_ms)
		setup.silence_ms = silence_max_ms;
	init->silence_us = (int64_t)setup.silence_ms * MS_US;
	if (setup.path) {
		giveback_init(
			&init->giveback, setup.path, setup.uid, setup.gid);
		wire_send(&init->wire, BR_FRAME_SET_UP, 0, NULL, 0);
	}
	return true;
}

static struct stage *find_stage(const struct init *init, uint16_t number)
{
	for (size_t i = 0; i < init->stage_count; i++)
		if (init->stages[i]->number == number)
			return init->stages[i];
	return NULL;
}

static bool take_stage(
	struct init *init, const struct br_frame *frame, uint8_t **payload)
{
	struct stage_spec spec;

	if (frame->stage == 0 || find_stage(init, frame->stage) ||
		!stage_spec_decode(*payload, frame->len, &spec))
		return false;
	init->stages = mem_grow(init->stages, init->stage_count,
		&init->stage_capacity, sizeof(struct stage *));
	init->stages[init->stage_count++] =
		stage_new(frame->stage, &spec, payload, &init->wire, environ);
	return true;
}

static bool take_stop(
	struct init *init, const struct br_frame *frame, const uint8_t *payload)
{
	struct stage *stage = find_stage(init, frame->stage);
	uint64_t grace_ms;

	if (!stop_grace_decode(payload, frame->len, &grace_ms))
		return false;
	/* It may have ended on its own in the meantime. */
	if (stage)
		stop_begin(stage, grace_ms);
	return true;
}

static bool take_input(const struct init *init, const struct br_frame *frame,
	const uint8_t *payload)
{
	struct stage *stage = find_stage(init, frame->stage);

	/* It may have ended on its own in the meantime. */
	return !stage || stage_feed(stage, payload, frame->len);
}

static bool take_resize(const struct init *init, const struct br_frame *frame,
	const uint8_t *payload)
{
	struct stage *stage = find_stage(init, frame->stage);
	uint16_t columns;
	uint16_t rows;

	if (!resize_decode(payload, frame->len, &columns, &rows))
		return false;
	if (stage)
		stage_resize(stage, columns, rows);
	return true;
}

static bool take_frame(
	void *ctx, const struct br_frame *frame, uint8_t **payload)
{
	struct init *init = ctx;

	if (init->is_ending)
		return true;
	if (!init->is_set_up && frame->type != BR_FRAME_SETUP)
		return false;
	switch (frame->type) {
	case BR_FRAME_SETUP:
		return take_setup(init, *payload, frame->len);
	case BR_FRAME_STAGE:
		return take_stage(init, frame, payload);
	case BR_FRAME_STOP:
		return take_stop(init, frame, *payload);
	case BR_FRAME_PING:
		return true;
	case BR_FRAME_LEAVE:
		giveback_done(&init->giveback);
		init->is_ending = true;
		return true;
	case BR_FRAME_INPUT:
		return take_input(init, frame, *payload);
	case BR_FRAME_RESIZE:
		return take_resize(init, frame, *payload);
	case BR_FRAME_KEEP:
		init->is_kept = true;
		init->is_ending = true;
		return true;
	case BR_FRAME_END:
		init->is_ending = true;
		return true;
	case BR_FRAME_HELLO:
	case BR_FRAME_STEP_STARTED:
	case BR_FRAME_OUTPUT:
	case BR_FRAME_STEP_FINISHED:
	case BR_FRAME_STAGE_FINISHED:
	case BR_FRAME_ENDED:
	case BR_FRAME_SET_UP:
	case BR_FRAME_INPUT_TAKEN:
		break;
	}
	return false;
}

static void read_wire(struct init *init)
{
	static uint8_t data[READ_BYTES];
	ssize_t n = wire_read(&init->wire, data, sizeof(data));

	if (n < 0)
		return;
	if (n == 0 ||
		!inbox_feed(&init->inbox, data, (size_t)n, take_frame, init))
		init->is_lost = true;
	init->heard_us = clock_now_us();
}

/* Whoever has ended is reaped, orphans of the stages among them. */
static void reap(struct init *init)
{
	struct rusage usage;
	int status;

	for (;;) {
		pid_t pid = wait4(-1, &status, WNOHANG, &usage);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			break;
		for (size_t i = 0; i < init->stage_count; i++)
			if (stage_reap(init->stages[i], pid, status, &usage))
				break;
	}
}

static void read_signals(struct init *init)
{
	struct signalfd_siginfo info;

	while (read(init->signal_fd, &info, sizeof(info)) ==
		(ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD) {
			init->has_signal = true;
			init->is_lost = true;
		}
	reap(init);
}

static bool is_sampling(const struct init *init)
{
	for (size_t i = 0; i < init->stage_count; i++)
		if (stage_has_step(init->stages[i]))
			return true;
	return false;
}

static void sample(struct init *init)
{
	int64_t now_us = clock_now_us();

	if (now_us < init->sample_at_us)
		return;
	init->sample_at_us = now_us + SAMPLE_US;
	if (!is_sampling(init))
		return;
	procs_scan(&init->procs);
	for (size_t i = 0; i < init->stage_count; i++)
		if (stage_has_step(init->stages[i]))
			stage_sample(init->stages[i], &init->procs);
}

/* Let go of stages that are over; what holds their pipes is left over. */
static void drop_stages(struct init *init)
{
	size_t kept = 0;

	for (size_t i = 0; i < init->stage_count; i++) {
		struct stage *stage = init->stages[i];

		if (stage->phase != STAGE_OVER) {
			init->stages[kept++] = stage;
			continue;
		}
		output_leave(&stage->output, &init->leftovers);
		stage_free(stage);
	}
	init->stage_count = kept;
}

/* A machine that stands still, or is too busy for us, is no silence. */
static void forgive_standstill(struct init *init)
{
	int64_t now_us = clock_now_us();
	int64_t late_us = now_us - init->awake_us - LOOK_US;

	if (init->silence_us > 0 && late_us > 0)
		init->heard_us += late_us;
	init->awake_us = now_us;
}

static void wait_for_something(struct init *init)
{
	struct poller *poller = &init->poller;

	poller_clear(poller);
	init->signal_slot = poller_add(poller, init->signal_fd, POLLIN);
	init->in_slot = poller_add(poller, init->wire.in, POLLIN);
	init->out_slot = init->wire.is_full
		? poller_add(poller, init->wire.out, POLLOUT)
		: POLLER_NO_SLOT;
	for (size_t i = 0; i < init->stage_count; i++)
		stage_poll(init->stages[i], poller);
	leftovers_poll(&init->leftovers, poller);
	if (is_sampling(init))
		poller_wake_at(poller, init->sample_at_us);
	if (init->silence_us > 0) {
		poller_wake_at(poller, init->heard_us + init->silence_us);
		poller_wake_at(poller, init->awake_us + LOOK_US);
	}
	poller_wait(poller);
	forgive_standstill(init);
}

/* Each stage gets a turn, and another one is the first each time. */
static void work_stages(struct init *init)
{
	size_t count = init->stage_count;

	init->turn++;
	for (size_t i = 0; i < count; i++) {
		stage_work(
			init->stages[(init->turn + i) % count], &init->poller);
		wire_flush(&init->wire);
	}
}

static void work(struct init *init)
{
	const struct poller *poller = &init->poller;

	if (poller_is_ready(poller, init->out_slot))
		init->wire.is_full = false;
	if (poller_is_ready(poller, init->in_slot))
		read_wire(init);
	if (poller_is_ready(poller, init->signal_slot))
		read_signals(init);
	sample(init);
	work_stages(init);
	drop_stages(init);
	leftovers_work(&init->leftovers, poller);
	wire_flush(&init->wire);
	/* Not by the clock as it is now: we may have stood still since. */
	if (init->silence_us > 0 &&
		init->awake_us >= init->heard_us + init->silence_us) {
		init->is_lost = true;
		init->is_silent = true;
	}
}

static void say_hello(struct init *init)
{
	struct fields fields = { .len = 0 };

	fields_add_number(&fields, BR_TAG_VERSION, BR_PROTOCOL_VERSION);
	wire_send(&init->wire, BR_FRAME_HELLO, 0, fields.data, fields.len);
	wire_flush(&init->wire);
}

/* All is done, and buildr waits to hear so. */
static void say_ended(struct init *init, bool is_given_back)
{
	struct fields fields = { .len = 0 };

	if (!is_given_back)
		fields_add_text(&fields, BR_TAG_FAILURE,
			"a folder of the project could not be read");
	wire_send(&init->wire, BR_FRAME_ENDED, 0, fields.data, fields.len);
	wire_flush(&init->wire);
	while (wire_is_waiting(&init->wire) && !init->wire.is_closed &&
		!init->is_lost) {
		wait_for_something(init);
		work(init);
	}
}

/* Signals come through a descriptor, so that they arrive between two waits. */
static int take_signals(void)
{
	sigset_t taken;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&taken);
	(void)sigaddset(&taken, SIGCHLD);
	(void)sigaddset(&taken, SIGTERM);
	(void)sigaddset(&taken, SIGINT);
	if (sigprocmask(SIG_BLOCK, &taken, NULL) < 0)
		return -1;
	return signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* How long giving back may take; 0: as long as it does. */
static int64_t giveback_limit_us(const struct init *init)
{
	if (init->is_ending && !init->is_lost)
		return 0;
	return init->is_silent ? SILENT_GIVEBACK_US : LATE_GIVEBACK_US;
}

static void drop_all_stages(struct init *init)
{
	for (size_t i = 0; i < init->stage_count; i++)
		stage_free(init->stages[i]);
	init->stage_count = 0;
}

/* What runs goes on, and is not listened to any more. */
static void leave_all_stages(struct init *init)
{
	for (size_t i = 0; i < init->stage_count; i++)
		stage_abandon(init->stages[i], &init->leftovers);
	init->stage_count = 0;
}

/* Nobody speaks to us any more; the container is there until somebody ends it. */
static void stay(struct init *init)
{
	init->wire.in = -1;
	init->silence_us = 0;
	while (!init->has_signal) {
		wait_for_something(init);
		work(init);
	}
	procs_kill_all();
}

bool init_serve(int in, int out)
{
	struct init init = {
		.heard_us = clock_now_us(),
		.awake_us = clock_now_us(),
	};

	wire_open(&init.wire, in, out);
	init.signal_fd = take_signals();
	/* Without it no end of a process would be noticed. */
	if (init.signal_fd < 0)
		return false;
	say_hello(&init);
	while (!init.is_ending && !init.is_lost && !init.wire.is_closed) {
		wait_for_something(&init);
		work(&init);
	}

	bool is_good = init.is_ending && !init.is_lost;
	if (is_good && init.is_kept) {
		leave_all_stages(&init);
	} else {
		procs_kill_all();
		drop_all_stages(&init);
	}
	bool is_given_back =
		giveback_run(&init.giveback, giveback_limit_us(&init));
	giveback_done(&init.giveback);
	if (is_good)
		say_ended(&init, is_given_back);
	/* Where buildr has not heard it, it keeps nothing. */
	if (is_good && init.is_kept && !wire_is_waiting(&init.wire))
		stay(&init);
	return is_good;
}
