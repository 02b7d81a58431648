/* SPDX-License-Identifier: MIT */
#include "event/event.h"

#include <string.h>

/* One field: its key, its kind, and the member that holds it. */
#define FIELD(key, field_kind, member) \
	.name = (key), .kind = (field_kind), \
	.offset = offsetof(struct br_event, member)
#define FIELDS(array) \
	.fields = (array), .field_count = sizeof(array) / sizeof((array)[0])

/* A job that could not even be read has a build.started without most of it. */
static const struct br_event_field build_started[] = {
	{ FIELD("project", BR_FIELD_STRING, build_started.project),
		.is_optional = true },
	{ FIELD("manifest", BR_FIELD_STRING, build_started.manifest),
		.is_optional = true },
	{ FIELD("image", BR_FIELD_STRING, build_started.image),
		.is_optional = true },
	{ FIELD("stages", BR_FIELD_NAMES, build_started.stages),
		.is_optional = true },
	{ FIELD("host", BR_FIELD_HOST, build_started.host) },
	{ FIELD("version", BR_FIELD_STRING, build_started.version) },
	{ FIELD("repo", BR_FIELD_STRING, build_started.repo),
		.is_optional = true },
	{ FIELD("branch", BR_FIELD_STRING, build_started.branch),
		.is_optional = true },
	{ FIELD("commit", BR_FIELD_STRING, build_started.commit),
		.is_optional = true },
};

static const struct br_event_field image_pulling[] = {
	{ FIELD("image", BR_FIELD_STRING, image_pulling.image) },
	{ FIELD("done", BR_FIELD_INT, image_pulling.done),
		.is_optional = true },
	{ FIELD("total", BR_FIELD_INT, image_pulling.total),
		.is_optional = true },
};

static const struct br_event_field image_ready[] = {
	{ FIELD("image", BR_FIELD_STRING, image_ready.image) },
	{ FIELD("digest", BR_FIELD_STRING, image_ready.digest),
		.is_optional = true },
	{ FIELD("seconds", BR_FIELD_SECONDS, image_ready.seconds) },
};

static const struct br_event_field container_started[] = {
	{ FIELD("container", BR_FIELD_STRING, container_started.container) },
	{ FIELD("image", BR_FIELD_STRING, container_started.image) },
	{ FIELD("seconds", BR_FIELD_SECONDS, container_started.seconds) },
};

static const struct br_event_field stage_started[] = {
	{ FIELD("stage", BR_FIELD_STRING, stage_started.stage) },
	{ FIELD("attempt", BR_FIELD_COUNT, stage_started.attempt) },
	{ FIELD("image", BR_FIELD_STRING, stage_started.image) },
	{ FIELD("steps", BR_FIELD_COUNT, stage_started.steps) },
};

static const struct br_event_field step_started[] = {
	{ FIELD("stage", BR_FIELD_STRING, step_started.stage) },
	{ FIELD("step", BR_FIELD_COUNT, step_started.step) },
	{ FIELD("command", BR_FIELD_STRING, step_started.command) },
	{ FIELD("line", BR_FIELD_COUNT, step_started.line) },
};

static const struct br_event_field output[] = {
	{ FIELD("stage", BR_FIELD_STRING, output.stage) },
	{ FIELD("step", BR_FIELD_COUNT, output.step) },
	{ FIELD("stream", BR_FIELD_STREAM, output.stream) },
	{ FIELD("text", BR_FIELD_BYTES, output.data) },
};

static const struct br_event_field step_finished[] = {
	{ FIELD("stage", BR_FIELD_STRING, step_finished.stage) },
	{ FIELD("step", BR_FIELD_COUNT, step_finished.step) },
	{ FIELD("status", BR_FIELD_INT, step_finished.status) },
	{ FIELD("seconds", BR_FIELD_SECONDS, step_finished.seconds) },
	{ FIELD("cpu_seconds", BR_FIELD_SECONDS, step_finished.cpu_seconds) },
	{ FIELD("max_rss", BR_FIELD_INT, step_finished.max_rss) },
};

