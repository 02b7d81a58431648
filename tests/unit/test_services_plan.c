/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: services of stages that are
 * skipped or empty; another port taken for the same; a command that is the beginning
 * of another; mistakes of each combination; what is said above -e.
 */
#include "planned.h"

/* Check the users of a service and that each of them knows it. */
static void assert_service(const struct planned *planned, size_t index,
	const char *alias, const char *users)
{
	const struct br_plan *plan = planned->plan;
	const struct br_plan_service *service = &plan->services[index];
	br_autobuf struct br_buf text = { 0 };

	assert_true(index < plan->service_count);
	assert_string_equal(service->alias, alias);
	for (size_t i = 0; i < service->users.count; i++) {
		const struct br_plan_stage *stage =
			&plan->stages[service->users.items[i]];
		bool is_known = false;

		for (size_t k = 0; k < stage->services.count; k++)
			is_known |= stage->services.items[k] == index;
		assert_true(is_known);
		br_buf_addf(&text, "%s%s", i > 0 ? "|" : "", stage->name);
	}
	assert_string_equal(br_buf_text(&text), users);
}

static void shares_what_is_said_in_the_same_words(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [one, two, three]\n"
		"one: {script: x, services: [postgres:16, {image: redis}]}\n"
		"two: {script: x}\n"
		"three: {script: x, services: [redis, {image: mysql,"
		" alias: db}]}\n");
	assert_int_equal(planned.plan->service_count, 3);
	assert_service(&planned, 0, "postgres", "one");
	assert_service(&planned, 1, "redis", "one|three");
	assert_service(&planned, 2, "db", "three");
	assert_int_equal(planned_stage(&planned, "two")->services.count, 0);
	planned_done(&planned);
}

static void shares_between_the_combinations_of_a_matrix(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [s]\n"
		"s: {script: x, matrix: {n: [1, 2]}, services: [redis]}\n");
	assert_int_equal(planned.plan->service_count, 1);
	assert_service(&planned, 0, "redis", "s (n=1)|s (n=2)");
	planned_done(&planned);
}

/* Only what runs is started, and a stage without steps does not run. */
static void leaves_out_what_nobody_uses(void **state)
{
	const char *const skip[] = { "left-out" };
	struct planned planned = {
		.options.skip = { .items = skip, .count = 1 },
	};

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [left-out, pushed, empty, used]\n"
		"left-out: {script: x, services: [one]}\n"
		"pushed: {script: x, services: [two], when: {event: push}}\n"
		"empty: {services: [three]}\n"
		"used: {script: x, services: [four]}\n"
		"unlisted: {script: x, services: [five]}\n");
	assert_int_equal(planned.plan->service_count, 1);
	assert_service(&planned, 0, "four", "used");
	assert_int_equal(planned_stage(&planned, "empty")->services.count, 0);
	planned_done(&planned);
}

static void takes_over_what_a_service_says(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [s]\n"
		"s:\n"
		"  script: x\n"
		"  services:\n"
		"    - {image: one, ready: {port: 5432}, timeout: 90s,"
		" command: [serve, -v]}\n"
		"    - {image: two, ready: {command: ping it}}\n"
		"    - three\n");
	br_manifest_free(br_take_ptr(&planned.manifest));

	const struct br_plan_service *services = planned.plan->services;
	assert_string_equal(services[0].image, "one");
	assert_int_equal(services[0].ready, BR_READY_PORT);
	assert_int_equal(services[0].port, 5432);
	assert_int_equal(services[0].timeout_ms, 90 * 1000);
	assert_string_equal(services[0].command[1], "-v");
	assert_null(services[0].command[2]);
	assert_int_equal(services[1].ready, BR_READY_COMMAND);
	assert_string_equal(services[1].ready_command[2], "ping it");
	assert_null(services[1].command);
	assert_int_equal(services[2].ready, BR_READY_IMAGE);
	assert_int_equal(services[2].timeout_ms, 60 * 1000);
	planned_done(&planned);
}

/* Check what is wrong where two stages have these services, `second` in line 4. */
static void assert_conflict(
	const char *first, const char *second, bool is_conflict)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	br_buf_addf(&text,
		"image: a\n"
		"stages: [one, two]\n"
		"one: {script: x, services: [{image: i, alias: db%s}]}\n"
		"two: {script: x, services: [{image: i, alias: db%s}],"
		" matrix: {n: [1, 2, 3]}}\n",
		first, second);
	assert_true(planned_build(&planned, text.data));
	if (is_conflict)
		planned_assert_mistake(&planned, 4,
			"alias 'db' is of different services in the stages "
			"'one' and 'two'");
	else
		assert_int_equal(planned.plan->service_count, 1);
	planned_done(&planned);
}

