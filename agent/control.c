/* SPDX-License-Identifier: MIT */
#include "agent/control.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/diary.h"
#include "agent/names.h"
#include "base/clean.h"
#include "base/json_text.h"
#include "event/json_tree.h"

static void ignore(void *ctx, const struct br_reply *reply)
{
	(void)ctx;
	(void)reply;
}

static void on_consuming(void *ctx, const struct br_reply *reply)
{
	(void)ctx;
	if (reply->err.code != BR_OK && reply->err.code != BR_EUNAVAIL)
		diary("no control", "why", reply->err.text, NULL);
}

static void on_queue(void *ctx, const struct br_reply *reply)
{
	struct control *control = ctx;
	char name[24];

	if (reply->err.code != BR_OK) {
		on_consuming(ctx, reply);
		return;
	}
	(void)snprintf(name, sizeof(name), "control-%u", ++control->consumer);
	br_queue_bind(control->broker, control->channel, reply->queue,
		NAMES_CONTROL, "", ignore, NULL);
	br_queue_consume(control->broker, control->channel, reply->queue, name,
		on_consuming, control);
}

void control_listen(struct control *control)
{
	const struct br_queue_spec spec = {
		.name = "",
		.is_exclusive = true,
		.is_auto_deleted = true,
	};

	br_exchange_declare(control->broker, control->channel, NAMES_CONTROL,
		"fanout", ignore, NULL);
	br_queue_declare(
		control->broker, control->channel, &spec, on_queue, control);
}

void control_format_cancel(const char *build, struct br_buf *body)
{
	br_buf_add_text(body, "{\"build\":");
	br_json_add_string(body, br_str(build));
	br_buf_add_char(body, '}');
}

static bool read_build(
	const cJSON *tree, char build[BR_UUID_TEXT_BYTES], struct br_err *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, "build");

	if (!br_json_tree_is_text(item) || !br_uuid_is_valid(item->valuestring))
		return br_fail(err, BR_EINPUT, "'build' must be a UUID");
	for (size_t i = 0; i < BR_UUID_TEXT_BYTES; i++)
		build[i] = (char)tolower((unsigned char)item->valuestring[i]);
	return true;
}

bool control_parse_cancel(
	struct br_str body, char build[BR_UUID_TEXT_BYTES], struct br_err *err)
{
	cJSON *tree = NULL;

	if (!br_json_tree_parse(body, &tree, err))
		return false;

	bool is_read = read_build(tree, build, err);
	cJSON_Delete(tree);
	return is_read;
}

static bool has_label(const struct job_texts *labels, const char *label)
{
	for (size_t i = 0; i < labels->count; i++)
		if (strcmp(labels->items[i], label) == 0)
			return true;
	return false;
}

static bool has_labels(
	const struct job_texts *labels, const struct job_texts *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (!has_label(labels, wanted->items[i]))
			return false;
	return true;
}

/* As if it had been delivered from where it belongs. */
static struct order *make_own(const struct order_options *options,
	struct br_str body, const char *id, const char *queue, unsigned channel)
{
	const struct br_delivery delivery = {
		.body = body,
		.exchange = "",
		.routing_key = queue,
		.reply_to = "",
		.correlation_id = "",
		.message_id = id,
	};
	struct order *order = order_new(options, &delivery, queue, channel);

	order->is_own = true;
	return order;
}

struct order *control_make_order(const struct order_options *options,
	const struct br_delivery *delivery, unsigned channel)
{
	br_autobuf struct br_buf body = { 0 };
	struct order *order = NULL;
	struct job *job = NULL;
	char id[BR_UUID_TEXT_BYTES];
	struct br_err err = { 0 };
	/* What is wrong with it is the order's to report. */
	bool is_job = job_parse(delivery->body, &job, &err);
	br_autofree char *queue = names_job_queue(options->queue, &job->labels);

	if (is_job && !has_labels(options->labels, &job->labels)) {
		job_free(job);
		return NULL;
	}
	if (br_uuid_make(id, &err)) {
		if (job->tree)
			job_format(job, id, &body);
		else
			br_buf_add(
				&body, delivery->body.data, delivery->body.len);
		order = make_own(
			options, br_buf_str(&body), id, queue, channel);
	}
	job_free(job);
	return order;
}

struct order *control_again(const struct order *order)
{
	struct order *again = make_own(order->options, br_buf_str(&order->body),
		order->id, order->queue, order->channel);

	again->again_count = order->again_count + 1;
	return again;
}

void control_answer(const struct control *control, const struct order *order,
	const struct br_delivery *delivery)
{
	br_autobuf struct br_buf body = { 0 };

	if (delivery->reply_to[0] == '\0')
		return;
	br_buf_add_text(&body, "{\"agent\":");
	br_json_add_string(&body, br_str(order->options->name));
	br_buf_add_text(&body, ",\"build\":");
	br_json_add_string(&body, br_str(order->id));
	br_buf_add_char(&body, '}');

	const struct br_message message = {
		.exchange = "",
		.routing_key = delivery->reply_to,
		.body = br_buf_str(&body),
		.correlation_id = delivery->correlation_id,
	};
	(void)br_message_publish(control->broker, control->channel, &message);
}

bool control_parse_answer(struct br_str body, struct br_arena *arena,
	const char **agent, char build[BR_UUID_TEXT_BYTES], struct br_err *err)
{
	cJSON *tree = NULL;

	if (!br_json_tree_parse(body, &tree, err))
		return false;

	const cJSON *name = cJSON_GetObjectItemCaseSensitive(tree, "agent");
	bool is_read = br_json_tree_is_text(name)
		? read_build(tree, build, err)
		: br_fail(err, BR_EINPUT, "'agent' must be a text");
	if (is_read)
		*agent = br_arena_strdup(arena, name->valuestring);
	cJSON_Delete(tree);
	return is_read;
}
