/* SPDX-License-Identifier: MIT */
#include "run/services.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "session/session.h"

/* Numbers of the stages in a service's session. */
enum { NUMBER_MAIN = 1, NUMBER_READY = 2 };

enum {
	/* Between two runs of a command that says whether it is ready. */
	LOOK_INTERVAL_MS = 100,
	/* What is shown of a service: the last lines of this much. */
	TAIL_BYTES = 8 * 1024,
	/* Before the oldest bytes are thrown away. */
	TAIL_KEPT_BYTES = 4 * TAIL_BYTES,
	TAIL_LINES = 20,
};

static void keep_output(void *ctx, enum br_stream stream, struct br_str piece)
{
	struct br_service_run *service = ctx;
	struct br_buf *tail = &service->tail;

	(void)stream;
	service->is_shown = false;
	br_buf_add(tail, piece.data, piece.len);
	if (tail->len > TAIL_KEPT_BYTES)
		br_buf_drop(tail, tail->len - TAIL_BYTES);
}

void br_services_init(struct br_services_run *services,
	const struct br_services_options *options)
{
	const struct br_plan *plan = options->plan;

	*services = (struct br_services_run){
		.options = *options,
		.items = br_alloc_array(
			plan->service_count, sizeof(*services->items)),
		.count = plan->service_count,
	};
	for (size_t i = 0; i < services->count; i++) {
		struct br_service_run *service = &services->items[i];

		*service = (struct br_service_run){
			.service = &plan->services[i],
			.host = br_hosts_add(options->hosts,
				plan->services[i].image, &plan->services[i]),
			.is_in_host_network = !options->hosts->network,
			.owner = services,
			.user_count = plan->services[i].users.count,
			.deadline_ms = -1,
			.look_ms = -1,
		};
		br_output_init(&service->output, options->emitter->mask,
			keep_output, service);
	}
}

void br_services_done(struct br_services_run *services)
{
	for (size_t i = 0; i < services->count; i++) {
		br_output_done(&services->items[i].output);
		br_buf_done(&services->items[i].tail);
	}
	free(services->items);
	*services = (struct br_services_run){ 0 };
}

/* Where the last lines begin. */
static const char *find_tail(const struct br_buf *tail)
{
	const char *text = br_buf_text(tail);
	const char *at = text + tail->len;
	int lines = 0;

	if (at > text && at[-1] == '\n')
		at--;
	while (at > text && (size_t)(text + tail->len - at) < TAIL_BYTES) {
		if (at[-1] == '\n' && ++lines == TAIL_LINES)
			break;
		at--;
	}
	return at;
}

void br_service_show(struct br_service_run *service, enum br_level level)
{
	struct br_emitter *emitter = service->owner->options.emitter;

	br_output_flush(&service->output);
	if (service->is_shown || service->tail.len == 0)
		return;
	service->is_shown = true;

	const char *line = find_tail(&service->tail);
	br_emit_notice(emitter, level,
		"the last that service '%s' wrote:", service->service->alias);
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		br_emit_notice(emitter, level, "%s | %.*s",
			service->service->alias, (int)len, line);
		line += len + (line[len] == '\n' ? 1 : 0);
	}
}

/* Nothing more comes of it: the container goes, and the stages are told. */
static void fail(struct br_service_run *service, const char *why)
{
	const struct br_services_options *options = &service->owner->options;

	br_emit_notice(options->emitter, BR_LEVEL_ERROR, "service '%s': %s",
		service->service->alias, why);
	br_service_show(service, BR_LEVEL_ERROR);
	service->state = BR_SERVICE_FAILED;
	service->deadline_ms = -1;
	service->look_ms = -1;
	br_host_release(service->host);
	options->changed(options->ctx, service);
}

static void become_ready(struct br_service_run *service)
{
	const struct br_services_options *options = &service->owner->options;

	service->state = BR_SERVICE_READY;
	service->deadline_ms = -1;
	service->look_ms = -1;
	options->changed(options->ctx, service);
}

/* What says that it is ready, as a step; false: it is once it was started. */
static bool find_readiness(
	const struct br_service_run *service, struct br_session_step *step)
{
	const struct br_container_words *health =
		&service->host->container.words[BR_WORDS_HEALTH];

	switch (service->service->ready) {
	case BR_READY_PORT:
		step->port = service->service->port;
		step->port_is_local = service->is_in_host_network;
		return true;
	case BR_READY_COMMAND:
		step->argv = service->service->ready_command;
		return true;
	case BR_READY_IMAGE:
		step->argv = (const char *const *)health->items;
		return health->count > 0;
	}
	return false;
}

static void start(struct br_service_run *service, unsigned number,
	const struct br_session_step *step)
{
	const struct br_container *container = &service->host->container;
	bool has_workdir = container->workdir && container->workdir[0] != '\0';
	bool has_user = container->user && container->user[0] != '\0';
	const struct br_session_stage what = {
		.steps = step,
		.step_count = 1,
		.environment = service->service->environment,
		.workdir = has_workdir ? container->workdir : NULL,
		.user = has_user ? container->user : NULL,
	};

	br_session_start(container->session, number, &what);
}

static void look(struct br_service_run *service)
{
	struct br_session_step step = { 0 };

	service->look_ms = -1;
	if (!find_readiness(service, &step)) {
		become_ready(service);
		return;
	}
	service->is_looking = true;
	start(service, NUMBER_READY, &step);
}