static void rejects_an_alias_of_two_services_once(void **state)
{
	static const char *const different[][2] = {
		{ "", ", command: run" },
		{ ", command: run", ", command: [run]" },
		{ ", command: [run]", ", command: [run, it]" },
		{ "", ", ready: {port: 1}" },
		{ ", ready: {port: 2}", ", ready: {port: 1}" },
		{ ", ready: {command: a}", ", ready: {command: b}" },
		{ ", timeout: 1m", "" },
		{ "", ", environment: [A=1]" },
		{ ", environment: [A]", ", environment: [A=1]" },
		{ ", environment: [A=2]", ", environment: [A=1]" },
		{ ", environment: [A=1]", ", environment: [A=1, B=1]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++)
		assert_conflict(different[i][0], different[i][1], true);
	assert_conflict(", ready: {port: 1}, environment: [A=1, B=2]",
		", environment: {A: 1, B: 2}, ready: {port: 1}", false);
	assert_conflict(", environment: [A]", ", environment: [A]", false);
}

static void rejects_what_is_no_image_once(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	assert_true(planned_build(&planned,
		"image: a\n"
		"stages: [one, two]\n"
		"one: {script: x, services: [{image: No, alias: db}],"
		" matrix: {n: [1, 2]}}\n"
		"two: {script: x, services: [{image: No, alias: db}]}\n"));
	assert_null(planned.plan);
	assert_int_equal(planned.diags.error_count, 1);
	assert_int_equal(planned.diags.items[0].place.line, 3);
	planned_done(&planned);

	/* The same of a stage's own. */
	assert_true(planned_build(&planned,
		"image: a\n"
		"stages: [fine, one]\n"
		"fine: {}\n"
		"one: {script: x, image: No, matrix: {n: [1, 2]}}\n"));
	assert_null(planned.plan);
	assert_int_equal(planned.diags.error_count, 1);
	planned_done(&planned);
}

/* Check the whole environment of the only service, a blank before each. */
static void assert_environment(
	struct planned *planned, const char *service, const char *wanted)
{
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf got = { 0 };

	br_buf_addf(&text,
		"image: a\n"
		"environment: {vars: {MODE: fast, BOTH: m}}\n"
		"stages: [s]\n"
		"s: {script: x, environment: {STAGE_ONLY: x},"
		" services: [{image: i, environment: %s}]}\n",
		service);
	planned_must(planned, text.data);
	for (const char *const *at = planned->plan->services[0].environment;
		*at; at++)
		br_buf_addf(&got, " %s", *at);
	assert_string_equal(br_buf_text(&got), wanted);
}

static void gives_a_service_only_its_own_environment(void **state)
{
	static const char *const caller[] = { "CALLERS=c", "MODE=callers",
		NULL };
	static const char *const env[] = { "BOTH=option", "MORE=option" };
	struct planned planned = {
		.options = { .environment = caller,
			.env = env,
			.env_count = 2 },
	};

	(void)state;
	assert_environment(&planned, "[Z=1, A=2, Z=3]", " A=2 Z=3");
	planned_done(&planned);

	/* NAME alone: from -e, the manifest or the caller, in this order. */
	planned.options.environment = caller;
	planned.options.env = env;
	planned.options.env_count = 2;
	assert_environment(&planned, "[MODE, BOTH, CALLERS, MORE]",
		" BOTH=option CALLERS=c MODE=fast MORE=option");
	assert_null(planned.plan->warnings[0]);
	planned_done(&planned);

	assert_environment(&planned, "[NONE]", "");
	planned_assert_warning(
		&planned, ".buildr.yml:4: 'NONE' is passed on but not set");
	planned_done(&planned);
}

static void masks_secrets_of_services(void **state)
{
	static const char *const caller[] = { "KEY=hunter2", NULL };
	struct planned planned = { .options.environment = caller };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"environment: {secrets: [KEY]}\n"
		"stages: [s]\n"
		"s: {script: x, services: [{image: i, environment: [KEY]}]}\n");
	assert_int_equal(planned.plan->secret_count, 1);
	assert_true(br_str_is(planned.plan->secrets[0], "hunter2"));
	planned_done(&planned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_what_is_said_in_the_same_words),
		cmocka_unit_test(shares_between_the_combinations_of_a_matrix),
		cmocka_unit_test(leaves_out_what_nobody_uses),
		cmocka_unit_test(takes_over_what_a_service_says),
		cmocka_unit_test(rejects_an_alias_of_two_services_once),
		cmocka_unit_test(rejects_what_is_no_image_once),
		cmocka_unit_test(gives_a_service_only_its_own_environment),
		cmocka_unit_test(masks_secrets_of_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
