/* SPDX-License-Identifier: MIT */
/* Connecting and logging in, the only part that waits; and closing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "broker/private.h"
#include "broker/tls.h"

#if __has_include(<rabbitmq-c/tcp_socket.h>)
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp_tcp_socket.h>
#endif

enum {
	/* What RabbitMQ proposes: messages of that length are one frame. */
	FRAME_BYTES = 128 * 1024,
	/* How long closing may wait for its answer. */
	GOODBYE_MS = 250,
};

/* What the broker must know: without one of these something would go unnoticed. */
static const char *const capabilities[] = {
	"basic.nack",
	"connection.blocked",
	"consumer_cancel_notify",
	"publisher_confirms",
};

enum { CAPABILITIES = sizeof(capabilities) / sizeof(capabilities[0]) };

static struct timeval time_left(int64_t deadline_ms)
{
	int64_t left = deadline_ms - br_clock_now_ms();

	/* None at all means no limit to the library. */
	left = left > 0 ? left : 1;
	return (struct timeval){
		.tv_sec = left / 1000,
		.tv_usec = left % 1000 * 1000,
	};
}

static bool connect_to(struct br_broker *broker,
	const struct br_broker_options *options, int64_t deadline_ms,
	struct br_err *err)
{
	const struct br_broker_address *address = &broker->address;
	amqp_socket_t *socket = address->is_tls
		? br_tls_new(broker->connection, options, err)
		: amqp_tcp_socket_new(broker->connection);

	if (!socket)
		return address->is_tls
			? false
			: br_wire_fail(err, AMQP_STATUS_NO_MEMORY);
	struct timeval left = time_left(deadline_ms);
	int status = amqp_socket_open_noblock(
		socket, address->host, address->port, &left);
	return status == AMQP_STATUS_OK || br_wire_fail(err, status);
}

static amqp_table_entry_t text_entry(const char *key, const char *value)
{
	return (amqp_table_entry_t){
		.key = br_wire_text(key),
		.value = {
			.kind = AMQP_FIELD_KIND_UTF8,
			.value.bytes = br_wire_text(value),
		},
	};
}

static amqp_table_entry_t yes_entry(const char *key)
{
	return (amqp_table_entry_t){
		.key = br_wire_text(key),
		.value = {
			.kind = AMQP_FIELD_KIND_BOOLEAN,
			.value.boolean = 1,
		},
	};
}

/* Say who we are and what we understand, and log in. */
static amqp_rpc_reply_t log_in(struct br_broker *broker,
	const struct br_broker_options *options, int64_t deadline_ms)
{
	const struct br_broker_address *address = &broker->address;
	amqp_table_entry_t known[CAPABILITIES];
	amqp_table_entry_t entries[3] = {
		text_entry("product", "buildr"),
		text_entry("connection_name",
			options->name ? options->name : "buildr"),
		{
			.key = br_wire_text("capabilities"),
			.value.kind = AMQP_FIELD_KIND_TABLE,
		},
	};
	const amqp_table_t properties = {
		.num_entries = sizeof(entries) / sizeof(entries[0]),
		.entries = entries,
	};
	struct timeval left = time_left(deadline_ms);

	for (size_t i = 0; i < CAPABILITIES; i++)
		known[i] = yes_entry(capabilities[i]);
	entries[2].value.value.table = (amqp_table_t){ CAPABILITIES, known };
	(void)amqp_set_handshake_timeout(broker->connection, &left);
	(void)amqp_set_rpc_timeout(broker->connection, &left);
	return amqp_login_with_properties(broker->connection, address->vhost, 0,
		FRAME_BYTES, (int)options->heartbeat_seconds, &properties,
		AMQP_SASL_METHOD_PLAIN, address->user, address->password);
}

/* What the broker says where it does not let us in. */
static bool fail_refused(const amqp_method_t *method, struct br_err *err)
{
	const amqp_connection_close_t *close = method->decoded;
	char words[256];

	if (method->id != AMQP_CONNECTION_CLOSE_METHOD)
		return br_wire_fail(err, AMQP_STATUS_WRONG_METHOD);
	br_close_text(close->reply_code, close->reply_text, words);
	if (close->reply_code == AMQP_ACCESS_REFUSED ||
		close->reply_code == AMQP_NOT_ALLOWED)
		return br_fail(err, BR_ENOTFOUND, "%s", words);
	return br_fail(err, BR_EUNAVAIL, "%s", words);
}

