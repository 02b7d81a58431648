/* SPDX-License-Identifier: MIT */
/*
 * What is read from right manifests, and what limits hold. The texts of mistakes
 * are compared in tests/manifest.
 */
#include "parsed.h"

#include "base/limits.h"

/* Parse what must have exactly one mistake, and compare its text and place. */
static void assert_mistake(struct br_str text, unsigned line, unsigned column,
	const char *expected)
{
	struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };

	br_manifest_parse(text, "m.yml", "/project", &manifest, &diags);
	assert_null(manifest);
	assert_int_equal(diags.count, 1);
	assert_string_equal(diags.items[0].text, expected);
	assert_int_equal(diags.items[0].place.line, line);
	assert_int_equal(diags.items[0].place.column, column);
	br_diags_done(&diags);
}

/* Add `count` times `text`. */
static void repeat(struct br_buf *buf, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		br_buf_add_text(buf, text);
}

/* Compare variables with `NAME=VALUE|NAME|...`. */
static void assert_vars(const struct br_vars *vars, const char *expected)
{
	br_autobuf struct br_buf got = { 0 };

	for (size_t i = 0; i < vars->count; i++) {
		br_buf_add_text(&got, vars->items[i].name);
		if (vars->items[i].value)
			br_buf_addf(&got, "=%s", vars->items[i].value);
		br_buf_add_char(&got, '|');
	}
	assert_string_equal(br_buf_text(&got), expected);
}

static void reads_every_key_of_the_manifest(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest("version: 1\n"
				"image: reg:5000/img\n"
				"environment:\n"
				"  inherit: [LANG, 'CI_*']\n"
				"  files: [.env, ci.env]\n"
				"  vars: [A=1, B, C=, A=x=y]\n"
				"  secrets: [B]\n"
				"stages: [build]\n"
				"build: {script: make}\n"
				"docker: false\n"
				"limits: {memory: 2g, cpus: 1.5, pids: 500}\n"
				"network: none\n"
				"x-anything: [{a: ~}]\n");

	assert_string_equal(manifest->file, "m.yml");
	assert_string_equal(manifest->project_dir, "/project");
	assert_string_equal(manifest->image, "reg:5000/img");
	assert_int_equal(manifest->inherit, BR_INHERIT_GLOBS);
	assert_texts(&manifest->inherit_globs, "LANG|CI_*|");
	assert_texts(&manifest->env_files, ".env|ci.env|");
	assert_vars(&manifest->vars, "A=1|B|C=|A=x=y|");
	assert_texts(&manifest->secrets, "B|");
	assert_int_equal(manifest->secrets.items[0].place.line, 7);
	assert_int_equal(manifest->secrets.items[0].place.column, 13);
	assert_false(manifest->has_docker);
	assert_true(manifest->is_docker_given);
	assert_int_equal(manifest->memory_bytes, INT64_C(2) << 30);
	assert_int_equal(manifest->cpus_nano, 1500000000);
	assert_int_equal(manifest->pids, 500);
	assert_string_equal(manifest->network, "none");
}

static void leaves_open_what_the_file_does_not_give(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest = parsed_manifest(
		"prepare: {}\nimage: ~\nlimits: {memory: , pids: null}\n"
		"docker:\nenvironment: {vars: ~}\nversion: ~\n");

	assert_null(manifest->image);
	assert_null(manifest->network);
	assert_int_equal(manifest->inherit, BR_INHERIT_NONE);
	assert_true(manifest->has_docker);
	assert_false(manifest->is_docker_given);
	assert_int_equal(manifest->memory_bytes, 0);
	assert_int_equal(manifest->order_count, 0);
	assert_non_null(manifest->prepare);
	assert_int_equal(manifest->prepare->step_count, 0);
}

static void reads_every_key_of_a_stage(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest = parsed_manifest(
		"stages: [a, b]\n"
		"a:\n"
		"  script: [one, [docker, push, '', 1.10], 'NO', NO]\n"
		"  environment: [A=1, B]\n"
		"  timeout: 1h30m\n"
		"  allow_failure: [1, 255]\n"
		"  workdir: sub/folder\n"
		"  user: 1000:1000\n"
		"  shell: [bash, -x]\n"
		"b: {shell: dash, allow_failure: true,\n"
		"  environment: {A: 0x1F, B: }}\n");
	const struct br_stage *a = parsed_stage(manifest, "a");
	const struct br_stage *b = parsed_stage(manifest, "b");

	assert_int_equal(a->step_count, 4);
	assert_string_equal(a->steps[0].text, "one");
	assert_null(a->steps[0].argv);
	assert_null(a->steps[1].text);
	assert_argv(a->steps[1].argv, "docker|push||1.10|");
	assert_string_equal(a->steps[2].text, "NO");
	assert_string_equal(a->steps[3].text, "NO");
	assert_vars(&a->environment, "A=1|B|");
	assert_int_equal(a->timeout_ms, 90 * 60 * 1000);
	assert_false(a->allow_failure.is_any);
	assert_int_equal(a->allow_failure.status_count, 2);
	assert_int_equal(a->allow_failure.statuses[1], 255);
	assert_string_equal(a->workdir, "sub/folder");
	assert_string_equal(a->user, "1000:1000");
	assert_argv(a->shell, "bash|-x|");
	assert_int_equal(a->place.line, 2);
	assert_argv(b->shell, "dash|");
	assert_true(b->allow_failure.is_any);
	assert_vars(&b->environment, "A=0x1F|B|");
	assert_int_equal(b->step_count, 0);
}

