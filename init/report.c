/* SPDX-License-Identifier: MIT */
#include "init/report.h"

static void send_fields(const struct stage *stage, enum br_frame_type type,
	const struct fields *fields)
{
	wire_send(stage->wire, type, stage->number, fields->data, fields->len);
}

/* A figure that came out negative is none. */
static void add_figure(struct fields *fields, uint8_t tag, int64_t figure)
{
	fields_add_number(fields, tag, figure > 0 ? (uint64_t)figure : 0);
}

void report_step_started(const struct stage *stage)
{
	struct fields fields = { .len = 0 };

	fields_add_number(&fields, BR_TAG_STEP_NUMBER, stage->step + 1);
	send_fields(stage, BR_FRAME_STEP_STARTED, &fields);
}

void report_step_finished(const struct stage *stage)
{
	const struct step_run *run = &stage->run;
	struct fields fields = { .len = 0 };
	/* -1 where it could not be read. */
	bool is_oom = run->status != 0 && run->oom_kills_before >= 0 &&
		oom_kill_count() > run->oom_kills_before;

	fields_add_number(&fields, BR_TAG_STEP_NUMBER, stage->step + 1);
	fields_add_number(&fields, BR_TAG_STATUS, (uint64_t)run->status);
	add_figure(&fields, BR_TAG_WALL_US, run->end_us - run->start_us);
	add_figure(&fields, BR_TAG_CPU_US, run->cpu_us);
	add_figure(&fields, BR_TAG_MAX_RSS, run->max_rss_bytes);
	if (is_oom)
		fields_add_number(&fields, BR_TAG_IS_OOM, 1);
	if (run->is_signal)
		fields_add_number(&fields, BR_TAG_IS_SIGNAL, 1);
	send_fields(stage, BR_FRAME_STEP_FINISHED, &fields);
}

void report_stage_finished(const struct stage *stage, int status,
	const char *failure, enum br_failure_kind kind)
{
	struct fields fields = { .len = 0 };

	fields_add_number(&fields, BR_TAG_STATUS, (uint64_t)status);
	if (failure) {
		fields_add_text(&fields, BR_TAG_FAILURE, failure);
		fields_add_number(&fields, BR_TAG_FAILURE_KIND, kind);
	}
	send_fields(stage, BR_FRAME_STAGE_FINISHED, &fields);
}
