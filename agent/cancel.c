/* SPDX-License-Identifier: MIT */
#include "agent/cancel.h"

#include <sys/utsname.h>

#include "agent/control.h"
#include "agent/names.h"
#include "agent/report.h"
#include "base/clean.h"
#include "event/json.h"

/* Publishes events, each confirmed. */
struct publish_sink {
	struct br_sink sink;
	struct farm *farm;
};

static bool publish_event(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct publish_sink *sink = (struct publish_sink *)self;
	br_autobuf struct br_buf line = { 0 };
	br_autofree char *key = NULL;
	bool is_last = event->type == BR_EVENT_BUILD_FINISHED;
	bool is_returned = false;

	br_event_format(event, &line);
	/* Without its newline, as agents do. */
	struct br_str body = { .data = line.data, .len = line.len - 1 };
	key = report_routing_key(event->build, body);
	const struct br_message message = {
		.exchange = NAMES_EVENTS,
		.routing_key = key,
		.body = body,
		.is_persistent = is_last,
		.is_mandatory = is_last,
	};
	return farm_publish(sink->farm, &message, &is_returned, err) &&
		(!is_returned ||
			br_fail(err, BR_EUNAVAIL,
				"the broker has lost the queue of the result"));
}

/* The try that would be next: an agent may have begun it and died. */
static bool find_attempt(struct farm *farm, const char *build,
	uint32_t *attempt, struct br_err *err)
{
	br_autofree char *tries = names_tries(build);
	const struct br_queue_spec spec = { .name = tries, .is_passive = true };
	struct farm_answer answer = { 0 };

	br_queue_declare(
		farm->broker, FARM_LOOK, &spec, farm_take_answer, &answer);
	if (!farm_await(farm, &answer, err))
		return false;
	*attempt = 1;
	if (answer.err.code == BR_OK)
		*attempt = (uint32_t)answer.message_count + 1;
	return true;
}

static bool report_cancelled(
	struct farm *farm, const char *build, struct br_err *err)
{
	struct publish_sink sink = { .sink = { .handle = publish_event },
		.farm = farm };
	struct utsname host = { 0 };
	struct farm_answer answer = { 0 };
	struct report report = {
		.build = build,
		.name = host.nodename,
		.text = "cancelled before an agent began it",
		.is_cancelled = true,
	};

	(void)uname(&host);
	names_bind_result(
		farm->broker, FARM_LOOK, build, farm_take_answer, &answer);
	return farm_expect(farm, &answer, err) &&
		find_attempt(farm, build, &report.attempt, err) &&
		report_emit(&report, &sink.sink, err);
}

static bool leave_claim(
	struct farm *farm, const char *build, struct br_err *err)
{
	br_autofree char *claim = names_claim(build);
	struct farm_answer answer = { 0 };

	br_queue_delete(
		farm->broker, FARM_LOOK, claim, farm_take_answer, &answer);
	return farm_expect(farm, &answer, err);
}

/* The claim is ours. */
static bool cancel_unclaimed(struct farm *farm, const char *build,
	enum cancel_end *end, struct br_err *err)
{
	struct farm_answer answer = { 0 };

	names_declare_result(
		farm->broker, FARM_LOOK, build, farm_take_answer, &answer);
	if (!farm_expect(farm, &answer, err))
		return false;

	bool is_late = answer.message_count > 0;
	if (!is_late && !report_cancelled(farm, build, err))
		return false;
	*end = is_late ? CANCEL_LATE : CANCEL_REPORTED;
	return leave_claim(farm, build, err);
}

static bool tell_agents(
	struct farm *farm, const char *build, struct br_err *err)
{
	br_autobuf struct br_buf body = { 0 };
	struct farm_answer answer = { 0 };
	bool is_returned = false;

	br_exchange_declare(farm->broker, FARM_LOOK, NAMES_CONTROL, "fanout",
		farm_take_answer, &answer);
	if (!farm_expect(farm, &answer, err))
		return false;
	control_format_cancel(build, &body);
	const struct br_message message = {
		.exchange = NAMES_CONTROL,
		.routing_key = CONTROL_CANCEL,
		.body = br_buf_str(&body),
	};
	return farm_publish(farm, &message, &is_returned, err);
}

bool cancel_build(struct farm *farm, const char *build, enum cancel_end *end,
	struct br_err *err)
{
	enum { RESOURCE_LOCKED = 405 };
	struct farm_answer answer = { 0 };

	names_claim_build(
		farm->broker, FARM_LOOK, build, farm_take_answer, &answer);
	if (!farm_await(farm, &answer, err))
		return false;
	if (answer.code == RESOURCE_LOCKED) {
		*end = CANCEL_ASKED;
		return tell_agents(farm, build, err);
	}
	return farm_expect(farm, &answer, err) &&
		cancel_unclaimed(farm, build, end, err);
}
