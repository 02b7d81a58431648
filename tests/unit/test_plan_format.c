/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: a secret in a command; names
 * that are not quoted.
 */
#include "planned.h"

#include <cjson/cJSON.h>

#include "base/buf.h"

static const char formatted[] =
	"image: a:1\n"
	"environment: {vars: [K=hunter2], secrets: [K]}\n"
	"stages: [build, test]\n"
	"prepare: {script: [p, q]}\n"
	"build: {script: [\"login hunter2\"], timeout: 90s, user: u}\n"
	"test: {}\n";

static void shows_a_table(void **state)
{
	const char *const selection[] = { "build" };
	struct planned planned = {
		.options.selection = { .items = selection, .count = 1 },
	};
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	planned_must(&planned, formatted);
	br_plan_format(planned.plan, BR_PLAN_FORMAT_TEXT, &text);
	assert_string_equal(br_buf_text(&text),
		"project  /nowhere/at/all\n"
		"manifest .buildr.yml\n"
		"image    a:1\n"
		"\n"
		"STAGE    STEPS  WAITS FOR  WHY\n"
		"prepare      2  -          runs before all others\n"
		"build        1  prepare    named on the command line\n"
		"test         0  build      skipped: neither named nor needed\n");
	planned_done(&planned);
}

static void shows_json_without_secrets(void **state)
{
	struct planned planned = { .project_dir = "/no/\xff\n\"x" };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	planned_must(&planned, formatted);
	br_plan_format(planned.plan, BR_PLAN_FORMAT_JSON, &text);
	assert_string_equal(br_buf_text(&text),
		"{\"version\":1,"
		"\"project\":\"/no/\xef\xbf\xbd\\n\\\"x\","
		"\"manifest\":\".buildr.yml\",\"image\":\"a:1\","
		"\"warnings\":[],\"stages\":["
		"{\"name\":\"prepare\",\"stage\":\"prepare\",\"runs\":true,"
		"\"why\":\"runs before all others\",\"needs\":[],"
		"\"status\":\"success\",\"image\":\"a:1\",\"services\":[],\"workdir\":\"/app\",\"user\":null,"
		"\"timeout\":null,\"retry\":0,\"cached\":false,\"kept\":null,\"inputs\":[],\"outputs\":[],\"steps\":[{\"command\":\"p\",\"line\":4},"
		"{\"command\":\"q\",\"line\":4}]},"
		"{\"name\":\"build\",\"stage\":\"build\",\"runs\":true,"
		"\"why\":\"listed in 'stages'\",\"needs\":[\"prepare\"],"
		"\"status\":\"success\",\"image\":\"a:1\",\"services\":[],\"workdir\":\"/app\",\"user\":\"u\","
		"\"timeout\":90,\"retry\":0,\"cached\":false,\"kept\":null,\"inputs\":[],\"outputs\":[],"
		"\"steps\":[{\"command\":\"login ***\",\"line\":5}]},"
		"{\"name\":\"test\",\"stage\":\"test\",\"runs\":true,"
		"\"why\":\"listed in 'stages'\",\"needs\":[\"build\"],"
		"\"status\":\"success\",\"image\":\"a:1\",\"services\":[],\"workdir\":\"/app\",\"user\":null,"
		"\"timeout\":null,\"retry\":0,\"cached\":false,\"kept\":null,\"inputs\":[],\"outputs\":[],\"steps\":[]}]}\n");

	cJSON *parsed = cJSON_Parse(text.data);
	assert_non_null(parsed);
	cJSON_Delete(parsed);
	planned_done(&planned);
}

static void shows_a_graph(void **state)
{
	const char *const selection[] = { "build" };
	struct planned planned = {
		.options.selection = { .items = selection, .count = 1 },
	};
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	planned_must(&planned, formatted);
	br_plan_format(planned.plan, BR_PLAN_FORMAT_DOT, &text);
	assert_string_equal(br_buf_text(&text),
		"digraph \".buildr.yml\" {\n"
		"\tnode [shape=box]\n"
		"\t\"prepare\"\n"
		"\t\"build\"\n"
		"\t\"prepare\" -> \"build\"\n"
		"\t\"test\" [style=dashed]\n"
		"\t\"build\" -> \"test\"\n"
		"}\n");
	planned_done(&planned);
}

static void assert_shown(
	const char *manifest, enum br_plan_format format, const char *wanted)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	planned_must(&planned, manifest);
	br_plan_format(planned.plan, format, &text);
	assert_string_equal(br_buf_text(&text), wanted);
	planned_done(&planned);
}

/* What of it means something to Graphviz or to Mermaid. */
static const char odd[] = "image: a\n"
			  "stages: ['a\"b', 'c\\d', '<b>&amp;', '#1;`end`']\n"
			  "'a\"b': {script: x}\n"
			  "'c\\d': {script: x}\n"
			  "'<b>&amp;': {script: x}\n"
			  "'#1;`end`': {script: x}\n";

