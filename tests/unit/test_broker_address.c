/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/address.h"

/* An address and how it reads; with host NULL: it is refused. */
struct sample {
	const char *url;
	const char *host;
	unsigned port;
	const char *user;
	const char *password;
	const char *vhost;
	const char *shown;
};

static const struct sample good[] = {
	{ "amqp://guest:guest@127.0.0.1:5672/", "127.0.0.1", 5672, "guest",
		"guest", "/", "amqp://127.0.0.1:5672/" },
	{ "amqp://", "localhost", 5672, "guest", "guest", "/",
		"amqp://localhost:5672/" },
	{ "amqps://host", "host", 5671, "guest", "guest", "/",
		"amqps://host:5671/" },
	{ "amqp://me@host", "host", 5672, "me", "", "/", "amqp://host:5672/" },
	{ "amqp://:p@host", "host", 5672, "", "p", "/", "amqp://host:5672/" },
	{ "amqp://me:a:b@c@host:1/v", "host", 1, "me", "a:b@c", "v",
		"amqp://host:1/v" },
	{ "amqp://m%65:%2f%3A%40%25%20@host/%2Fa%2fb", "host", 5672, "me",
		"/:@% ", "/a/b", "amqp://host:5672/%2fa%2fb" },
	{ "amqp://host/%2f", "host", 5672, "guest", "guest", "/",
		"amqp://host:5672/" },
	{ "amqp://[::1]", "::1", 5672, "guest", "guest", "/",
		"amqp://[::1]:5672/" },
	{ "amqps://u:p@[fe80::1%eth0]:7/x", "fe80::1%eth0", 7, "u", "p", "x",
		"amqps://[fe80::1%eth0]:7/x" },
	{ "amqp://host/\xc3\xa4", "host", 5672, "guest", "guest", "\xc3\xa4",
		"amqp://host:5672/%c3%a4" },
};

static const char *const bad[] = {
	"",
	"host",
	"http://hidden@host/",
	"AMQP://hidden@host/",
	"amqp:/hidden@host/",
	"amqp://hidden@host:0/",
	"amqp://hidden@host:65536/",
	"amqp://hidden@host:/",
	"amqp://hidden@host:1x/",
	"amqp://me:hidden/x@host/",
	"amqp://me:hidden#x@host/",
	"amqp://me:hidden?x@host/",
	"amqp://me:hidden%@host/",
	"amqp://me:hidden%4@host/",
	"amqp://me:hidden%4g@host/",
	"amqp://me:hidden%00@host/",
	"amqp://me:hidden@ho st/",
	"amqp://me:hidden@ho%73t/",
	"amqp://me:hidden@[::1/",
	"amqp://me:hidden@[::1]x/",
	"amqp://me:hidden@[::1]5672/",
	"amqp://me:hidden@::1/",
	"amqp://me:hidden@host/a/b",
	"amqp://me:hidden@host//",
	"amqp://me:hidden@host/v?heartbeat=5",
};

static void reads_each_part_and_shows_it_without_the_password(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct sample *sample = &good[i];
		struct br_broker_address address = { 0 };
		struct br_err err = { 0 };

		if (!br_broker_address_parse(sample->url, &address, &err))
			fail_msg("%s: %s", sample->url, err.text);
		assert_string_equal(address.host, sample->host);
		assert_int_equal(address.port, sample->port);
		assert_string_equal(address.user, sample->user);
		assert_string_equal(address.password, sample->password);
		assert_string_equal(address.vhost, sample->vhost);
		assert_string_equal(address.shown, sample->shown);
		assert_int_equal(
			address.is_tls, strncmp(sample->url, "amqps", 5) == 0);
		br_broker_address_done(&address);
		assert_null(address.password);
	}
}

static void refuses_what_is_no_address_and_repeats_nothing_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct br_broker_address address = { 0 };
		struct br_err err = { 0 };

		if (br_broker_address_parse(bad[i], &address, &err))
			fail_msg("'%s' is taken", bad[i]);
		assert_int_equal(err.code, BR_EINPUT);
		assert_null(strstr(err.text, "hidden"));
		assert_null(address.host);
	}
}

static void refuses_names_that_no_broker_takes(void **state)
{
	struct br_broker_address address = { 0 };
	struct br_err err = { 0 };
	char url[6000];

	(void)state;
	(void)snprintf(url, sizeof(url), "amqp://host/%0256d", 0);
	assert_false(br_broker_address_parse(url, &address, &err));
	(void)snprintf(url, sizeof(url), "amqp://me:%05000d@host/", 0);
	assert_false(br_broker_address_parse(url, &address, &err));
	(void)snprintf(url, sizeof(url), "amqp://host/%0255d", 0);
	assert_true(br_broker_address_parse(url, &address, &err));
	br_broker_address_done(&address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reads_each_part_and_shows_it_without_the_password),
		cmocka_unit_test(
			refuses_what_is_no_address_and_repeats_nothing_of_it),
		cmocka_unit_test(refuses_names_that_no_broker_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