static void orders_stages_as_listed_and_keeps_the_others(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest = parsed_manifest(
		"c: {script: x}\nb: {}\nprepare: {script: p}\n"
		"a: {script: x}\nstages: [prepare, a, prepare, b]\n");

	assert_int_equal(manifest->stage_count, 3);
	assert_string_equal(manifest->stages[0].name, "c");
	assert_int_equal(manifest->order_count, 2);
	assert_string_equal(manifest->stages[manifest->order[0]].name, "a");
	assert_string_equal(manifest->stages[manifest->order[1]].name, "b");
	assert_non_null(manifest->prepare);
	assert_string_equal(manifest->prepare->name, "prepare");
}

static void starts_every_stage_from_the_defaults(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest = parsed_manifest(
		"stages: [a, b]\n"
		"a: {environment: [A=stage, C=3]}\n"
		"b: {timeout: 1s, allow_failure: false, user: ~}\n"
		"prepare: {timeout: 2s}\n"
		"defaults: {environment: {A: 1, B: 2}, timeout: 5m,\n"
		"  allow_failure: true, workdir: w, user: u, shell: s}\n");
	const struct br_stage *a = parsed_stage(manifest, "a");
	const struct br_stage *b = parsed_stage(manifest, "b");
	const struct br_stage *prepare = manifest->prepare;

	assert_vars(&a->environment, "A=1|B=2|A=stage|C=3|");
	assert_vars(&b->environment, "A=1|B=2|");
	assert_int_equal(a->timeout_ms, 5 * 60 * 1000);
	assert_int_equal(b->timeout_ms, 1000);
	assert_true(a->allow_failure.is_any);
	assert_false(b->allow_failure.is_any);
	assert_string_equal(b->user, "u");
	assert_argv(b->shell, "s|");
	assert_vars(&prepare->environment, "A=1|B=2|");
	assert_int_equal(prepare->timeout_ms, 2000);
	assert_string_equal(prepare->workdir, "w");
	assert_string_equal(prepare->user, "u");
	assert_false(prepare->allow_failure.is_any);
}

static void knows_the_line_of_each_dash(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest("prepare:\n"
				"  script:\n"
				"  - one\n" /* 3 */
				"  -\n"     /* 4 */
				"    # two - is - here\n"
				"\n"
				"    two\n"
				"  - # a comment -\n" /* 8 */
				"    &three\n"
				"    three\n"
				"  - |\n" /* 11 */
				"    four - 1\n"
				"    - four\n"
				"  - - exec\n" /* 14 */
				"    - -x\n"
				"  -\n" /* 16 */
				"    - exec\n"
				"  - *three\n"      /* 18 */
				"  - '- seven'\n"); /* 19 */
	static const unsigned lines[] = { 3, 4, 8, 11, 14, 16, 18, 19 };
	const struct br_stage *prepare = manifest->prepare;

	assert_int_equal(prepare->step_count, sizeof(lines) / sizeof(lines[0]));
	for (size_t i = 0; i < prepare->step_count; i++) {
		assert_int_equal(prepare->steps[i].place.line, lines[i]);
		assert_int_equal(prepare->steps[i].place.column, 3);
	}
	assert_string_equal(prepare->steps[3].text, "four - 1\n- four\n");
	assert_string_equal(prepare->steps[6].text, "three");
}

static void knows_the_line_of_a_script_that_is_one_text(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest("prepare:\n  script: |\n    one\n    two\n");
	br_auto(br_manifest) struct br_manifest *flow =
		parsed_manifest("prepare: {script: [one,\n  two]}\n");

	assert_int_equal(manifest->prepare->steps[0].place.line, 2);
	assert_int_equal(manifest->prepare->steps[0].place.column, 11);
	assert_int_equal(flow->prepare->steps[0].place.column, 20);
	assert_int_equal(flow->prepare->steps[1].place.line, 2);
	assert_int_equal(flow->prepare->steps[1].place.column, 3);
}

