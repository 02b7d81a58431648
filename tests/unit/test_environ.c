/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: `-e` left out; the first of
 * two definitions winning; a name without a value winning; what is built in left
 * out; PATH inherited by a glob; the last of two inherited values; a missing secret
 * that is not told; the caller's own value not masked; secrets shortest first.
 */
#include "planned.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

/* A project in a folder of its own, and its plan. */
struct project {
	struct planned planned;
	char folder[64];
};

static int set_up(void **state)
{
	struct project *project = calloc(1, sizeof(*project));
	const char *place = getenv("TMPDIR");

	assert_non_null(project);
	(void)snprintf(project->folder, sizeof(project->folder), "%s",
		place && strlen(place) < 40 ? place : "/tmp");
	(void)strncat(project->folder, "/environ-XXXXXX",
		sizeof(project->folder) - strlen(project->folder) - 1);
	assert_non_null(mkdtemp(project->folder));
	project->planned.project_dir = project->folder;
	*state = project;
	return 0;
}

static int tear_down(void **state)
{
	struct project *project = *state;

	static const char *const names[] = { "a.env", "b.env", ".git/HEAD",
		".git" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		br_autofree char *path =
			br_path_join(project->folder, names[i]);
		(void)remove(path);
	}
	(void)rmdir(project->folder);
	planned_done(&project->planned);
	free(project);
	return 0;
}

static void write_file(
	const struct project *project, const char *name, const char *text)
{
	br_autofree char *path = br_path_join(project->folder, name);
	struct br_err err = { 0 };

	assert_true(br_file_save_new(path, 0600, text, strlen(text), &err));
}

static const char *value(const struct project *project, const char *name)
{
	return planned_value(&project->planned, "s", name);
}

