/* SPDX-License-Identifier: MIT */
/*
 * What lib/engine makes of answers that are cut off, wrong, or none. The server is
 * scripted.h; what real engines answer, the suite `engine` shows.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fault/fixture.h"
#include "tests/support/folder.h"

static void assert_all_work(const struct scripted *server)
{
	br_auto(br_engine) struct br_engine *engine = open_engine(server);

	for (size_t i = 0; i < CALLS; i++) {
		struct br_err err = { 0 };

		if (!calls[i].call(engine, &err))
			fail_msg("%s: %s", calls[i].name, err.text);
	}
}

static void works_with_a_good_engine(void **state)
{
	struct scripted server;

	(void)state;
	scripted_start(&server, good);
	assert_all_work(&server);
	scripted_stop(&server);
}

/* Make call `i` with the longest of its answers cut at `cut`. */
static bool call_with_cut(const struct scripted *server, size_t i, size_t cut)
{
	br_auto(br_engine) struct br_engine *engine = open_engine(server);
	struct br_err err = { 0 };

	*server->cut = SIZE_MAX;
	/* The ping's answer is cut only where it is the call's own. */
	if (i > 0)
		assert_true(call_describe(engine, &err));
	*server->cut = cut;
	return calls[i].call(engine, &err);
}

static void takes_no_answer_that_was_cut_for_a_whole_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < CALLS; i++) {
		struct scripted server;

		scripted_start(&server, good);
		assert_true(call_with_cut(&server, i, SIZE_MAX));
		if (i > 0) {
			/* Of the call alone, not of the ping before it. */
			br_auto(br_engine) struct br_engine *engine =
				open_engine(&server);
			struct br_err err = { 0 };

			assert_true(call_describe(engine, &err));
			*server.answer_len = 0;
			assert_true(calls[i].call(engine, &err));
		}

		/* The very last byte of a chunked answer says nothing. */
		size_t len = *server.answer_len - (i == CALLS - 1 ? 1 : 0);
		for (size_t cut = 0; cut < len; cut++)
			if (call_with_cut(&server, i, cut))
				fail_msg("%s went well, cut at %zu of %zu",
					calls[i].name, cut, len);
		scripted_stop(&server);
	}
}

/* Rules that answer the ping well and all else with `rule`. */
static void assert_rule_fails(struct scripted_rule rule, const char *part)
{
	const struct scripted_rule rules[] = { PING, rule, SCRIPTED_RULES_END };
	struct scripted server;

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	for (size_t i = 1; i < CALLS; i++) {
		struct br_err err = { 0 };

		if (calls[i].call(engine, &err))
			fail_msg("%s went well", calls[i].name);
		if (err.code != BR_EUNAVAIL && err.code != BR_EPROTO)
			fail_msg("%s: code %d: %s", calls[i].name,
				(int)err.code, err.text);
		assert_part(err.text, part);
	}
	scripted_stop(&server);
}

static void passes_on_what_the_engine_says_of_its_failure(void **state)
{
	(void)state;
	assert_rule_fails(
		(struct scripted_rule){ .status = "500 Internal Server Error",
			.body = "{\"message\":\"no space\\nleft\"}" },
		"the engine says: no space left");
	assert_rule_fails(
		(struct scripted_rule){ .status = "502 Bad Gateway",
			.body = "<html>\n<b>\x1b[31mBad\xff Gateway" },
		"the engine says: <html> <b> [31mBad? Gateway");
	assert_rule_fails(
		(struct scripted_rule){ .status = "503 Service Unavailable" },
		"the engine answered with status 503");
}

static void survives_answers_that_are_garbage(void **state)
{
	static const char noise[] = "\0\1\2HTTP\xff\n\n{\"a\"";

	(void)state;
	assert_rule_fails((struct scripted_rule){ .body = noise,
				  .body_len = sizeof(noise) },
		"is no container engine");
	assert_rule_fails(
		(struct scripted_rule){ .body = "HTTP/1.1 200 OK\r\n"
						"Content-Length: 99\r\n"
						"\r\nx" },
		"engine");
	assert_rule_fails((struct scripted_rule){ .body = "" },
		"closed the connection without an answer");
}

static void takes_nothing_but_what_it_asked_for(void **state)
{
	static const char *const bodies[] = { "", "null", "[]", "{}", "1",
		"{\"Id\":1,\"State\":null}", "{\"Id\":\"../x\"}", "{\"Id\":" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		const struct scripted_rule rules[] = { PING,
			{ .status = OK, .body = bodies[i] },
			SCRIPTED_RULES_END };
		struct scripted server;
		struct br_err err = { 0 };

		scripted_start(&server, rules);
		br_auto(br_engine) struct br_engine *engine =
			open_engine(&server);
		assert_false(call_create(engine, &err));
		assert_int_equal(err.code, BR_EPROTO);
		scripted_stop(&server);
	}
}