static void works_in_merge_keys_and_aliases(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest = parsed_manifest(
		"x-a: &a {timeout: 1s, user: a, script: &s [one, two]}\n"
		"x-b: &b {<<: *a, user: b, workdir: b}\n"
		"stages: [a, b, c]\n"
		"a: {<<: *a, timeout: 3s}\n"
		"b: {workdir: own, <<: [*b, *a]}\n"
		"c: {script: *s, <<: {user: c, script: other}}\n");
	const struct br_stage *a = parsed_stage(manifest, "a");
	const struct br_stage *b = parsed_stage(manifest, "b");
	const struct br_stage *c = parsed_stage(manifest, "c");

	assert_int_equal(a->timeout_ms, 3000);
	assert_string_equal(a->user, "a");
	assert_int_equal(a->step_count, 2);
	assert_int_equal(b->timeout_ms, 1000);
	assert_string_equal(b->user, "b");
	assert_string_equal(b->workdir, "own");
	assert_string_equal(c->user, "c");
	assert_int_equal(c->step_count, 2);
}

static void takes_a_name_that_is_anchored_again_from_there_on(void **state)
{
	(void)state;
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest("x-a: &a one\nx-b: [*a, &a two]\n"
				"prepare: {script: [*a]}\n");

	assert_string_equal(manifest->prepare->steps[0].text, "two");
}

static void warns_where_nothing_would_run(void **state)
{
	static const char *const texts[] = { "image: a\n", "stages: []\n",
		"a: {script: x}\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		br_auto(br_manifest) struct br_manifest *manifest = NULL;
		struct br_diags diags = { 0 };

		br_manifest_parse(
			br_str(texts[i]), "m", "/", &manifest, &diags);
		assert_non_null(manifest);
		assert_int_equal(diags.error_count, 0);
		assert_int_equal(diags.count, 1);
		assert_int_equal(diags.items[0].severity, BR_SEVERITY_WARNING);
		br_diags_done(&diags);
	}
}

static void refuses_flow_lists_without_end_at_their_65th_level(void **state)
{
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	repeat(&text, "[", 200000);
	assert_mistake(br_buf_str(&text), 1, 65,
		"more than 64 levels of lists and mappings");
	br_buf_clear(&text);
	repeat(&text, "{a: ", 200000);
	assert_mistake(br_buf_str(&text), 1, 64 * 4 + 1,
		"more than 64 levels of lists and mappings");
}

static void refuses_what_aliases_multiply(void **state)
{
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	br_buf_add_text(&text, "x-0: &a0 [lol, lol]\n");
	for (unsigned i = 1; i < 1000; i++)
		br_buf_addf(
			&text, "x-%u: &a%u [*a%u, *a%u]\n", i, i, i - 1, i - 1);
	assert_mistake(br_buf_str(&text), 15, 19,
		"more than 100000 YAML nodes, counting what aliases repeat");
}

static void refuses_more_than_a_mebibyte(void **state)
{
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	br_buf_add_text(&text, "prepare: {}\n#");
	repeat(&text, "x", BR_LIMIT_MANIFEST_BYTES - text.len);
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest(br_buf_text(&text));
	assert_non_null(manifest);
	br_buf_add_char(&text, 'x');
	assert_mistake(br_buf_str(&text), 0, 0,
		"the manifest is larger than 1048576 bytes");
}

/* Names and keys by the ten thousand are told apart by sorting. */
static void takes_ten_thousand_stages_and_no_more(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf list = { 0 };

	(void)state;
	br_buf_add_text(&list, "stages: [");
	for (unsigned i = 0; i < BR_LIMIT_STAGES; i++) {
		br_buf_addf(&text, "s%u: {script: a}\n", i);
		br_buf_addf(&list, "s%u,", BR_LIMIT_STAGES - 1 - i);
	}
	br_buf_addf(&list, "]\n%s", br_buf_text(&text));
	br_auto(br_manifest) struct br_manifest *manifest =
		parsed_manifest(br_buf_text(&list));
	assert_int_equal(manifest->order_count, BR_LIMIT_STAGES);
	assert_int_equal(manifest->order[0], BR_LIMIT_STAGES - 1);

	br_buf_add_text(&text, "one-more: {script: a}\n");
	assert_mistake(br_buf_str(&text), BR_LIMIT_STAGES + 1, 1,
		"more than 10000 stages");
}

