/* SPDX-License-Identifier: MIT */
/* Images of containers that cannot be made, are nobody's, or do not go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "tests/fault/fixture.h"

#define IMAGE "GET /v1.41/images/img/json "
#define COMMIT "POST /v1.41/commit?"
#define LIST "GET /v1.41/images/json?"
#define DELETE "DELETE /v1.41/images/"
#define SAVED \
	{ \
		.request = COMMIT, .status = "201 Created", .body = "{}" \
	}

/* Make `call` with an engine that follows `rules`; gives what was asked. */
static char *follow(const struct scripted_rule *rules,
	bool (*call)(struct br_engine *engine, struct br_err *err),
	bool *is_good, struct br_err *err)
{
	struct scripted server;

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	*is_good = call(engine, err);
	char *asked = scripted_requests(&server);
	scripted_stop(&server);
	return asked;
}

static void assert_fails(const struct scripted_rule *rules,
	bool (*call)(struct br_engine *engine, struct br_err *err),
	enum br_code code, const char *part)
{
	struct br_err err = { 0 };
	bool is_good = false;

	free(follow(rules, call, &is_good, &err));
	assert_false(is_good);
	if (err.code != code)
		fail_msg("code %d: %s", (int)err.code, err.text);
	assert_part(err.text, part);
}

static void asks_for_the_settings_of_the_image_and_nothing_of_the_build(
	void **state)
{
	static const struct scripted_rule rules[] = { PING,
		{ .request = IMAGE,
			.status = OK,
			.body = "{\"Config\":{\"Env\":[\"A=\\\"b\\\"\"],"
				"\"Labels\":{\"a\":\"b\"},\"Entrypoint\":null,"
				"\"Healthcheck\":{\"Interval\":30000000000}}}" },
		SAVED, SCRIPTED_RULES_END };
	struct br_err err = { 0 };
	bool is_good = false;

	(void)state;
	br_autofree char *asked =
		follow(rules, call_save_snapshot, &is_good, &err);
	assert_true(is_good);
	assert_part(asked,
		COMMIT "pause=0&container=" ID
		       "&repo=buildr-prepare&tag=t HTTP/1.1\r\n");
	assert_part(asked,
		"{\"Env\":[\"A=\\\"b\\\"\"],"
		"\"Healthcheck\":{\"Interval\":30000000000},"
		"\"Entrypoint\":[],\"Labels\":{\"io.buildr.build\":\"\","
		"\"io.buildr.owner\":\"\",\"io.buildr.keep\":\"\","
		"\"io.buildr.prepare\":\"" HEX "\","
		"\"io.buildr.expires\":\"1800000000\"}}");
}

#define PODMAN(of, what, said) \
	{ \
		.request = (of), .status = (what), .body = (said), \
		.server = "Libpod/4.3.1 (linux)" \
	}

static void tells_podman_in_lines_of_a_dockerfile(void **state)
{
	static const struct scripted_rule rules[] = {
		PODMAN("GET /_ping ", OK, "OK"), PODMAN("/info ", OK, "{}"),
		PODMAN(IMAGE, OK,
			"{\"Config\":{\"Cmd\":[\"a b\"],\"User\":\"me\"}}"),
		PODMAN(COMMIT, "201 Created", "{}"), SCRIPTED_RULES_END
	};
	struct br_err err = { 0 };
	bool is_good = false;

	(void)state;
	br_autofree char *asked =
		follow(rules, call_save_snapshot, &is_good, &err);
	assert_true(is_good);
	assert_part(asked,
		"&tag=t&changes=ENTRYPOINT%20%5B%5D"
		"&changes=CMD%20%5B%22a%20b%22%5D&changes=USER%20me"
		"&changes=LABEL%20io.buildr.build%3D"
		"&changes=LABEL%20io.buildr.owner%3D"
		"&changes=LABEL%20io.buildr.keep%3D"
		"&changes=LABEL%20io.buildr.prepare%3D" HEX
		"&changes=LABEL%20io.buildr.expires%3D1800000000 HTTP");
}

static void says_why_it_cannot_be_made(void **state)
{
	static const struct scripted_rule gone[] = { PING,
		{ .request = IMAGE,
			.status = "404 Not Found",
			.body = "{\"message\":\"No such image: img\"}" },
		SCRIPTED_RULES_END };
	static const struct scripted_rule full[] = { PING,
		{ .request = IMAGE, .status = OK, .body = IMAGE_JSON },
		{ .request = COMMIT,
			.status = "500 Internal Server Error",
			.body = "{\"message\":\"no space left on device\"}" },
		SCRIPTED_RULES_END };

	(void)state;
	assert_fails(gone, call_save_snapshot, BR_ENOTFOUND,
		"make an image of the container: the engine says: No such "
		"image: img");
	assert_fails(full, call_save_snapshot, BR_EUNAVAIL,
		"no space left on device");
}

#define OTHER(name) \
	"{\"Id\":\"sha256:" HEX2 "\",\"RepoTags\":" name ",\"Labels\":" \
	"{\"io.buildr.prepare\":\"" HEX "\",\"io.buildr.expires\":\"1\"}}"