static void caps_an_answer_without_end(void **state)
{
	struct scripted_rule rules[] = { PING,
		{ .body = "HTTP/1.1 200 OK\r\n\r\nx", .end = SCRIPTED_ENDLESS },
		SCRIPTED_RULES_END };
	struct scripted server;
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_false(call_inspect(engine, &err));
	assert_int_equal(err.code, BR_EPROTO);
	assert_part(err.text, "is longer than 16777216 bytes");
	scripted_stop(&server);

	/* An error's text is cut and passed on. */
	rules[2].body = "HTTP/1.1 500 Oh\r\n\r\nhelp";
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *other = open_engine(&server);
	assert_false(call_inspect(other, &err));
	assert_part(err.text, "the engine says: helppppp");
	assert_part(err.text, "...");
	scripted_stop(&server);
}

static void gives_up_at_once_when_it_is_cancelled(void **state)
{
	int cancel[2];
	struct scripted server;
	struct br_err err = { 0 };

	(void)state;
	assert_int_equal(pipe2(cancel, O_CLOEXEC), 0);
	const struct scripted_rule rules[] = { PING,
		{ .body = "HTTP/1.1 ",
			.end = SCRIPTED_SILENT,
			.signal_fd = cancel[1] },
		SCRIPTED_RULES_END };
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	engine->cancel_fd = cancel[0];
	/* The request itself makes the descriptor readable, and it stays so. */
	for (size_t i = 1; i < CALLS; i++) {
		assert_false(calls[i].call(engine, &err));
		assert_int_equal(err.code, BR_ECANCELED);
	}
	struct br_attach *attach = NULL;
	assert_false(br_engine_attach(engine, ID, &attach, &err));
	assert_int_equal(err.code, BR_ECANCELED);
	(void)close(cancel[0]);
	(void)close(cancel[1]);
	scripted_stop(&server);
}

static void assert_no_engine(const char *address, const char *part)
{
	struct br_docker_options options = { .address = address };
	br_auto(br_engine) struct br_engine *engine = NULL;
	struct br_err err = { 0 };

	assert_true(br_docker_open(&options, &engine, &err));
	assert_false(call_describe(engine, &err));
	assert_int_equal(err.code, BR_EUNAVAIL);
	assert_part(err.text, part);
}

/* A port that is taken, so that nobody else has it, and refuses connections. */
static void assert_nobody_listens(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(name);
	br_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	br_autofree char *address =
		br_format("tcp://127.0.0.1:%u", ntohs(name.sin_port));
	assert_no_engine(address, "(Connection refused): is it running?");
}

static void says_what_to_do_where_there_is_no_engine(void **state)
{
	struct scripted server;
	char *folder = folder_make();

	(void)state;
	assert_no_engine("unix:///nonexistent/x.sock",
		"no container engine at unix:///nonexistent/x.sock: is it "
		"running? start it, or name another with -H or DOCKER_HOST");
	folder_write(folder, "file", 0600, "x");
	br_autofree char *file = br_format("%s/file", folder);
	assert_no_engine(file, "is not a socket");
	assert_nobody_listens();

	/* A socket whose owner is gone. */
	scripted_start(&server, good);
	(void)kill(server.pid, SIGSTOP);
	br_autofree char *moved = br_format("%s/moved", folder);
	assert_int_equal(rename(server.address + strlen("unix://"), moved), 0);
	scripted_stop(&server);
	assert_no_engine(moved, "though the socket is there");
	folder_remove(folder);
}

static void says_what_to_do_without_permission(void **state)
{
	static const uid_t nobody = 65534;
	struct scripted server;
	bool is_root = geteuid() == 0;

	(void)state;
	scripted_start(&server, good);
	assert_int_equal(chmod(server.address + strlen("unix://"), 0), 0);
	if (is_root)
		assert_int_equal(seteuid(nobody), 0);
	assert_no_engine(server.address,
		"may not be used by this user: add the user to the group");
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	scripted_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works_with_a_good_engine),
		cmocka_unit_test(takes_no_answer_that_was_cut_for_a_whole_one),
		cmocka_unit_test(passes_on_what_the_engine_says_of_its_failure),
		cmocka_unit_test(survives_answers_that_are_garbage),
		cmocka_unit_test(takes_nothing_but_what_it_asked_for),
		cmocka_unit_test(caps_an_answer_without_end),
		cmocka_unit_test(gives_up_at_once_when_it_is_cancelled),
		cmocka_unit_test(says_what_to_do_where_there_is_no_engine),
		cmocka_unit_test(says_what_to_do_without_permission),
	};

	prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
