/* SPDX-License-Identifier: MIT */
/*
 * The keys that make a graph of the stages: needs, when, retry, matrix,
 * services; and those of the stage cache. The texts of mistakes are compared in tests/manifest.
 */
#include "parsed.h"

#include "base/limits.h"

static void assert_needs(const struct br_manifest *manifest, const char *name,
	const char *expected)
{
	const struct br_stage *stage = parsed_stage(manifest, name);
	br_autobuf struct br_buf got = { 0 };

	for (size_t i = 0; i < stage->need_count; i++)
		br_buf_addf(&got, "%s|",
			manifest->stages[stage->need_indexes[i]].name);
	assert_string_equal(br_buf_text(&got), expected);
}

static void finds_what_each_stage_needs(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest("stages: [prepare, d, c, b, prepare, a]\n"
				"by-name: {script: x}\n"
				"and-more: {script: x, needs: [a, by-name]}\n"
				"a: {}\n"
				"b: {needs: [prepare]}\n"
				"c: {needs: ~}\n"
				"d: {needs: [by-name, prepare, b]}\n"
				"prepare: {script: x}\n");

	assert_needs(manifest, "by-name", "");
	assert_needs(manifest, "and-more", "a|by-name|");
	assert_needs(manifest, "a", "b|");
	assert_needs(manifest, "b", "");
	assert_needs(manifest, "c", "d|");
	assert_needs(manifest, "d", "by-name|b|");
	assert_false(parsed_stage(manifest, "a")->has_needs);
	assert_true(parsed_stage(manifest, "b")->has_needs);
	assert_texts(&parsed_stage(manifest, "d")->needs, "by-name|prepare|b|");
	assert_int_equal(manifest->prepare->need_count, 0);
}

static void reads_conditions(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest("stages: [a, b]\n"
				"a:\n"
				"  when:\n"
				"    branch: [main, 'release/*']\n"
				"    tag: v*\n"
				"    event: push\n"
				"    changes: ['**', '!docs/']\n"
				"    env: {A: '', B: [1, 'x*'], C: ~}\n"
				"    status: always\n"
				"b: {}\n");
	const struct br_when *when = &parsed_stage(manifest, "a")->when;

	assert_int_equal(when->place.line, 3);
	assert_texts(&when->branch, "main|release/*|");
	assert_int_equal(when->branch.items[1].place.column, 20);
	assert_texts(&when->tag, "v*|");
	assert_texts(&when->event, "push|");
	assert_texts(&when->changes, "**|!docs/|");
	assert_int_equal(when->env_count, 2);
	assert_string_equal(when->env[0].name, "A");
	assert_texts(&when->env[0].globs, "|");
	assert_string_equal(when->env[1].name, "B");
	assert_texts(&when->env[1].globs, "1|x*|");
	assert_int_equal(when->status, BR_WHEN_ALWAYS);
	assert_int_equal(parsed_stage(manifest, "b")->when.place.line, 0);
	assert_int_equal(
		parsed_stage(manifest, "b")->when.status, BR_WHEN_SUCCESS);
}

static void reads_how_often_a_stage_is_tried_again(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest = parsed_manifest(
		"stages: [a, b, c]\n"
		"prepare: {retry: 3}\n"
		"a: {}\n"
		"b: {retry: {max: 2, on: [75, timeout, 1], delay: 1m}}\n"
		"c: {retry: {max: 1, on: engine}}\n");
	const struct br_retry *b = &parsed_stage(manifest, "b")->retry;
	const struct br_retry *c = &parsed_stage(manifest, "c")->retry;

	assert_int_equal(manifest->prepare->retry.max, 3);
	assert_false(manifest->prepare->retry.has_conditions);
	assert_int_equal(parsed_stage(manifest, "a")->retry.max, 0);
	assert_int_equal(b->max, 2);
	assert_true(b->has_conditions);
	assert_true(b->on_timeout);
	assert_false(b->on_engine);
	assert_int_equal(b->status_count, 2);
	assert_int_equal(b->statuses[0], 75);
	assert_int_equal(b->statuses[1], 1);
	assert_int_equal(b->delay_ms, 60000);
	assert_true(c->on_engine);
	assert_false(c->on_timeout);
}

