/* SPDX-License-Identifier: MIT */
/*
 * event.h - everything that happens in a build, as one type.
 *
 * The terminal, JSON lines and the log are views of this stream and of nothing
 * else. Names, fields and order are the contract's; `schemas/event.schema.json`
 * describes the JSON form, and the table br_event_descs says the same to the code
 * that reads and writes it.
 *
 * Events are call-lived: what they point to is good until the callee returns.
 * Strings that are absent are NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "base/uuid.h"

enum br_event_type {
	BR_EVENT_BUILD_STARTED,
	BR_EVENT_IMAGE_PULLING,
	BR_EVENT_IMAGE_READY,
	BR_EVENT_CONTAINER_STARTED,
	BR_EVENT_STAGE_STARTED,
	BR_EVENT_STEP_STARTED,
	BR_EVENT_OUTPUT,
	BR_EVENT_STEP_FINISHED,
	BR_EVENT_STAGE_FINISHED,
	BR_EVENT_STAGE_SKIPPED,
	BR_EVENT_CACHE_HIT,
	BR_EVENT_CACHE_MISS,
	BR_EVENT_CACHE_STORED,
	BR_EVENT_NOTICE,
	BR_EVENT_BUILD_FINISHED,
};
enum { BR_EVENT_TYPES = BR_EVENT_BUILD_FINISHED + 1 };

enum br_stream {
	BR_STREAM_STDOUT,
	BR_STREAM_STDERR,
};

enum br_level {
	BR_LEVEL_INFO,
	BR_LEVEL_WARNING,
	BR_LEVEL_ERROR,
};

/* Of a stage; a build has only PASS, FAIL, ERROR and CANCELLED. */
enum br_result {
	BR_RESULT_PASS,
	BR_RESULT_FAIL,
	BR_RESULT_ERROR,
	BR_RESULT_CANCELLED,
	BR_RESULT_CACHED,
	BR_RESULT_SKIPPED,
};

/* Why a stage did not pass, or was skipped. NONE is not written. */
enum br_reason {
	BR_REASON_NONE,
	BR_REASON_STATUS,
	BR_REASON_TIMEOUT,
	BR_REASON_SIGNAL,
	BR_REASON_MEMORY,
	BR_REASON_OUTPUTS,
	BR_REASON_SERVICE,
	BR_REASON_CANCELLED,
	BR_REASON_ENGINE,
	BR_REASON_WHEN,
	BR_REASON_NEEDS,
	BR_REASON_SELECTION,
	BR_REASON_FAIL_FAST,
	/* Of a build: an agent's or engine's failure ended each of its tries. */
	BR_REASON_TRIES,
};

struct br_event_host {
	const char *name;
	const char *system;
	const char *release;
	const char *machine;
};

struct br_names {
	const char *const *items;
	size_t count;
};

struct br_stage_result {
	const char *stage;
	enum br_result result;
};

struct br_stage_results {
	const struct br_stage_result *items;
	size_t count;
};

struct br_event {
	enum br_event_type type;
	/* Counts from 1 without gaps within a try; set by the bus. */
	uint64_t seq;
	/* `try`: 1, and more when an agent runs a job again; set by the bus. */
	uint32_t attempt;
	/* Microseconds since 1970; set by the bus. */
	int64_t wall_us;
	/* The build's UUID; set by the bus. */
	char build[BR_UUID_TEXT_BYTES];
	union {
		struct {
			const char *project;
			const char *manifest;
			const char *image;
			struct br_names stages;
			struct br_event_host host;
			const char *version;
			/* Of a checkout; NULL without one. */
			const char *repo;
			const char *branch;
			const char *commit;
		} build_started;
		struct {
			const char *image;
			/* Bytes; -1: not known yet. */
			int64_t done;
			int64_t total;
		} image_pulling;
		struct {
			const char *image;
			const char *digest;
			double seconds;
		} image_ready;
		struct {
			const char *container;
			const char *image;
			double seconds;
		} container_started;
		struct {
			const char *stage;
			int64_t attempt;
			const char *image;
			int64_t steps;
		} stage_started;
		struct {
			const char *stage;
			int64_t step;
			const char *command;
			int64_t line;
		} step_started;
		struct {
			const char *stage;
			int64_t step;
			enum br_stream stream;
			/* Any bytes; JSON has `text` or `base64` for them. */
			struct br_str data;
		} output;
		struct {
			const char *stage;
			int64_t step;
			int64_t status;
			double seconds;
			double cpu_seconds;
			int64_t max_rss;
		} step_finished;
		struct {
			const char *stage;
			int64_t attempt;
			enum br_result result;
			double seconds;
			/* NONE unless it did not pass. */
			enum br_reason reason;
			/* 0: no step is to blame. */
			int64_t step;
			/* -1: none. */
			int64_t status;
		} stage_finished;
		struct {
			const char *stage;
			enum br_reason reason;
		} stage_skipped;
		struct {
			const char *stage;
			const char *key;
			/* Only of a miss. */
			const char *why;
		} cache;
		struct {
			enum br_level level;
			const char *text;
		} notice;
		struct {
			enum br_result result;
			int64_t exit;
			/* TRIES, or NONE. */
			enum br_reason reason;
			double seconds;
			/* Without a name: it is not told. */
			struct br_event_host host;
			struct br_stage_results stages;
		} build_finished;
	};
};

enum br_field_kind {
	/* const char *; NULL: absent. */
	BR_FIELD_STRING,
	/* int64_t; an optional one is absent when negative. */
	BR_FIELD_INT,
	/* int64_t; absent when 0 and optional. */
	BR_FIELD_COUNT,
	/* double, as seconds with microseconds. */
	BR_FIELD_SECONDS,
	/* enum br_stream, br_level, br_result, br_reason by their names. */
	BR_FIELD_STREAM,
	BR_FIELD_LEVEL,
	BR_FIELD_RESULT,
	/* Absent when BR_REASON_NONE. */
	BR_FIELD_REASON,
	/* struct br_str: the JSON key is `text` or `base64`. */
	BR_FIELD_BYTES,
	/* struct br_names. */
	BR_FIELD_NAMES,
	/* struct br_event_host. */
	BR_FIELD_HOST,
	/* struct br_stage_results. */
	BR_FIELD_RESULTS,
};

struct br_event_field {
	const char *name;
	/* Of the member in struct br_event. */
	size_t offset;
	enum br_field_kind kind;
	/* May be absent. */
	bool is_optional;
};

struct br_event_desc {
	/* As in the contract: `step.started`. */
	const char *name;
	const struct br_event_field *fields;
	size_t field_count;
};

/* One row for each type, in the order of the enum. */
extern const struct br_event_desc br_event_descs[BR_EVENT_TYPES];

/* Give the contract's name of a value. Never NULL, static. */
const char *br_stream_name(enum br_stream stream);
const char *br_level_name(enum br_level level);
const char *br_result_name(enum br_result result);
const char *br_reason_name(enum br_reason reason);

/*
 * Find the value that `name` stands for. Gives false, and leaves the output
 * alone, where there is none.
 */
bool br_stream_find(const char *name, enum br_stream *stream);
bool br_level_find(const char *name, enum br_level *level);
bool br_result_find(const char *name, enum br_result *result);
bool br_reason_find(const char *name, enum br_reason *reason);
bool br_event_type_find(const char *name, enum br_event_type *type);

/*
 * Find the one stage that `event` is of. Gives NULL where it is of the whole build.
 * Borrowed as the event is.
 */
const char *br_event_find_stage(const struct br_event *event);
