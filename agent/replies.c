/* SPDX-License-Identifier: MIT */
#include "agent/replies.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/json_text.h"
#include "event/json.h"

void replies_done(struct replies *replies)
{
	free(replies->repo);
	free(replies->branch);
	*replies = (struct replies){ 0 };
}

static void add(struct br_buf *texts, struct br_str message, const char *result)
{
	br_buf_add_text(texts, "{\"message\":");
	br_json_add_string(texts, message);
	br_buf_add_text(texts, ",\"result\":");
	br_json_add_string(texts, br_str(result));
	br_buf_add_text(texts, "}\n");
}

static void add_pending(struct br_buf *texts, struct br_str message)
{
	add(texts, message, "Pending");
}

static void start(const struct replies *replies, const struct br_event *event,
	struct br_buf *texts)
{
	br_autobuf struct br_buf cloning = { 0 };
	const char *branch = event->build_started.branch;

	if (!branch)
		branch = replies->branch;

	add_pending(texts, br_str("Starting new build"));
	br_buf_addf(&cloning, "Cloning repository \"%s%s%s\"", replies->repo,
		branch ? "@" : "", branch ? branch : "");
	add_pending(texts, br_buf_str(&cloning));
}

static const char *result_of(enum br_result result)
{
	switch (result) {
	case BR_RESULT_PASS:
	case BR_RESULT_CACHED:
	case BR_RESULT_SKIPPED:
		return "Pass";
	case BR_RESULT_FAIL:
		return "Fail";
	case BR_RESULT_ERROR:
	case BR_RESULT_CANCELLED:
		break;
	}
	return "Error";
}

void replies_make(
	struct replies *replies, struct br_str event, struct br_buf *texts)
{
	struct br_arena arena = { 0 };
	struct br_event read = { 0 };
	struct br_err ignored = { 0 };

	if (br_event_parse(event, &arena, &read, &ignored)) {
		if (read.type == BR_EVENT_BUILD_STARTED) {
			start(replies, &read, texts);
		} else if (read.type == BR_EVENT_OUTPUT) {
			add_pending(texts, read.output.data);
		} else if (read.type == BR_EVENT_NOTICE &&
			read.notice.level == BR_LEVEL_ERROR &&
			(replies->error_seq == 0 ||
				replies->error_seq == read.seq)) {
			replies->error_seq = read.seq;
			add_pending(texts, br_str(read.notice.text));
		} else if (read.type == BR_EVENT_BUILD_FINISHED) {
			add(texts, br_str("Build Finished"),
				result_of(read.build_finished.result));
		}
	}
	br_arena_done(&arena);
}
