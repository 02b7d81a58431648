/* SPDX-License-Identifier: MIT */
#include "agent/metrics.h"

#include <inttypes.h>

void metrics_add_report(
	struct metrics *metrics, enum br_result result, double seconds)
{
	/* The others are results of stages only. */
	if (result > BR_RESULT_CANCELLED)
		result = BR_RESULT_ERROR;
	metrics->jobs[result]++;
	metrics->build_seconds += seconds;
}

static void add_head(
	struct br_buf *text, const char *name, const char *type, const char *is)
{
	br_buf_addf(text,
		"# HELP buildr_agent_%s %s\n"
		"# TYPE buildr_agent_%s %s\n",
		name, is, name, type);
}

static void add_number(struct br_buf *text, const char *name, const char *type,
	const char *is, uint64_t value)
{
	add_head(text, name, type, is);
	br_buf_addf(text, "buildr_agent_%s %" PRIu64 "\n", name, value);
}

/* The value of a label. */
static void add_quoted(struct br_buf *text, const char *value)
{
	br_buf_add_char(text, '"');
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			br_buf_add_char(text, '\\');
		if (*value == '\n')
			br_buf_add_text(text, "\\n");
		else
			br_buf_add_char(text, *value);
	}
	br_buf_add_char(text, '"');
}

static void add_info(struct br_buf *text, const struct metrics_now *now)
{
	add_head(text, "info", "gauge", "This agent.");
	br_buf_add_text(text, "buildr_agent_info{name=");
	add_quoted(text, now->name);
	br_buf_add_text(text, ",version=");
	add_quoted(text, now->version);
	br_buf_add_text(text, "} 1\n");
}

static void add_jobs(struct br_buf *text, const struct metrics *metrics)
{
	uint64_t count = 0;

	add_head(text, "jobs_total", "counter", "Jobs reported, by result.");
	for (size_t i = 0; i <= BR_RESULT_CANCELLED; i++) {
		br_buf_addf(text,
			"buildr_agent_jobs_total{result=\"%s\"} %" PRIu64 "\n",
			br_result_name((enum br_result)i), metrics->jobs[i]);
		count += metrics->jobs[i];
	}
	add_head(text, "build_seconds", "summary", "How long builds took.");
	br_buf_addf(text,
		"buildr_agent_build_seconds_sum %.6f\n"
		"buildr_agent_build_seconds_count %" PRIu64 "\n",
		metrics->build_seconds, count);
}

void metrics_format(const struct metrics *metrics,
	const struct metrics_now *now, struct br_buf *text)
{
	add_info(text, now);
	add_number(text, "jobs_running", "gauge", "Jobs that are built.",
		now->running);
	add_number(text, "jobs_waiting", "gauge",
		"Jobs that wait here for others to end.", now->waiting);
	add_number(text, "jobs_max", "gauge", "Jobs at once (--jobs).",
		now->jobs_max);
	add_jobs(text, metrics);
	add_number(text, "given_back_total", "counter",
		"Tries of jobs that this agent or its engine failed.",
		metrics->given_back);
	add_number(text, "failures_in_row", "gauge",
		"Such tries since the last report.", now->failures_in_row);
	add_number(text, "events_published_total", "counter",
		"Events given to the broker.", metrics->events + now->events);
	add_number(text, "backlog_bytes", "gauge",
		"Events that the broker has not confirmed.",
		now->backlog_bytes < 0 ? 0 : (uint64_t)now->backlog_bytes);
	add_number(text, "broker_connected", "gauge",
		"Whether there is a connection.", now->is_connected);
	add_number(text, "resting", "gauge",
		"Whether it takes no jobs, for something is wrong here.",
		now->is_resting);
}