static const char crossed[] =
	"image: a\n"
	"stages: [build, test, deploy]\n"
	"build: {}\n"
	"test: {matrix: {n: [1, 2]}, when: {env: {n: 1}}}\n"
	"deploy: {needs: [build, test]}\n";

static void draws_a_graph_for_graphviz(void **state)
{
	(void)state;
	assert_shown(odd, BR_PLAN_FORMAT_DOT,
		"digraph \".buildr.yml\" {\n"
		"\tnode [shape=box]\n"
		"\t\"a\\\"b\"\n"
		"\t\"c\\\\d\"\n"
		"\t\"a\\\"b\" -> \"c\\\\d\"\n"
		"\t\"<b>&amp;amp;\"\n"
		"\t\"c\\\\d\" -> \"<b>&amp;amp;\"\n"
		"\t\"#1;`end`\"\n"
		"\t\"<b>&amp;amp;\" -> \"#1;`end`\"\n"
		"}\n");
	assert_shown(crossed, BR_PLAN_FORMAT_DOT,
		"digraph \".buildr.yml\" {\n"
		"\tnode [shape=box]\n"
		"\t\"build\"\n"
		"\t\"test (n=1)\"\n"
		"\t\"build\" -> \"test (n=1)\"\n"
		"\t\"test (n=1)\" -> \"test\"\n"
		"\t\"test (n=2)\" [style=dashed]\n"
		"\t\"build\" -> \"test (n=2)\"\n"
		"\t\"test (n=2)\" -> \"test\"\n"
		"\t\"test\" [shape=point]\n"
		"\t\"deploy\"\n"
		"\t\"build\" -> \"deploy\"\n"
		"\t\"test\" -> \"deploy\"\n"
		"}\n");
}

static void draws_a_graph_for_mermaid(void **state)
{
	(void)state;
	assert_shown(odd, BR_PLAN_FORMAT_MERMAID,
		"flowchart LR\n"
		"\tclassDef skipped stroke-dasharray: 4 4\n"
		"\ts0[\"a#34;b\"]\n"
		"\ts1[\"c#92;d\"]\n"
		"\ts0 --> s1\n"
		"\ts2[\"#60;b#62;#38;amp;\"]\n"
		"\ts1 --> s2\n"
		"\ts3[\"#35;1;#96;end#96;\"]\n"
		"\ts2 --> s3\n");
	assert_shown(crossed, BR_PLAN_FORMAT_MERMAID,
		"flowchart LR\n"
		"\tclassDef skipped stroke-dasharray: 4 4\n"
		"\ts0[\"build\"]\n"
		"\tg1(( ))\n"
		"\ts1[\"test (n=1)\"]\n"
		"\ts0 --> s1\n"
		"\ts1 --> g1\n"
		"\ts2[\"test (n=2)\"]:::skipped\n"
		"\ts0 --> s2\n"
		"\ts2 --> g1\n"
		"\ts3[\"deploy\"]\n"
		"\ts0 --> s3\n"
		"\tg1 --> s3\n");
}

static void shows_what_decides_whether_a_stage_runs(void **state)
{
	(void)state;
	assert_shown(
		"image: a\n"
		"stages: [b, c, d, e, all, sad, last, pushed]\n"
		"b: {needs: []}\n"
		"c: {needs: []}\n"
		"d: {needs: []}\n"
		"e: {needs: []}\n"
		"all: {needs: [b, c, d, e], script: [x, y]}\n"
		"sad: {needs: [b, c, d, e, all], when: {status: failure}}\n"
		"last: {when: {status: always}}\n"
		"pushed: {when: {event: push, status: always}}\n",
		BR_PLAN_FORMAT_TEXT,
		"project  /nowhere/at/all\n"
		"manifest .buildr.yml\n"
		"image    a\n"
		"\n"
		"STAGE   STEPS  WAITS FOR           WHY\n"
		"b           0  -                   listed in 'stages'\n"
		"c           0  -                   listed in 'stages'\n"
		"d           0  -                   listed in 'stages'\n"
		"e           0  -                   listed in 'stages'\n"
		"all         2  b, c, d, e          listed in 'stages'\n"
		"sad         0  b, c, d and 2 more  listed in 'stages', if one "
		"of those before failed\n"
		"last        0  sad                 listed in 'stages', however "
		"those before end\n"
		"pushed      0  last                skipped: event 'manual' is "
		"not push\n");
}

static const char cached[] =
	"image: a\n"
	"stages: [build, test, pack, none]\n"
	"prepare: {cache: 36h}\n"
	"build: {inputs: [a, 'gr\xc3\xbcn', c, d], outputs: [out/]}\n"
	"test: {inputs: [a, b, c, d, e], matrix: {n: [1, 2]}, cache: false}\n"
	"pack: {outputs: [p.tar, '!x']}\n"
	"none: {inputs: []}\n";