static const struct br_event_field stage_finished[] = {
	{ FIELD("stage", BR_FIELD_STRING, stage_finished.stage) },
	{ FIELD("attempt", BR_FIELD_COUNT, stage_finished.attempt) },
	{ FIELD("result", BR_FIELD_RESULT, stage_finished.result) },
	{ FIELD("seconds", BR_FIELD_SECONDS, stage_finished.seconds) },
	{ FIELD("reason", BR_FIELD_REASON, stage_finished.reason),
		.is_optional = true },
	{ FIELD("step", BR_FIELD_COUNT, stage_finished.step),
		.is_optional = true },
	{ FIELD("status", BR_FIELD_INT, stage_finished.status),
		.is_optional = true },
};

static const struct br_event_field stage_skipped[] = {
	{ FIELD("stage", BR_FIELD_STRING, stage_skipped.stage) },
	{ FIELD("reason", BR_FIELD_REASON, stage_skipped.reason) },
};

static const struct br_event_field cache[] = {
	{ FIELD("stage", BR_FIELD_STRING, cache.stage) },
	{ FIELD("key", BR_FIELD_STRING, cache.key) },
};

static const struct br_event_field cache_miss[] = {
	{ FIELD("stage", BR_FIELD_STRING, cache.stage) },
	{ FIELD("key", BR_FIELD_STRING, cache.key) },
	{ FIELD("why", BR_FIELD_STRING, cache.why) },
};

static const struct br_event_field notice[] = {
	{ FIELD("level", BR_FIELD_LEVEL, notice.level) },
	{ FIELD("text", BR_FIELD_STRING, notice.text) },
};

static const struct br_event_field build_finished[] = {
	{ FIELD("result", BR_FIELD_RESULT, build_finished.result) },
	{ FIELD("exit", BR_FIELD_INT, build_finished.exit) },
	{ FIELD("reason", BR_FIELD_REASON, build_finished.reason),
		.is_optional = true },
	{ FIELD("seconds", BR_FIELD_SECONDS, build_finished.seconds) },
	{ FIELD("host", BR_FIELD_HOST, build_finished.host),
		.is_optional = true },
	{ FIELD("stages", BR_FIELD_RESULTS, build_finished.stages) },
};

const struct br_event_desc br_event_descs[BR_EVENT_TYPES] = {
	[BR_EVENT_BUILD_STARTED] = { "build.started", FIELDS(build_started) },
	[BR_EVENT_IMAGE_PULLING] = { "image.pulling", FIELDS(image_pulling) },
	[BR_EVENT_IMAGE_READY] = { "image.ready", FIELDS(image_ready) },
	[BR_EVENT_CONTAINER_STARTED] = { "container.started",
		FIELDS(container_started) },
	[BR_EVENT_STAGE_STARTED] = { "stage.started", FIELDS(stage_started) },
	[BR_EVENT_STEP_STARTED] = { "step.started", FIELDS(step_started) },
	[BR_EVENT_OUTPUT] = { "output", FIELDS(output) },
	[BR_EVENT_STEP_FINISHED] = { "step.finished", FIELDS(step_finished) },
	[BR_EVENT_STAGE_FINISHED] = { "stage.finished",
		FIELDS(stage_finished) },
	[BR_EVENT_STAGE_SKIPPED] = { "stage.skipped", FIELDS(stage_skipped) },
	[BR_EVENT_CACHE_HIT] = { "cache.hit", FIELDS(cache) },
	[BR_EVENT_CACHE_MISS] = { "cache.miss", FIELDS(cache_miss) },
	[BR_EVENT_CACHE_STORED] = { "cache.stored", FIELDS(cache) },
	[BR_EVENT_NOTICE] = { "notice", FIELDS(notice) },
	[BR_EVENT_BUILD_FINISHED] = { "build.finished",
		FIELDS(build_finished) },
};

static const char *const stream_names[] = {
	[BR_STREAM_STDOUT] = "stdout",
	[BR_STREAM_STDERR] = "stderr",
};

