/* SPDX-License-Identifier: MIT */
/* What an image would run, as engines describe it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clean.h"
#include "engine/image.h"

/* Describe the image whose configuration is `config`. */
static bool parse(
	const char *config, struct br_image *image, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };

	br_buf_addf(&text, "{\"Id\":\"sha256:ab\",\"Config\":%s}", config);
	return br_image_parse(
		br_buf_str(&text), "docker.io/library/img", image, err);
}

/* `list` with a bar before each text; "none" for NULL. */
static void show(struct br_buf *text, const char *name, char *const *list)
{
	br_buf_addf(text, "%s=%s", name, list ? "" : "none");
	for (size_t i = 0; list && list[i]; i++)
		br_buf_addf(text, "|%s", list[i]);
	br_buf_add_char(text, ' ');
}

static void assert_image(const char *config, const char *expected)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	if (!parse(config, &image, &err))
		fail_msg("%s: %s", config, err.text);
	show(&text, "entrypoint", image.entrypoint);
	show(&text, "command", image.command);
	show(&text, "health", image.health_command);
	br_buf_addf(&text, "every %lld in %s",
		(long long)image.health_interval_ms, image.workdir);
	assert_string_equal(text.data, expected);
	br_image_done(&image);
}

static void knows_what_an_image_runs(void **state)
{
	(void)state;
	assert_image("{\"Entrypoint\":[\"/e\",\"\"],\"Cmd\":[\"a b\"],"
		     "\"WorkingDir\":\"/w\"}",
		"entrypoint=|/e| command=|a b health=none every 0 in /w");
	assert_image("{\"Entrypoint\":null,\"Cmd\":[],\"WorkingDir\":\"\"}",
		"entrypoint=none command=none health=none every 0 in ");
	assert_image("{\"Entrypoint\":\"/e\",\"Cmd\":7,\"WorkingDir\":{}}",
		"entrypoint=|/e command=none health=none every 0 in ");
	assert_image(
		"null", "entrypoint=none command=none health=none every 0 in ");
}

#define HEALTH(test, interval) \
	"{\"Healthcheck\":{\"Test\":" test ",\"Interval\":" interval "}}"
#define NO_HEALTH "entrypoint=none command=none health=none every 0 in "

static void knows_how_an_image_is_asked_for_its_health(void **state)
{
	(void)state;
	assert_image(HEALTH("[\"CMD\",\"/h\",\"x\"]", "2500000000"),
		"entrypoint=none command=none health=|/h|x every 2500 in ");
	assert_image(HEALTH("[\"CMD-SHELL\",\"a && b\"]", "0"),
		"entrypoint=none command=none health=|/bin/sh|-c|a && b "
		"every 0 in ");
	assert_image("{\"Shell\":[\"/bin/bash\",\"-ec\"],\"Healthcheck\":"
		     "{\"Test\":[\"CMD-SHELL\",\"x\"],\"Interval\":1}}",
		"entrypoint=none command=none health=|/bin/bash|-ec|x "
		"every 1 in ");
	assert_image(HEALTH("[\"CMD\",\"/h\"]", "-5"),
		"entrypoint=none command=none health=|/h every 0 in ");
	assert_image(HEALTH("[\"NONE\"]", "1000000"), NO_HEALTH);
	assert_image(HEALTH("[\"NONE\",\"x\"]", "1000000"), NO_HEALTH);
	assert_image(HEALTH("[\"CMD\"]", "1000000"), NO_HEALTH);
	assert_image(HEALTH("[\"NEW\",\"x\"]", "1000000"), NO_HEALTH);
	assert_image(HEALTH("[]", "1000000"), NO_HEALTH);
	assert_image(HEALTH("{\"a\":\"CMD\",\"b\":\"x\"}", "1"), NO_HEALTH);
	assert_image("{\"Healthcheck\":[1]}", NO_HEALTH);
}

/* Without that part another command would run. */
static void refuses_a_command_with_a_part_that_is_no_text(void **state)
{
	static const char *const configs[] = {
		"{\"Entrypoint\":[\"/e\",1]}",
		"{\"Entrypoint\":[\"/e\"],\"Cmd\":[null]}",
		"{\"Healthcheck\":{\"Test\":[\"CMD\",\"a\",[\"b\"]]}}",
		("{\"Shell\":[{}],"
		 "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a\"]}}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		struct br_image image = { 0 };
		struct br_err err = { 0 };

		if (parse(configs[i], &image, &err))
			fail_msg("%s went well", configs[i]);
		assert_int_equal(err.code, BR_EPROTO);
		assert_non_null(strstr(err.text, "a part that is no text"));
		assert_null(image.id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_an_image_runs),
		cmocka_unit_test(knows_how_an_image_is_asked_for_its_health),
		cmocka_unit_test(refuses_a_command_with_a_part_that_is_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