static void reads_services(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest("stages: [a]\n"
				"a:\n"
				"  services:\n"
				"  - ghcr.io/x/postgres:16\n"
				"  - image: reg:5000/redis\n"
				"    alias: cache\n"
				"    command: redis-server --save ''\n"
				"    environment: {A: 1, B: }\n"
				"    ready: {port: 6379}\n"
				"    timeout: 90s\n"
				"  - {image: db@sha256:00, command: [run, ''], "
				"ready: {command: ok}}\n");
	const struct br_services *services =
		&parsed_stage(manifest, "a")->services;
	const struct br_service *items = services->items;

	assert_int_equal(services->count, 3);
	assert_int_equal(services->place.line, 3);
	assert_string_equal(items[0].image, "ghcr.io/x/postgres:16");
	assert_string_equal(items[0].alias, "postgres");
	assert_int_equal(items[0].place.line, 4);
	assert_int_equal(items[0].ready, BR_READY_IMAGE);
	assert_null(items[0].command);
	assert_string_equal(items[1].alias, "cache");
	assert_argv(items[1].command, "sh|-c|redis-server --save ''|");
	assert_int_equal(items[1].environment.count, 2);
	assert_int_equal(items[1].ready, BR_READY_PORT);
	assert_int_equal(items[1].port, 6379);
	assert_int_equal(items[1].timeout_ms, 90000);
	assert_string_equal(items[2].alias, "db");
	assert_argv(items[2].command, "run||");
	assert_int_equal(items[2].ready, BR_READY_COMMAND);
	assert_argv(items[2].ready_command, "sh|-c|ok|");
}

