/* SPDX-License-Identifier: MIT */
#include "agent/report.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "event/bus.h"
#include "event/json.h"

/* Of a job that was never begun (contract.md). */
enum { EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3, EXIT_CANCELLED = 130 };

/* The common fields come first, and are some 150 bytes. */
enum { HEAD_BYTES = 300 };

struct backlog_sink {
	struct br_sink sink;
	struct backlog *backlog;
};

static bool keep(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct backlog_sink *sink = (struct backlog_sink *)self;
	br_autobuf struct br_buf line = { 0 };

	br_event_format(event, &line);
	return backlog_add(sink->backlog, line.data, line.len, err);
}

static int exit_of(const struct report *report)
{
	if (report->is_cancelled)
		return EXIT_CANCELLED;
	return report->is_tries ? EXIT_ENVIRONMENT : EXIT_USAGE;
}

bool report_emit(
	const struct report *report, struct br_sink *sink, struct br_err *err)
{
	struct br_bus bus = { .attempt = report->attempt };
	struct utsname host = { 0 };
	struct br_event started = {
		.type = BR_EVENT_BUILD_STARTED,
		.build_started = {
			.host = {
				.name = report->name,
				.system = host.sysname,
				.release = host.release,
				.machine = host.machine,
			},
			.version = BUILDR_VERSION,
		},
	};
	struct br_event notice = {
		.type = BR_EVENT_NOTICE,
		.notice = {
			.level = report->is_cancelled ? BR_LEVEL_INFO
						      : BR_LEVEL_ERROR,
			.text = report->text,
		},
	};
	struct br_event finished = {
		.type = BR_EVENT_BUILD_FINISHED,
		.build_finished = {
			.result = report->is_cancelled ? BR_RESULT_CANCELLED
						       : BR_RESULT_ERROR,
			.exit = exit_of(report),
			.reason = report->is_tries ? BR_REASON_TRIES
						   : BR_REASON_NONE,
			.host = started.build_started.host,
		},
	};

	(void)uname(&host);
	memcpy(bus.build, report->build, sizeof(bus.build));
	br_bus_add(&bus, sink);
	return br_bus_emit(&bus, &started, err) &&
		br_bus_emit(&bus, &notice, err) &&
		br_bus_emit(&bus, &finished, err);
}

bool report_error(const struct report *report, struct backlog *backlog,
	struct br_err *err)
{
	struct backlog_sink sink = { .sink = { .handle = keep },
		.backlog = backlog };

	return report_emit(report, &sink.sink, err);
}

bool report_has_type(struct br_str line, const char *type)
{
	size_t len = line.len < HEAD_BYTES ? line.len : HEAD_BYTES;

	return memmem(line.data, len, type, strlen(type)) != NULL;
}

void report_read_end(
	struct br_str line, enum br_result *result, double *seconds)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	struct br_err ignored = { 0 };

	*result = BR_RESULT_ERROR;
	if (br_event_parse(line, &arena, &event, &ignored)) {
		*result = event.build_finished.result;
		*seconds = event.build_finished.seconds;
	}
	br_arena_done(&arena);
}

char *report_routing_key(const char *build, struct br_str line)
{
	static const char mark[] = "\"type\":\"";
	size_t len = line.len < HEAD_BYTES ? line.len : HEAD_BYTES;
	const char *at = memmem(line.data, len, mark, sizeof(mark) - 1);
	size_t type_len = 0;

	if (!at)
		return br_format("%s.event", build);
	at += sizeof(mark) - 1;
	while (at + type_len < line.data + line.len && at[type_len] != '"')
		type_len++;
	return br_format("%s.%.*s", build, (int)type_len, at);
}