static void finds_duplicates_among_tens_of_thousands_of_keys(void **state)
{
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	br_buf_add_text(&text, "prepare: {}\nx-keys:\n");
	for (unsigned i = 0; i < 40000; i++)
		br_buf_addf(&text, "  k%u: a\n", i);
	br_buf_add_text(&text, "  k7: b\n");
	assert_mistake(br_buf_str(&text), 40003, 3,
		"the key 'k7' stands here again; the first is in line 10");
}

/* What is right but for its length must be told, not cut. */
static void refuses_what_no_program_can_be_given(void **state)
{
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	br_buf_add_text(&text, "prepare:\n  script:\n    - [echo, ");
	repeat(&text, "x", BR_LIMIT_ENV_ENTRY_BYTES + 1);
	br_buf_add_text(&text, "]\n");
	assert_mistake(br_buf_str(&text), 3, 14,
		"an argument of more than 131071 bytes");
	br_buf_clear(&text);
	br_buf_add_text(&text, "prepare: {}\nenvironment:\n  vars: {A: ");
	repeat(&text, "x", BR_LIMIT_ENV_ENTRY_BYTES - 1);
	br_buf_add_text(&text, "}\n");
	assert_mistake(br_buf_str(&text), 3, 10,
		"a variable of more than 131071 bytes");
}

static void refuses_control_characters_with_their_place(void **state)
{
	static const char *const refused[] = { "\x01", "\x7f", "\xc2\x80",
		"\xc2\x85", "\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9",
		"\xef\xbf\xbe", "\r" };
	static const char *const taken[] = { "\t", "\xc2\xa0", "\xe2\x80\xa7",
		"\xef\xbf\xbd", "\xf0\x9f\x98\x80" };

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		br_autobuf struct br_buf text = { 0 };
		struct br_manifest *manifest = NULL;
		struct br_diags diags = { 0 };

		br_buf_addf(
			&text, "prepare: {}\n# \xc3\xa4 %s x\n", refused[i]);
		br_manifest_parse(
			br_buf_str(&text), "m", "/", &manifest, &diags);
		assert_null(manifest);
		assert_int_equal(diags.count, 1);
		assert_int_equal(diags.items[0].place.line, 2);
		assert_int_equal(diags.items[0].place.column, 5);
		br_diags_done(&diags);
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		br_autobuf struct br_buf text = { 0 };

		br_buf_addf(&text, "prepare: {}\n# %s x\n", taken[i]);
		br_manifest_free(parsed_manifest(br_buf_text(&text)));
	}
}

static void tells_the_first_hundred_of_very_many_mistakes(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };

	(void)state;
	br_buf_add_text(&text, "stages: [");
	for (unsigned i = 0; i < BR_LIMIT_STAGES; i++)
		br_buf_addf(&text, "s%u,", i);
	br_buf_add_text(&text, "]\n");
	br_manifest_parse(br_buf_str(&text), "m", "/", &manifest, &diags);
	assert_null(manifest);
	assert_int_equal(diags.count, BR_LIMIT_DIAGS);
	assert_int_equal(diags.error_count, BR_LIMIT_STAGES);
	br_diags_done(&diags);
}

static void knows_the_names_that_variables_can_have(void **state)
{
	static const char *const good[] = { "A", "_", "a1", "A.B-c" };
	static const char *const bad[] = { "", "1", "-a", ".a", "A B",
		"A=", "\xc3\xa4", "A\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(br_var_is_name(br_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(br_var_is_name(br_str(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_key_of_the_manifest),
		cmocka_unit_test(leaves_open_what_the_file_does_not_give),
		cmocka_unit_test(reads_every_key_of_a_stage),
		cmocka_unit_test(orders_stages_as_listed_and_keeps_the_others),
		cmocka_unit_test(starts_every_stage_from_the_defaults),
		cmocka_unit_test(knows_the_line_of_each_dash),
		cmocka_unit_test(knows_the_line_of_a_script_that_is_one_text),
		cmocka_unit_test(works_in_merge_keys_and_aliases),
		cmocka_unit_test(
			takes_a_name_that_is_anchored_again_from_there_on),
		cmocka_unit_test(warns_where_nothing_would_run),
		cmocka_unit_test(
			refuses_flow_lists_without_end_at_their_65th_level),
		cmocka_unit_test(refuses_what_aliases_multiply),
		cmocka_unit_test(refuses_more_than_a_mebibyte),
		cmocka_unit_test(takes_ten_thousand_stages_and_no_more),
		cmocka_unit_test(
			finds_duplicates_among_tens_of_thousands_of_keys),
		cmocka_unit_test(refuses_what_no_program_can_be_given),
		cmocka_unit_test(refuses_control_characters_with_their_place),
		cmocka_unit_test(tells_the_first_hundred_of_very_many_mistakes),
		cmocka_unit_test(knows_the_names_that_variables_can_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
