/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/init/fill.h"
#include "cmd/texts.h"
#include "manifest/manifest.h"
#include "tests/support/folder.h"

static int set_up(void **state)
{
	*state = folder_make();
	return 0;
}

static int tear_down(void **state)
{
	folder_remove(*state);
	return 0;
}

/* The manifest for the project in `folder`, which must be one. */
static char *fill(
	const char *folder, const struct kind *const *found, size_t count)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	br_autofree char *path = br_path_join(folder, "made");
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf notes = { 0 };
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };

	fill_manifest(folder, found, count, &text, &notes);
	folder_write(folder, "made", 0600, br_buf_text(&text));
	if (!br_manifest_load(path, "made", &manifest, &diags, &err))
		fail_msg("%s", err.text);
	if (!manifest || diags.count > 0) {
		br_buf_clear(&notes);
		br_diags_format(&diags, &notes);
		fail_msg("%s%s", br_buf_text(&notes), br_buf_text(&text));
	}
	assert_true(manifest && manifest->order_count >= count);
	assert_null(strchr(br_buf_text(&text), '@'));
	br_diags_done(&diags);
	return br_buf_take(&text);
}

static char *fill_found(const char *folder)
{
	const struct kind *found[KINDS];
	size_t count = kinds_detect(folder, found);

	assert_true(count > 0);
	return fill(folder, found, count);
}

static void every_two_templates_make_a_manifest(void **state)
{
	for (size_t i = 0; i < KINDS; i++)
		for (size_t j = 0; j < KINDS; j++) {
			const struct kind *found[] = { &kinds[i], &kinds[j] };

			free(fill(*state, found, i == j ? 1 : 2));
		}
}

static void every_kind_has_a_template(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		assert_string_equal(kinds[i].name, templates[i].name);
		assert_ptr_equal(kind_find(kinds[i].name), &kinds[i]);
	}
	assert_null(kind_find("cobol"));
}

static void assert_has(char *manifest, const char *const *texts)
{
	for (size_t i = 0; texts[i]; i++)
		if (!strstr(manifest, texts[i]))
			fail_msg("'%s' is not in:\n%s", texts[i], manifest);
	free(manifest);
}

static void package_json_says_what_can_be_run(void **state)
{
	folder_write(*state, "package.json", 0600,
		"{\"engines\": {\"node\": \">=18.3 <21\"},"
		"\"scripts\": {\"test\": \"x; rm -rf /\", \"lint\": \"y\"}}");
	folder_write(*state, "yarn.lock", 0600, "");
	assert_has(fill_found(*state),
		(const char *const[]){ "image: node:18\n", "- yarn run test\n",
			"- yarn run lint\n", "- corepack enable\n",
			"- yarn install --frozen-lockfile\n", NULL });

	br_autofree char *manifest = fill_found(*state);
	assert_null(strstr(manifest, "rm -rf"));
	assert_null(strstr(manifest, "run build"));
	folder_write(*state, "package.json", 0600,
		"{\"scripts\": {\"test\": \"echo \\\"Error: no test specified\\\" "
		"&& exit 1\"}}");
	br_autofree char *without = fill_found(*state);
	assert_null(strstr(without, "run test"));
}

static void what_is_installed_is_kept_where_that_is_known(void **state)
{
	folder_write(*state, "package.json", 0600,
		"{\"devDependencies\": {\"x\": \"1\"}}");
	folder_write(*state, "pnpm-lock.yaml", 0600, "");
	assert_has(fill_found(*state),
		(const char *const[]){ "prepare:", "- corepack enable\n",
			"  inputs: [package.json, pnpm-lock.yaml]\n",
			"  outputs: [node_modules/]\n", NULL });
	/* There may be none then. */
	folder_write(*state, ".yarnrc.yml", 0600, "");
	br_autofree char *berry = fill_found(*state);
	assert_null(strstr(berry, "\n  outputs:"));
	folder_write(*state, "package.json", 0600, "{\"dependencies\": {}}");
	br_autofree char *none = fill_found(*state);
	assert_null(strstr(none, "\n  outputs:"));
}

