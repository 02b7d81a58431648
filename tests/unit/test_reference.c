/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void takes_names_apart(void **state)
{
	static const struct {
		const char *text;
		const char *asked;
		const char *tag;
		const char *registry;
		const char *full_name;
	} names[] = {
		{ "alpine", "alpine:latest", "latest", "docker.io",
			"docker.io/library/alpine" },
		{ "alpine:3.20", "alpine:3.20", "3.20", "docker.io",
			"docker.io/library/alpine" },
		{ "docker.io/library/alpine", "docker.io/library/alpine:latest",
			"latest", "docker.io", "docker.io/library/alpine" },
		{ "index.docker.io/me/app", "index.docker.io/me/app:latest",
			"latest", "docker.io", "docker.io/me/app" },
		{ "me/app:v1_x", "me/app:v1_x", "v1_x", "docker.io",
			"docker.io/me/app" },
		{ "reg:5000/img", "reg:5000/img:latest", "latest", "reg:5000",
			"reg:5000/img" },
		{ "localhost/img:1", "localhost/img:1", "1", "localhost",
			"localhost/img" },
		{ "Reg.Example/a/b-c:1", "Reg.Example/a/b-c:1", "1",
			"reg.example", "reg.example/a/b-c" },
		{ "127.0.0.1:5000/a@sha256:" HEX,
			"127.0.0.1:5000/a@sha256:" HEX, "sha256:" HEX,
			"127.0.0.1:5000", "127.0.0.1:5000/a" },
		{ "alpine:3@sha256:" HEX, "alpine@sha256:" HEX, "sha256:" HEX,
			"docker.io", "docker.io/library/alpine" },
		{ "sha256:" HEX, "sha256:" HEX, "sha256:" HEX, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		br_autoreference struct br_reference found = { 0 };
		struct br_err err = { 0 };

		assert_true(br_reference_parse(names[i].text, &found, &err));
		assert_string_equal(found.text, names[i].asked);
		assert_string_equal(found.tag, names[i].tag);
		assert_string_equal(found.registry, names[i].registry);
		assert_string_equal(found.full_name, names[i].full_name);
	}
}

static void refuses_what_is_no_name(void **state)
{
	static const char *const names[] = { "", ":", "alpine:", "alpine:-x",
		"Alpine", "a b", "../x", "/x", "x/", "a//b", "-a", "a-",
		"img@sha256:12", "img@md5:1234", "reg:/img", "reg:port/img",
		"a/b?c", "a\nb", "a%2fb", "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct br_reference found = { 0 };
		struct br_err err = { 0 };

		assert_false(br_reference_parse(names[i], &found, &err));
		assert_int_equal(err.code, BR_EINPUT);
		assert_null(found.name);
	}
}

static void says_that_a_name_is_in_lower_case(void **state)
{
	struct br_reference found = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_false(br_reference_parse("me/Alpine", &found, &err));
	assert_non_null(strstr(err.text, "must be in lower case"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_names_apart),
		cmocka_unit_test(refuses_what_is_no_name),
		cmocka_unit_test(says_that_a_name_is_in_lower_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