static void names_services_after_their_images(void **state)
{
	static const char *const images[][2] = {
		{ "postgres", "postgres" },
		{ "postgres:16.1-alpine", "postgres" },
		{ "reg:5000/postgres", "postgres" },
		{ "reg:5000/a/b-c.d:1@sha256:0a", "b-c.d" },
		{ "a/b@sha256:0a", "b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		br_autobuf struct br_buf text = { 0 };

		br_buf_addf(&text, "stages: [a]\na: {services: ['%s']}\n",
			images[i][0]);
		br_auto(br_manifest) struct br_manifest *manifest =
			parsed_manifest(br_buf_text(&text));
		assert_string_equal(manifest->stages[0].services.items[0].alias,
			images[i][1]);
	}
}

static void reads_what_the_stage_cache_goes_by(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest("stages: [a, b, c]\n"
				"defaults: {cache: false}\n"
				"prepare: {cache: 1d2h}\n"
				"a:\n"
				"  inputs: [src/**, '!*.md']\n"
				"  outputs: [out/, a.bin]\n"
				"  cache: true\n"
				"b: {inputs: []}\n"
				"c: {inputs: ~, outputs: ~, cache: ~}\n");
	const struct br_stage *a = parsed_stage(manifest, "a");
	const struct br_stage *b = parsed_stage(manifest, "b");
	const struct br_stage *c = parsed_stage(manifest, "c");

	assert_true(a->has_inputs);
	assert_texts(&a->inputs, "src/**|!*.md|");
	assert_texts(&a->outputs, "out/|a.bin|");
	assert_false(a->is_uncached);
	assert_true(b->has_inputs);
	assert_int_equal(b->inputs.count, 0);
	assert_true(b->is_uncached);
	assert_false(c->has_inputs);
	assert_int_equal(c->outputs.count, 0);
	assert_int_equal(manifest->prepare->kept_ms, 26 * 60 * 60 * 1000);
	assert_false(manifest->prepare->is_uncached);
}

static void replaces_each_default_as_a_whole(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest = parsed_manifest(
		"stages: [a, b]\n"
		"defaults: {image: d, tty: true, when: {branch: d, tag: d},\n"
		"  retry: {max: 2, on: 5, delay: 1s}, matrix: {A: [1]},\n"
		"  services: [d]}\n"
		"prepare: {}\n"
		"a: {}\n"
		"b: {image: b, tty: false, when: {branch: b}, retry: 1,\n"
		"  matrix: {B: [1, 2]}, services: []}\n");
	const struct br_stage *a = parsed_stage(manifest, "a");
	const struct br_stage *b = parsed_stage(manifest, "b");
	const struct br_stage *prepare = manifest->prepare;

	assert_string_equal(a->image, "d");
	assert_true(a->has_tty);
	assert_texts(&a->when.tag, "d|");
	assert_int_equal(a->retry.status_count, 1);
	assert_string_equal(a->matrix.axes[0].name, "A");
	assert_int_equal(a->services.count, 1);
	assert_string_equal(b->image, "b");
	assert_false(b->has_tty);
	assert_texts(&b->when.branch, "b|");
	assert_texts(&b->when.tag, "");
	assert_false(b->retry.has_conditions);
	assert_int_equal(b->retry.delay_ms, 0);
	assert_int_equal(b->matrix.axis_count, 1);
	assert_int_equal(b->matrix.combination_count, 2);
	assert_int_equal(b->services.count, 0);
	assert_int_equal(prepare->retry.max, 2);
	assert_null(prepare->image);
	assert_false(prepare->has_tty);
	assert_int_equal(prepare->when.place.line, 0);
	assert_int_equal(prepare->matrix.axis_count, 0);
	assert_int_equal(prepare->services.count, 0);
}

/* Stages that need the one after them, as far as the limits allow. */
static void add_chain(struct br_buf *text, const char *last_needs)
{
	br_buf_add_text(text, "stages: [");
	for (unsigned i = 0; i < BR_LIMIT_STAGES; i++)
		br_buf_addf(text, "s%u,", i);
	br_buf_add_text(text, "]\n");
	for (unsigned i = 0; i + 1 < BR_LIMIT_STAGES; i++)
		br_buf_addf(text, "s%u: {needs: [s%u]}\n", i, i + 1);
	br_buf_addf(
		text, "s%u: {needs: [%s]}\n", BR_LIMIT_STAGES - 1, last_needs);
}

static void follows_a_chain_of_ten_thousand_stages(void **state)
{
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	add_chain(&text, "");
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest(br_buf_text(&text));
	for (size_t i = 0; i + 1 < BR_LIMIT_STAGES; i++) {
		assert_int_equal(manifest->stages[i].need_count, 1);
		assert_int_equal(manifest->stages[i].need_indexes[0], i + 1);
	}
}

static void shows_the_ends_of_a_cycle_of_ten_thousand_stages(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };

	(void)state;
	add_chain(&text, "s0");
	br_manifest_parse(br_buf_str(&text), "m", "/", &manifest, &diags);
	assert_null(manifest);
	assert_int_equal(diags.count, 1);
	assert_int_equal(diags.items[0].place.line, BR_LIMIT_STAGES + 1);
	assert_string_equal(diags.items[0].text,
		"stage 's0' needs itself: s0 \xe2\x86\x92 s1 \xe2\x86\x92 s2 "
		"\xe2\x86\x92 s3 \xe2\x86\x92 s4 \xe2\x86\x92 s5 \xe2\x86\x92 "
		"... \xe2\x86\x92 s9994 \xe2\x86\x92 s9995 \xe2\x86\x92 s9996 "
		"\xe2\x86\x92 s9997 \xe2\x86\x92 s9998 \xe2\x86\x92 s9999 "
		"\xe2\x86\x92 s0");
	br_diags_done(&diags);
}

/* Every stage is on a cycle of its own: it is found, and told a hundred times. */
static void finds_ten_thousand_cycles(void **state)
{
	br_autobuf struct br_buf all = { 0 };
	br_autobuf struct br_buf text = { 0 };
	struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };

	(void)state;
	for (unsigned i = 0; i < BR_LIMIT_STAGES; i++)
		br_buf_addf(&all, "%ss%u", i > 0 ? "," : "", i);
	add_chain(&text, br_buf_text(&all));
	br_manifest_parse(br_buf_str(&text), "m", "/", &manifest, &diags);
	assert_null(manifest);
	assert_int_equal(diags.count, BR_LIMIT_DIAGS);
	assert_int_equal(diags.error_count, BR_LIMIT_STAGES);
	br_diags_done(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_each_stage_needs),
		cmocka_unit_test(reads_conditions),
		cmocka_unit_test(reads_how_often_a_stage_is_tried_again),
		cmocka_unit_test(reads_services),
		cmocka_unit_test(names_services_after_their_images),
		cmocka_unit_test(reads_what_the_stage_cache_goes_by),
		cmocka_unit_test(replaces_each_default_as_a_whole),
		cmocka_unit_test(follows_a_chain_of_ten_thousand_stages),
		cmocka_unit_test(
			shows_the_ends_of_a_cycle_of_ten_thousand_stages),
		cmocka_unit_test(finds_ten_thousand_cycles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