/* All of the project, so that nothing is forgotten, but what the stage itself leaves. */
static void a_build_is_cached_where_its_outputs_are_known(void **state)
{
	static const char *const names[] = { "cargo", "maven", "gradle", "sbt",
		"meson", "cmake" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct kind *found[] = { kind_find(names[i]) };

		assert_has(fill(*state, found, 1),
			(const char *const[]){ "\n  inputs: [\"**\"",
				"\n  outputs: [", NULL });
	}
}

static void a_broken_package_json_is_told_and_not_used(void **state)
{
	const struct kind *found[] = { kind_find("npm") };
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf notes = { 0 };

	folder_write(*state, "package.json", 0600, "{\"scripts\": ");
	free(fill_found(*state));
	fill_manifest(*state, found, 1, &text, &notes);
	assert_non_null(
		strstr(br_buf_text(&notes), "package.json is not used: "));
	folder_write(*state, "package.json", 0600, "[]");
	free(fill_found(*state));
	folder_write(*state, "package.json", 0600, "{\"scripts\": 3}");
	free(fill_found(*state));
}

static void versions_come_from_the_project(void **state)
{
	folder_write(*state, "go.mod", 0600, "module x\n\ngo 1.22.3\n");
	folder_write(*state, "Cargo.toml", 0600,
		"[workspace]\n[package]\nrust-version = \"1.75\"\n");
	folder_write(*state, "pyproject.toml", 0600,
		"[project]\nrequires-python = \">=3.10\"\n"
		"[tool.pytest.ini_options]\n");
	folder_write(
		*state, "pom.xml", 0600, "<java.version>17</java.version>\n");
	folder_write(*state, "mvnw", 0700, "");
	/* Of another build system for the same it is not. */
	folder_write(*state, "build.gradle", 0600, "");
	/* It only calls what else there is. */
	folder_write(*state, "Makefile", 0600, "test:\n");
	assert_has(fill_found(*state),
		(const char *const[]){ "image: rust:1.75\n",
			"- cargo test --workspace\n", "image: golang:1.22\n",
			"image: python:3.10\n", "- python -m pytest\n",
			"image: eclipse-temurin:17\n", "- ./mvnw -B verify\n",
			"  - go\n  - maven\n  - python\n", NULL });

	br_autofree char *manifest = fill_found(*state);
	assert_null(strstr(manifest, "gradle"));
	assert_null(strstr(manifest, "- make"));
}

static void what_is_not_said_has_a_default(void **state)
{
	folder_write(*state, "go.mod", 0600, "go 1.$(id)\ngo \"x\n");
	folder_write(*state, "requirements.txt", 0600, "flask\n");
	assert_has(fill_found(*state),
		(const char *const[]){ "image: golang:1\n",
			"pip install -r requirements.txt\n",
			"unittest discover\n", NULL });
}

static void a_makefile_is_run_where_nothing_else_is(void **state)
{
	folder_write(*state, "Makefile", 0600, "all:\n\ncheck: all\n\ttrue\n");
	assert_has(fill_found(*state),
		(const char *const[]){ "- make\n", "- make check\n", NULL });
	folder_write(*state, "Makefile", 0600, "all:\ncheck:\ntest : all\n");
	assert_has(fill_found(*state),
		(const char *const[]){ "- make test\n", NULL });
}

static void a_folder_without_anything_is_of_no_kind(void **state)
{
	const struct kind *found[KINDS];

	folder_write(*state, "README", 0600, "");
	assert_int_equal(kinds_detect(*state, found), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_two_templates_make_a_manifest, set_up, tear_down),
		cmocka_unit_test(every_kind_has_a_template),
		cmocka_unit_test_setup_teardown(
			package_json_says_what_can_be_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_installed_is_kept_where_that_is_known, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_build_is_cached_where_its_outputs_are_known, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_broken_package_json_is_told_and_not_used, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			versions_come_from_the_project, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_not_said_has_a_default, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_makefile_is_run_where_nothing_else_is, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_folder_without_anything_is_of_no_kind, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