static void shows_what_the_stage_cache_goes_by(void **state)
{
	(void)state;
	assert_shown(cached, BR_PLAN_FORMAT_TEXT,
		"project  /nowhere/at/all\n"
		"manifest .buildr.yml\n"
		"image    a\n"
		"\n"
		"STAGE       STEPS  WAITS FOR  WHY\n"
		"prepare         0  -          runs before all others\n"
		"build           0  prepare    listed in 'stages'\n"
		"test (n=1)      0  build      listed in 'stages'\n"
		"test (n=2)      0  build      listed in 'stages'\n"
		"pack            0  test       listed in 'stages'\n"
		"none            0  pack       listed in 'stages'\n"
		"\n"
		"STAGE    CACHE  INPUTS              OUTPUTS\n"
		"prepare  36h    -                   -\n"
		"build    yes    a, gr\xc3\xbcn, c, d       out/\n"
		"test     no     a, b, c and 2 more  -\n"
		"pack     no     -                   p.tar, !x\n"
		"none     yes    -                   -\n");
}

static void keeps_each_stage_on_its_line(void **state)
{
	struct planned planned = {
		.options.event = "a\nb\x1b[1m\xff",
	};
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [gr\xc3\xbcn]\n"
		"gr\xc3\xbcn: {when: {event: x}}\n");
	br_plan_format(planned.plan, BR_PLAN_FORMAT_TEXT, &text);
	assert_string_equal(br_buf_text(&text),
		"project  /nowhere/at/all\n"
		"manifest .buildr.yml\n"
		"image    a\n"
		"\n"
		"STAGE  STEPS  WAITS FOR  WHY\n"
		"gr\xc3\xbcn       0  -          skipped: event 'a?b?[1m?' is "
		"not x\n");
	planned_done(&planned);
}

/* Give what the JSON of a plan says of its stage number `index`. */
static const cJSON *stage_of(const cJSON *plan, int index)
{
	return cJSON_GetArrayItem(
		cJSON_GetObjectItemCaseSensitive(plan, "stages"), index);
}

static void assert_member(
	const cJSON *stage, const char *key, const char *wanted)
{
	char *text = cJSON_PrintUnformatted(
		cJSON_GetObjectItemCaseSensitive(stage, key));

	assert_non_null(text);
	assert_string_equal(text, wanted);
	cJSON_free(text);
}

static void tells_programs_what_the_stage_cache_goes_by(void **state)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	planned_must(&planned, cached);
	br_plan_format(planned.plan, BR_PLAN_FORMAT_JSON, &text);
	cJSON *plan = cJSON_Parse(br_buf_text(&text));
	assert_non_null(plan);
	assert_member(stage_of(plan, 0), "kept", "129600");
	assert_member(stage_of(plan, 0), "cached", "false");
	assert_member(stage_of(plan, 1), "cached", "true");
	assert_member(stage_of(plan, 1), "kept", "null");
	assert_member(stage_of(plan, 1), "outputs", "[\"out/\"]");
	assert_member(stage_of(plan, 2), "cached", "false");
	assert_member(
		stage_of(plan, 2), "inputs", "[\"a\",\"b\",\"c\",\"d\",\"e\"]");
	cJSON_Delete(plan);
	planned_done(&planned);
}

static void tells_programs_of_groups_services_and_attempts(void **state)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [test, last]\n"
		"test: {script: x, image: b, matrix: {n: [1, 2]}, retry: 2,"
		" services: [redis, {image: postgres, alias: db}]}\n"
		"last: {when: {status: always}, script: x}\n");
	br_plan_format(planned.plan, BR_PLAN_FORMAT_JSON, &text);

	cJSON *plan = cJSON_Parse(br_buf_text(&text));
	assert_non_null(plan);
	assert_member(stage_of(plan, 1), "name", "\"test (n=2)\"");
	assert_member(stage_of(plan, 1), "stage", "\"test\"");
	assert_member(stage_of(plan, 1), "image", "\"b\"");
	assert_member(stage_of(plan, 1), "services", "[\"redis\",\"db\"]");
	assert_member(stage_of(plan, 1), "retry", "2");
	assert_member(stage_of(plan, 2), "needs", "[\"test\"]");
	assert_member(stage_of(plan, 2), "status", "\"always\"");
	assert_member(stage_of(plan, 2), "services", "[]");
	cJSON_Delete(plan);
	planned_done(&planned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_a_table),
		cmocka_unit_test(shows_json_without_secrets),
		cmocka_unit_test(shows_a_graph),
		cmocka_unit_test(draws_a_graph_for_graphviz),
		cmocka_unit_test(draws_a_graph_for_mermaid),
		cmocka_unit_test(shows_what_decides_whether_a_stage_runs),
		cmocka_unit_test(shows_what_the_stage_cache_goes_by),
		cmocka_unit_test(tells_programs_what_the_stage_cache_goes_by),
		cmocka_unit_test(keeps_each_stage_on_its_line),
		cmocka_unit_test(
			tells_programs_of_groups_services_and_attempts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