static const amqp_field_value_t *find_entry(
	const amqp_table_t *table, const char *key)
{
	for (int i = 0; i < table->num_entries; i++) {
		const amqp_table_entry_t *entry = &table->entries[i];

		if (entry->key.len == strlen(key) &&
			memcmp(entry->key.bytes, key, entry->key.len) == 0)
			return &entry->value;
	}
	return NULL;
}

/* Look at what the broker says of itself. */
static bool check_server(struct br_broker *broker, struct br_err *err)
{
	const amqp_table_t *server =
		amqp_get_server_properties(broker->connection);
	const amqp_field_value_t *version = find_entry(server, "version");
	const amqp_field_value_t *known = find_entry(server, "capabilities");
	char text[64] = "?";

	if (version && version->kind == AMQP_FIELD_KIND_UTF8)
		br_wire_words(version->value.bytes, text, sizeof(text));
	broker->version = br_strdup(text);
	for (size_t i = 0; i < CAPABILITIES; i++) {
		const amqp_field_value_t *value =
			known && known->kind == AMQP_FIELD_KIND_TABLE
			? find_entry(&known->value.table, capabilities[i])
			: NULL;

		if (!value || value->kind != AMQP_FIELD_KIND_BOOLEAN ||
			!value->value.boolean)
			return br_fail(err, BR_EPROTO,
				"version %s is too old: it has no %s", text,
				capabilities[i]);
	}
	return true;
}

static bool open_connection(struct br_broker *broker,
	const struct br_broker_options *options, struct br_err *err)
{
	int64_t deadline_ms = br_clock_now_ms() + options->timeout_ms;

	broker->connection = amqp_new_connection();
	if (!broker->connection)
		br_out_of_memory();
	if (!connect_to(broker, options, deadline_ms, err))
		return false;
	br_room_make(broker);
	amqp_rpc_reply_t reply = log_in(broker, options, deadline_ms);
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		return fail_refused(&reply.reply, err);
	if (reply.reply_type != AMQP_RESPONSE_NORMAL)
		return br_wire_fail(err, reply.library_error);
	broker->heartbeat_ms =
		(int64_t)amqp_get_heartbeat(broker->connection) * 1000;
	broker->sent_ms = br_clock_now_ms();
	/* What came behind the last answer is in the library already. */
	broker->has_more = true;
	return check_server(broker, err);
}

bool br_broker_open(const struct br_broker_options *options,
	const struct br_broker_handlers *handlers, struct br_broker **broker,
	struct br_err *err)
{
	br_auto(br_broker) struct br_broker *made = br_alloc(sizeof(*made));

	assert(handlers->closed);
	/* Until it stands there is nobody to say goodbye to. */
	made->is_broken = true;
	made->handlers = *handlers;
	if (!br_broker_address_parse(options->url, &made->address, err))
		return false;
	if (!open_connection(made, options, err))
		return br_wrap(err, "%s", made->address.shown);
	made->is_broken = false;
	*broker = br_take_ptr(&made);
	return true;
}

/* Close it, and give what was sent before the time to arrive. */
static void say_goodbye(struct br_broker *broker)
{
	amqp_connection_close_t method = { .reply_code = AMQP_REPLY_SUCCESS };
	int64_t deadline_ms = br_clock_now_ms() + GOODBYE_MS;
	amqp_frame_t frame;

	br_send(broker, 0, AMQP_CONNECTION_CLOSE_METHOD, &method);
	while (!broker->is_broken && br_clock_now_ms() < deadline_ms) {
		struct timeval left = time_left(deadline_ms);

		if (amqp_simple_wait_frame_noblock(broker->connection, &frame,
			    &left) != AMQP_STATUS_OK)
			return;
		if (frame.channel == 0 &&
			frame.frame_type == AMQP_FRAME_METHOD &&
			frame.payload.method.id ==
				AMQP_CONNECTION_CLOSE_OK_METHOD)
			return;
		amqp_maybe_release_buffers(broker->connection);
	}
}

void br_broker_free(struct br_broker *broker)
{
	if (!broker)
		return;
	if (!broker->is_broken && broker->unsent.channel == 0)
		say_goodbye(broker);
	if (broker->connection)
		(void)amqp_destroy_connection(broker->connection);
	br_channels_free(broker);
	br_buf_done(&broker->unsent.body);
	br_broker_address_done(&broker->address);
	free(broker->version);
	free(broker);
}

const char *br_broker_show(const struct br_broker *broker)
{
	return broker->address.shown;
}

const char *br_broker_version(const struct br_broker *broker)
{
	return broker->version;
}