/* The image's ENTRYPOINT, then its CMD or what the manifest has instead. */
static const char **make_command(const struct br_service_run *service)
{
	const struct br_container_words *words = service->host->container.words;
	const struct br_container_words *entry = &words[BR_WORDS_ENTRYPOINT];
	const struct br_container_words *image = &words[BR_WORDS_COMMAND];
	const char *const *command = service->service->command;
	size_t count = image->count;

	if (!command)
		command = (const char *const *)image->items;
	else
		for (count = 0; command[count];)
			count++;

	const char **argv =
		br_alloc_array(entry->count + count + 1, sizeof(*argv));
	for (size_t i = 0; i < entry->count; i++)
		argv[i] = entry->items[i];
	for (size_t i = 0; i < count; i++)
		argv[entry->count + i] = command[i];
	return argv;
}

static void come_up(struct br_service_run *service)
{
	br_autofree const char **argv = make_command(service);
	const struct br_session_step step = { .argv = argv };

	if (!argv[0]) {
		fail(service,
			"its image has no command of its own: give one with "
			"'command'");
		return;
	}
	service->deadline_ms = br_clock_now_ms() + service->service->timeout_ms;
	start(service, NUMBER_MAIN, &step);
	look(service);
}

static bool on_step_started(
	void *ctx, unsigned stage, unsigned step, struct br_err *err)
{
	(void)ctx;
	(void)stage;
	(void)step;
	(void)err;
	return true;
}

static bool on_step_finished(void *ctx, unsigned stage,
	const struct br_step_report *report, struct br_err *err)
{
	(void)ctx;
	(void)stage;
	(void)report;
	(void)err;
	return true;
}

static bool on_output(void *ctx, unsigned stage, enum br_output_stream stream,
	const char *data, size_t len, struct br_err *err)
{
	struct br_service_run *service = ctx;

	(void)err;
	if (stage == NUMBER_MAIN)
		br_output_feed(&service->output,
			stream == BR_OUTPUT_STDERR ? BR_STREAM_STDERR
						   : BR_STREAM_STDOUT,
			(struct br_str){ .data = data, .len = len },
			br_clock_now_ms());
	return true;
}

/* What looked whether it is ready has come to an answer. */
static void take_answer(
	struct br_service_run *service, const struct br_stage_report *report)
{
	int64_t interval_ms = service->host->container.health_interval_ms;

	service->is_looking = false;
	if (service->state != BR_SERVICE_STARTING)
		return;
	if (report->failure) {
		fail(service, report->failure);
		return;
	}
	if (report->status == 0) {
		become_ready(service);
		return;
	}
	/* An image that wants to be looked at often is. */
	if (interval_ms <= 0 || interval_ms > LOOK_INTERVAL_MS)
		interval_ms = LOOK_INTERVAL_MS;
	service->look_ms = br_clock_now_ms() + interval_ms;
}

static bool on_stage_finished(void *ctx, unsigned stage,
	const struct br_stage_report *report, struct br_err *err)
{
	struct br_service_run *service = ctx;
	br_autofree char *why = NULL;

	(void)err;
	if (stage != NUMBER_MAIN) {
		take_answer(service, report);
		return true;
	}
	/* Nobody needs it any more, or it has been told already. */
	if (service->state != BR_SERVICE_STARTING &&
		service->state != BR_SERVICE_READY)
		return true;
	why = report->failure
		? br_strdup(report->failure)
		: br_format("it ended with status %d", report->status);
	fail(service, why);
	return true;
}

void br_service_want(struct br_service_run *service)
{
	if (service->state != BR_SERVICE_IDLE &&
		service->state != BR_SERVICE_FAILED)
		return;
	service->state = BR_SERVICE_STARTING;
	service->is_unavailable = false;
	br_buf_clear(&service->tail);
	service->host->handlers = (struct br_session_handlers){
		.ctx = service,
		.step_started = on_step_started,
		.output = on_output,
		.step_finished = on_step_finished,
		.stage_finished = on_stage_finished,
	};
	br_host_want(service->host);
}

void br_services_host_changed(
	struct br_services_run *services, struct br_host *host)
{
	for (size_t i = 0; i < services->count; i++) {
		struct br_service_run *service = &services->items[i];

		if (service->host != host)
			continue;
		if (host->state == BR_HOST_UP) {
			come_up(service);
		} else if (service->state != BR_SERVICE_FAILED) {
			service->is_unavailable = true;
			fail(service, host->err.text);
		}
	}
}

void br_service_leave(struct br_service_run *service)
{
	service->user_count--;
	if (service->user_count > 0 || service->state == BR_SERVICE_FAILED)
		return;
	service->state = BR_SERVICE_IDLE;
	service->deadline_ms = -1;
	service->look_ms = -1;
	br_host_release(service->host);
}

int64_t br_services_deadline_ms(const struct br_services_run *services)
{
	int64_t deadline_ms = -1;

	for (size_t i = 0; i < services->count; i++) {
		const struct br_service_run *service = &services->items[i];

		deadline_ms =
			br_clock_earlier(deadline_ms, service->deadline_ms);
		deadline_ms = br_clock_earlier(deadline_ms, service->look_ms);
	}
	return deadline_ms;
}

void br_services_tick(struct br_services_run *services)
{
	int64_t now_ms = br_clock_now_ms();

	for (size_t i = 0; i < services->count; i++) {
		struct br_service_run *service = &services->items[i];

		br_output_tick(&service->output, now_ms);
		if (service->deadline_ms >= 0 &&
			service->deadline_ms <= now_ms) {
			br_autofree char *why = br_format(
				"it is not ready after %.1f seconds",
				(double)service->service->timeout_ms / 1000);

			fail(service, why);
		} else if (service->look_ms >= 0 &&
			service->look_ms <= now_ms) {
			look(service);
		}
	}
}