static const char *const level_names[] = {
	[BR_LEVEL_INFO] = "info",
	[BR_LEVEL_WARNING] = "warning",
	[BR_LEVEL_ERROR] = "error",
};

static const char *const result_names[] = {
	[BR_RESULT_PASS] = "pass",
	[BR_RESULT_FAIL] = "fail",
	[BR_RESULT_ERROR] = "error",
	[BR_RESULT_CANCELLED] = "cancelled",
	[BR_RESULT_CACHED] = "cached",
	[BR_RESULT_SKIPPED] = "skipped",
};

/* NONE stands for a field that is absent, and has no name to be found by. */
static const char *const reason_names[] = {
	[BR_REASON_NONE] = "",
	[BR_REASON_STATUS] = "status",
	[BR_REASON_TIMEOUT] = "timeout",
	[BR_REASON_SIGNAL] = "signal",
	[BR_REASON_MEMORY] = "memory",
	[BR_REASON_OUTPUTS] = "outputs",
	[BR_REASON_SERVICE] = "service",
	[BR_REASON_CANCELLED] = "cancelled",
	[BR_REASON_ENGINE] = "engine",
	[BR_REASON_WHEN] = "when",
	[BR_REASON_NEEDS] = "needs",
	[BR_REASON_SELECTION] = "selection",
	[BR_REASON_FAIL_FAST] = "fail-fast",
	[BR_REASON_TRIES] = "tries",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Give the index of `name`, or -1. */
static int find_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (name[0] != '\0' && strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

const char *br_stream_name(enum br_stream stream)
{
	return stream_names[stream];
}

const char *br_level_name(enum br_level level)
{
	return level_names[level];
}

const char *br_result_name(enum br_result result)
{
	return result_names[result];
}

const char *br_reason_name(enum br_reason reason)
{
	return reason_names[reason];
}

bool br_stream_find(const char *name, enum br_stream *stream)
{
	int found = find_name(stream_names, COUNT(stream_names), name);

	if (found >= 0)
		*stream = (enum br_stream)found;
	return found >= 0;
}

bool br_level_find(const char *name, enum br_level *level)
{
	int found = find_name(level_names, COUNT(level_names), name);

	if (found >= 0)
		*level = (enum br_level)found;
	return found >= 0;
}

bool br_result_find(const char *name, enum br_result *result)
{
	int found = find_name(result_names, COUNT(result_names), name);

	if (found >= 0)
		*result = (enum br_result)found;
	return found >= 0;
}

bool br_reason_find(const char *name, enum br_reason *reason)
{
	int found = find_name(reason_names, COUNT(reason_names), name);

	if (found >= 0)
		*reason = (enum br_reason)found;
	return found >= 0;
}

bool br_event_type_find(const char *name, enum br_event_type *type)
{
	for (size_t i = 0; i < BR_EVENT_TYPES; i++) {
		if (strcmp(br_event_descs[i].name, name) == 0) {
			*type = (enum br_event_type)i;
			return true;
		}
	}
	return false;
}

const char *br_event_find_stage(const struct br_event *event)
{
	switch (event->type) {
	case BR_EVENT_STAGE_STARTED:
		return event->stage_started.stage;
	case BR_EVENT_STEP_STARTED:
		return event->step_started.stage;
	case BR_EVENT_OUTPUT:
		return event->output.stage;
	case BR_EVENT_STEP_FINISHED:
		return event->step_finished.stage;
	case BR_EVENT_STAGE_FINISHED:
		return event->stage_finished.stage;
	case BR_EVENT_STAGE_SKIPPED:
		return event->stage_skipped.stage;
	case BR_EVENT_CACHE_HIT:
	case BR_EVENT_CACHE_MISS:
	case BR_EVENT_CACHE_STORED:
		return event->cache.stage;
	case BR_EVENT_BUILD_STARTED:
	case BR_EVENT_IMAGE_PULLING:
	case BR_EVENT_IMAGE_READY:
	case BR_EVENT_CONTAINER_STARTED:
	case BR_EVENT_NOTICE:
	case BR_EVENT_BUILD_FINISHED:
		return NULL;
	}
	return NULL;
}