/* List with that answer; gives how many there are. */
static size_t count(const char *body, struct br_snapshots *snapshots)
{
	const struct scripted_rule rules[] = { PING,
		{ .request = LIST, .status = OK, .body = body },
		SCRIPTED_RULES_END };
	struct scripted server;
	struct br_err err = { 0 };

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(br_engine_list_snapshots(engine, snapshots, &err));
	scripted_stop(&server);
	return snapshots->count;
}

static void lists_what_has_name_and_labels(void **state)
{
	struct br_snapshots snapshots = { 0 };

	(void)state;
	assert_int_equal(count("[" SNAPSHOT_JSON "]", &snapshots), 1);
	assert_string_equal(snapshots.list[0].id, "sha256:" HEX);
	assert_string_equal(snapshots.list[0].name, "buildr-prepare:t");
	assert_string_equal(snapshots.list[0].identity, HEX);
	assert_string_equal(snapshots.list[0].project, "/p");
	assert_int_equal(snapshots.list[0].created_s, 1700000000);
	assert_int_equal(snapshots.list[0].expires_s, 1800000000);
	br_snapshots_done(&snapshots);

	/* As Podman has it, and with a name that somebody gave it. */
	assert_int_equal(
		count("[" OTHER(
			      "[\"mine:x\",\"localhost/buildr-prepare:t\"]") "]",
			&snapshots),
		1);
	assert_string_equal(
		snapshots.list[0].name, "localhost/buildr-prepare:t");
	br_snapshots_done(&snapshots);
}

static void leaves_out_what_is_somebody_elses(void **state)
{
	static const char *const bodies[] = { "[]", "[" OTHER("null") "]",
		"[" OTHER("[\"<none>:<none>\"]") "]",
		"[" OTHER("[\"mine:x\"]") "]",
		"[" OTHER("[\"me.org/buildr-prepare:x\"]") "]",
		/* Without an id, without a time, with one that is none. */
		"[{\"RepoTags\":[\"buildr-prepare:t\"],\"Labels\":{"
		"\"io.buildr.prepare\":\"a\",\"io.buildr.expires\":\"1\"}}]",
		"[{\"Id\":\"sha256:a\",\"RepoTags\":[\"buildr-prepare:t\"],"
		"\"Labels\":{\"io.buildr.prepare\":\"a\"}}]",
		"[{\"Id\":\"sha256:a\",\"RepoTags\":[\"buildr-prepare:t\"],"
		"\"Labels\":{\"io.buildr.prepare\":\"a\","
		"\"io.buildr.expires\":\"soon\"}}]",
		"[1,null,{\"Labels\":[]}]" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct br_snapshots snapshots = { 0 };

		if (count(bodies[i], &snapshots) != 0)
			fail_msg("taken for one of ours: %s", bodies[i]);
		br_snapshots_done(&snapshots);
	}
}

static void refuses_what_is_no_list(void **state)
{
	static const char *const bodies[] = { "{}", "[", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		const struct scripted_rule rules[] = { PING,
			{ .request = LIST, .status = OK, .body = bodies[i] },
			SCRIPTED_RULES_END };

		assert_fails(rules, call_list_snapshots, BR_EPROTO,
			"list the images of prepared containers: the engine's "
			"answer");
	}
}

/* Remove where the engine answers so. Gives whether it is gone. */
static bool remove_with(const char *status, const char *body)
{
	const struct scripted_rule rules[] = { PING,
		{ .request = DELETE "buildr-prepare%3At?noprune=1 ",
			.status = status,
			.body = body },
		SCRIPTED_RULES_END };
	struct scripted server;
	struct br_err err = { 0 };
	bool is_gone = false;

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(br_engine_remove_snapshot(
		engine, "buildr-prepare:t", &is_gone, &err));
	scripted_stop(&server);
	return is_gone;
}

static void tells_what_is_gone_from_what_is_used(void **state)
{
	static const struct scripted_rule broken[] = { PING,
		{ .request = DELETE,
			.status = "500 Internal Server Error",
			.body = "{\"message\":\"oh\"}" },
		SCRIPTED_RULES_END };

	(void)state;
	assert_true(remove_with(OK, "[]"));
	assert_true(remove_with("404 Not Found",
		"{\"message\":\"No such image: buildr-prepare:t\"}"));
	assert_false(remove_with("409 Conflict",
		"{\"message\":\"conflict: unable to remove repository "
		"reference\"}"));
	/* Podman's way. */
	assert_false(remove_with("500 Internal Server Error",
		"{\"message\":\"image used by a1: image is in use by a "
		"container\"}"));
	assert_fails(broken, call_remove_snapshot, BR_EUNAVAIL,
		"remove the image 'buildr-prepare:t': the engine says: oh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			asks_for_the_settings_of_the_image_and_nothing_of_the_build),
		cmocka_unit_test(tells_podman_in_lines_of_a_dockerfile),
		cmocka_unit_test(says_why_it_cannot_be_made),
		cmocka_unit_test(lists_what_has_name_and_labels),
		cmocka_unit_test(leaves_out_what_is_somebody_elses),
		cmocka_unit_test(refuses_what_is_no_list),
		cmocka_unit_test(tells_what_is_gone_from_what_is_used),
	};

	prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
