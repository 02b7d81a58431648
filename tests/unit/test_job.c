/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/job.h"

#define ID "0190163d-8694-739b-aea5-966c26f8ad91"

static struct job *parse(const char *text)
{
	struct job *job = NULL;
	struct br_err err = { 0 };

	if (!job_parse(br_str(text), &job, &err))
		fail_msg("%s: %s", text, err.text);
	return job;
}

static void reads_all_that_a_job_can_say(void **state)
{
	struct job *job =
		parse("{\"repo\":\"r\",\"branch\":\"b\",\"commit\":\"0123ABC\","
		      "\"id\":\"0190163D-8694-739B-AEA5-966C26F8AD91\","
		      "\"submodules\":true,\"lfs\":true,\"stages\":[\"s\"],"
		      "\"environment\":{\"A\":\"=\"},"
		      "\"labels\":[\"y\",\"x\",\"y\"],\"odd\":1}");

	(void)state;
	assert_string_equal(job->repo, "r");
	assert_string_equal(job->branch, "b");
	assert_string_equal(job->commit, "0123ABC");
	assert_string_equal(job->id, ID);
	assert_true(job->has_submodules && job->has_lfs);
	assert_int_equal(job->stages.count, 1);
	assert_string_equal(job->environment.items[0], "A==");
	assert_int_equal(job->labels.count, 2);
	assert_string_equal(job->labels.items[0], "x");
	assert_int_equal(job->unknown.count, 1);
	assert_string_equal(job->unknown.items[0], "odd");
	job_free(job);
}

static void takes_null_as_not_there(void **state)
{
	struct job *job = parse(
		"{\"repo\":\"r\",\"branch\":null,\"commit\":\"\",\"id\":null,"
		"\"submodules\":null,\"lfs\":false,\"stages\":null,"
		"\"environment\":null,\"labels\":null}");

	(void)state;
	assert_null(job->branch);
	assert_null(job->commit);
	assert_null(job->id);
	assert_false(job->has_submodules || job->has_lfs);
	assert_int_equal(job->unknown.count, 0);
	job_free(job);
}

static void says_what_is_wrong_and_knows_the_id_all_the_same(void **state)
{
	static const struct {
		const char *keys, *part;
	} bad[] = {
		{ "\"x\":1", "no 'repo'" },
		{ "\"repo\":\"\"", "'repo'" },
		{ "\"repo\":\"r\",\"branch\":1", "'branch'" },
		{ "\"repo\":\"r\",\"branch\":\"a\\nb\"", "'branch'" },
		{ "\"repo\":\"r\",\"commit\":\"HEAD\"", "'commit'" },
		{ "\"repo\":\"r\",\"submodules\":\"true\"", "'submodules'" },
		{ "\"repo\":\"r\",\"lfs\":1", "'lfs'" },
		{ "\"repo\":\"r\",\"stages\":\"s\"", "'stages'" },
		{ "\"repo\":\"r\",\"environment\":{\"A\":1}", "'A'" },
		{ "\"repo\":\"r\",\"labels\":[\"a b\"]", "'a b'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		br_autobuf struct br_buf text = { 0 };
		struct job *job = NULL;
		struct br_err err = { 0 };

		br_buf_addf(&text, "{\"id\":\"" ID "\",%s}", bad[i].keys);
		assert_false(job_parse(br_buf_str(&text), &job, &err));
		assert_int_equal(err.code, BR_EINPUT);
		assert_non_null(strstr(err.text, bad[i].part));
		assert_string_equal(job->id, ID);
		job_free(job);
	}
}

static void formats_it_with_another_id_and_all_else(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	struct job *job = parse(
		"{\"id\":null,\"repo\":\"r\",\"odd\":[1,{}],\"lfs\":true}");

	(void)state;
	job_format(job, ID, &text);
	assert_string_equal(br_buf_text(&text),
		"{\"repo\":\"r\",\"odd\":[1,{}],\"lfs\":true,\"id\":\"" ID
		"\"}");
	job_free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_that_a_job_can_say),
		cmocka_unit_test(takes_null_as_not_there),
		cmocka_unit_test(
			says_what_is_wrong_and_knows_the_id_all_the_same),
		cmocka_unit_test(formats_it_with_another_id_and_all_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