/* Check that the secrets are these, in this order. */
static void assert_secrets(
	const struct planned *planned, const char *const *wanted)
{
	size_t count = 0;

	while (wanted[count])
		count++;
	assert_int_equal(planned->plan->secret_count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(br_str_is(planned->plan->secrets[i], wanted[i]));
}

static void takes_the_highest_level(void **state)
{
	struct project *project = *state;
	struct br_plan_options *options = &project->planned.options;
	const char *const caller[] = { "A=caller", "B=caller", "C=caller",
		"D=caller", "E=caller", "CI=caller", NULL };
	const char *const env[] = { "E=option", "BUILDR_STAGE=option" };

	write_file(project, "a.env", "B=file\nC=file\nD=file\nE=file\n");
	options->environment = caller;
	options->env = env;
	options->env_count = 2;
	planned_must(&project->planned,
		"image: a\n"
		"environment:\n"
		"  inherit: true\n"
		"  files: [a.env]\n"
		"  vars: [C=vars, D=vars, E=vars]\n"
		"stages: [s]\n"
		"s: {environment: [D=stage, E=stage]}\n");
	assert_string_equal(value(project, "A"), "caller");
	assert_string_equal(value(project, "B"), "file");
	assert_string_equal(value(project, "C"), "vars");
	assert_string_equal(value(project, "D"), "stage");
	assert_string_equal(value(project, "E"), "option");
	assert_string_equal(value(project, "CI"), "true");
	assert_string_equal(value(project, "BUILDR"), "1");
	assert_string_equal(value(project, "BUILDR_STAGE"), "s");
	assert_string_equal(value(project, "BUILDR_PROJECT_DIR"), "/app");
}

static void takes_the_last_of_one_level(void **state)
{
	struct project *project = *state;
	struct br_plan_options *options = &project->planned.options;
	const char *const env[] = { "C=1", "C=2" };

	write_file(project, "a.env", "A=1\nB=1\n");
	write_file(project, "b.env", "A=2\n");
	options->env = env;
	options->env_count = 2;
	planned_must(&project->planned,
		"image: a\n"
		"environment:\n"
		"  files: [a.env, b.env]\n"
		"  vars: [D=1, D=2]\n"
		"stages: [s]\n"
		"s: {environment: [E=1, E=2]}\n");
	assert_string_equal(value(project, "A"), "2");
	assert_string_equal(value(project, "B"), "1");
	assert_string_equal(value(project, "C"), "2");
	assert_string_equal(value(project, "D"), "2");
	assert_string_equal(value(project, "E"), "2");
}

static void has_git_take_a_work_tree_of_another_user(void **state)
{
	struct project *project = *state;
	br_autofree char *git = br_path_join(project->folder, ".git");
	static const char text[] = "image: a\nstages: [s]\ns: {}\n";

	planned_must(&project->planned, text);
	assert_null(value(project, "GIT_CONFIG_COUNT"));
	planned_done(&project->planned);
	project->planned = (struct planned){ .project_dir = project->folder };

	assert_int_equal(mkdir(git, 0700), 0);
	write_file(project, ".git/HEAD",
		"0123456789012345678901234567890123456789\n");
	planned_must(&project->planned,
		"image: a\n"
		"environment: {vars: [GIT_CONFIG_VALUE_0=mine]}\n"
		"stages: [s]\n"
		"s: {}\n");
	assert_string_equal(value(project, "GIT_CONFIG_COUNT"), "1");
	assert_string_equal(
		value(project, "GIT_CONFIG_KEY_0"), "safe.directory");
	/* Weaker than the manifest. */
	assert_string_equal(value(project, "GIT_CONFIG_VALUE_0"), "mine");
}

static void gives_each_stage_its_own_environment(void **state)
{
	struct project *project = *state;

	planned_must(&project->planned,
		"image: a\n"
		"stages: [s, t]\n"
		"s: {environment: [A=1]}\n"
		"t: {environment: [B=2]}\n");
	assert_string_equal(value(project, "A"), "1");
	assert_null(value(project, "B"));
	assert_null(planned_value(&project->planned, "t", "A"));
	assert_string_equal(
		planned_value(&project->planned, "t", "BUILDR_STAGE"), "t");
}

static void inherits_everything_but_the_callers_own(void **state)
{
	struct project *project = *state;
	const char *const caller[] = { "LANG=C", "PATH=/bin", "HOME=/root",
		"PWD=/x", "HOSTNAME=h", "TMPDIR=/t", "BUILDR_JOBS=4", "=odd",
		"nothing", "EMPTY=", "TWICE=1", "TWICE=2", NULL };

	project->planned.options.environment = caller;
	planned_must(&project->planned,
		"image: a\nenvironment: {inherit: true}\n"
		"stages: [s]\ns: {}\n");
	assert_string_equal(value(project, "LANG"), "C");
	assert_string_equal(value(project, "EMPTY"), "");
	/* As getenv() has it. */
	assert_string_equal(value(project, "TWICE"), "1");
	assert_null(value(project, "PATH"));
	assert_null(value(project, "HOME"));
	assert_null(value(project, "PWD"));
	assert_null(value(project, "HOSTNAME"));
	assert_null(value(project, "TMPDIR"));
	assert_null(value(project, "BUILDR_JOBS"));
	assert_null(project->planned.plan->warnings[0]);
}

static void inherits_what_globs_name(void **state)
{
	struct project *project = *state;
	const char *const caller[] = { "LANG=C", "CI_A=1", "CI_B=2", "OTHER=3",
		"PATH=/bin", "HOME=/root", NULL };

	project->planned.options.environment = caller;
	planned_must(&project->planned,
		"image: a\n"
		"environment: {inherit: [LANG, \"CI_*\", \"P*\", HOME]}\n"
		"stages: [s]\ns: {}\n");
	assert_string_equal(value(project, "LANG"), "C");
	assert_string_equal(value(project, "CI_A"), "1");
	assert_string_equal(value(project, "CI_B"), "2");
	assert_null(value(project, "OTHER"));
	/* A glob is not meant, a name is. */
	assert_null(value(project, "PATH"));
	assert_string_equal(value(project, "HOME"), "/root");
}

static void inherits_nothing_unless_told_to(void **state)
{
	struct project *project = *state;
	const char *const caller[] = { "LANG=C", NULL };

	project->planned.options.environment = caller;
	planned_must(&project->planned, "image: a\nstages: [s]\ns: {}\n");
	assert_null(value(project, "LANG"));
}

static void warns_of_what_no_program_can_be_given(void **state)
{
	struct project *project = *state;
	br_autobuf struct br_buf big = { 0 };

	br_buf_add_text(&big, "BIG=");
	while (big.len <= BR_LIMIT_ENV_ENTRY_BYTES)
		br_buf_add_text(&big, "0123456789abcdef");

	const char *const caller[] = { big.data, "A=1", NULL };
	project->planned.options.environment = caller;
	planned_must(&project->planned,
		"image: a\nenvironment: {inherit: true}\n"
		"stages: [s]\ns: {}\n");
	assert_null(value(project, "BIG"));
	assert_string_equal(value(project, "A"), "1");
	planned_assert_warning(&project->planned,
		"'BIG' is not inherited: it has more than 131071 bytes");
}

static void passes_the_callers_value_by_name(void **state)
{
	struct project *project = *state;
	struct br_plan_options *options = &project->planned.options;
	const char *const caller[] = { "A=1", "B=2", "C=3", "PATH=/bin", NULL };
	const char *const env[] = { "C" };

	options->environment = caller;
	options->env = env;
	options->env_count = 1;
	planned_must(&project->planned,
		"image: a\nenvironment: {vars: [A, PATH]}\n"
		"stages: [s]\ns: {environment: [B]}\n");
	assert_string_equal(value(project, "A"), "1");
	assert_string_equal(value(project, "B"), "2");
	assert_string_equal(value(project, "C"), "3");
	assert_string_equal(value(project, "PATH"), "/bin");
}

static void warns_of_a_name_that_nobody_defines(void **state)
{
	struct project *project = *state;

	planned_must(&project->planned,
		"image: a\n"
		"environment:\n"
		"  vars:\n"
		"  - NOBODY\n"
		"stages: [s, t]\n"
		"s: {}\n"
		"t: {}\n");
	assert_null(value(project, "NOBODY"));
	planned_assert_warning(&project->planned,
		".buildr.yml:4: 'NOBODY' is passed on but not set");
}

static void keeps_a_lower_definition_where_the_caller_has_none(void **state)
{
	struct project *project = *state;

	write_file(project, "a.env", "A=file\n");
	planned_must(&project->planned,
		"image: a\nenvironment: {files: [a.env], vars: [A]}\n"
		"stages: [s]\ns: {environment: [A]}\n");
	assert_string_equal(value(project, "A"), "file");
	assert_null(project->planned.plan->warnings[0]);
}

static void says_that_what_is_built_in_keeps_its_value(void **state)
{
	struct project *project = *state;

	planned_must(&project->planned,
		"image: a\nstages: [s]\n"
		"s:\n"
		"  environment:\n"
		"    CI: no\n");
	assert_string_equal(value(project, "CI"), "true");
	planned_assert_warning(&project->planned,
		".buildr.yml:5: 'CI' is built in and keeps its value");
}

static void rejects_an_option_that_is_no_variable(void **state)
{
	struct project *project = *state;
	const char *const env[] = { "A=1", "=hunter2" };

	project->planned.options.env = env;
	project->planned.options.env_count = 2;
	assert_false(planned_build(
		&project->planned, "image: a\nstages: [s]\ns: {}\n"));
	assert_int_equal(project->planned.err.code, BR_EINPUT);
	assert_string_equal(
		project->planned.err.text, "-e '': not the name of a variable");
}

static void reports_a_dotenv_file_where_it_is_named(void **state)
{
	struct project *project = *state;

	assert_true(planned_build(&project->planned,
		"image: a\n"
		"environment:\n"
		"  files: [b.env]\n"
		"  vars: [A=1]\n"
		"  secrets: [FROM_FILE]\n"
		"stages: [s]\n"
		"s: {}\n"));
	assert_null(project->planned.plan);
	assert_int_equal(project->planned.diags.error_count, 1);
	assert_int_equal(project->planned.diags.items[0].place.line, 3);
	assert_non_null(strstr(project->planned.diags.items[0].text, "b.env"));
}

static void shows_no_line_of_a_dotenv_file(void **state)
{
	struct project *project = *state;
	br_autobuf struct br_buf text = { 0 };

	write_file(project, "a.env", "A=1\n'hunter2\n");
	assert_true(planned_build(&project->planned,
		"image: a\nenvironment: {files: [a.env]}\n"
		"stages: [s]\ns: {}\n"));
	assert_null(project->planned.plan);
	br_diags_format(&project->planned.diags, &text);
	assert_non_null(strstr(text.data, "a.env:2:"));
	assert_null(strstr(text.data, "hunter2"));
}

static void gathers_every_value_of_a_secret(void **state)
{
	struct project *project = *state;
	struct br_plan_options *options = &project->planned.options;
	const char *const caller[] = { "K=of-the-caller", NULL };
	const char *const env[] = { "K=option", "OTHER=x" };
	const char *const selection[] = { "s" };
	const char *const wanted[] = { "of-the-caller", "elsewhere", "option",
		"prefix", "stage", "file", "vars", NULL };

	write_file(project, "a.env", "K=file\nL=prefix\n");
	options->environment = caller;
	options->env = env;
	options->env_count = 2;
	options->selection =
		(struct br_plan_names){ .items = selection, .count = 1 };
	planned_must(&project->planned,
		"image: a\n"
		"environment:\n"
		"  files: [a.env]\n"
		"  vars: [K=vars, L=file, EMPTY=]\n"
		"  secrets: [L, K, EMPTY]\n"
		"stages: [s, t]\n"
		"s: {environment: [K=stage]}\n"
		"t: {environment: [K=elsewhere]}\n");
	assert_secrets(&project->planned, wanted);
}

static void reports_a_secret_that_is_not_set(void **state)
{
	struct project *project = *state;

	assert_true(planned_build(&project->planned,
		"image: a\n"
		"environment:\n"
		"  vars:\n"
		"    - API_KEY\n"
		"  secrets: [API_KEY]\n"
		"stages: [s, t]\n"
		"s: {}\n"
		"t: {}\n"));
	planned_assert_mistake(
		&project->planned, 4, "the secret 'API_KEY' is not set");
}

static void reports_a_secret_that_is_mentioned_nowhere(void **state)
{
	struct project *project = *state;
	const char *const caller[] = { "API_KEY=hunter2", NULL };

	project->planned.options.environment = caller;
	assert_true(planned_build(&project->planned,
		"image: a\n"
		"environment:\n"
		"  secrets: [API_KEY]\n"
		"stages: [s]\n"
		"s: {}\n"));
	planned_assert_mistake(&project->planned, 3,
		"no variable 'API_KEY' is defined that could be a secret");
}

static void wants_no_secret_of_a_stage_that_does_not_run(void **state)
{
	struct project *project = *state;
	const char *const selection[] = { "s" };

	project->planned.options.selection =
		(struct br_plan_names){ .items = selection, .count = 1 };
	planned_must(&project->planned,
		"image: a\n"
		"environment: {secrets: [API_KEY]}\n"
		"stages: [s, deploy]\n"
		"s: {}\n"
		"deploy: {environment: [API_KEY]}\n");
	assert_int_equal(project->planned.plan->secret_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			takes_the_highest_level, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			takes_the_last_of_one_level, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			gives_each_stage_its_own_environment, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			inherits_everything_but_the_callers_own, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			has_git_take_a_work_tree_of_another_user, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			inherits_what_globs_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			inherits_nothing_unless_told_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			warns_of_what_no_program_can_be_given, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			passes_the_callers_value_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			warns_of_a_name_that_nobody_defines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			keeps_a_lower_definition_where_the_caller_has_none,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			says_that_what_is_built_in_keeps_its_value, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			rejects_an_option_that_is_no_variable, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			reports_a_dotenv_file_where_it_is_named, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			shows_no_line_of_a_dotenv_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			gathers_every_value_of_a_secret, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			reports_a_secret_that_is_not_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			reports_a_secret_that_is_mentioned_nowhere, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			wants_no_secret_of_a_stage_that_does_not_run, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
