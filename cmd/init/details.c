/* SPDX-License-Identifier: MIT */
#include "cmd/init/details.h"

#include <assert.h>
#include <regex.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"
#include "engine/json.h"

/* More than any file that tells how to build a project. */
enum { FILE_MAX_BYTES = 1024 * 1024 };

/* What stands where a project does not say; the long-term versions of 2025. */
#define NODE_DEFAULT "22"
#define JAVA_DEFAULT "21"
#define PYTHON_DEFAULT "3.13"
#define GO_DEFAULT "1"
#define RUST_DEFAULT "1"

const char *details_find(const struct details *details, const char *name)
{
	for (size_t i = 0; i < details->count; i++)
		if (!strcmp(details->items[i].name, name))
			return details->items[i].value;
	return "";
}

void details_add(struct details *details, const char *name, const char *value)
{
	assert(details->count < DETAILS);
	details->items[details->count].name = name;
	details->items[details->count++].value = value;
}

void details_done(struct details *details)
{
	br_buf_done(&details->notes);
	br_arena_done(&details->arena);
	*details = (struct details){ 0 };
}

/* Reading. */

static bool has_file(const struct details *details, const char *name)
{
	br_autofree char *path = br_path_join(details->folder, name);

	return access(path, F_OK) == 0;
}

/* The text of a file, "" where there is none. In the arena. */
static const char *load(struct details *details, const char *name)
{
	br_autofree char *path = br_path_join(details->folder, name);
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };

	if (!br_file_load(path, FILE_MAX_BYTES, &text, &err)) {
		if (err.code != BR_ENOTFOUND)
			br_buf_addf(&details->notes, "%s\n", err.text);
		return "";
	}
	return br_arena_memdup(&details->arena, br_buf_text(&text), text.len);
}

/* What the first group of `pattern` matches on a line of `text`; NULL: nothing. */
static const char *match(
	struct details *details, const char *text, const char *pattern)
{
	regmatch_t groups[2];
	regex_t regex;
	const char *found = NULL;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
		return NULL;
	if (regexec(&regex, text, 2, groups, 0) == 0 && groups[1].rm_so >= 0)
		found = br_arena_memdup(&details->arena, text + groups[1].rm_so,
			(size_t)(groups[1].rm_eo - groups[1].rm_so));
	regfree(&regex);
	return found;
}

/* The first of several that is known. */
static const char *first(const char *a, const char *b, const char *otherwise)
{
	if (a)
		return a;
	return b ? b : otherwise;
}

/* npm. */

static void look_at_scripts(
	struct details *details, const struct cJSON *scripts)
{
	static const char *const names[] = { "lint", "build", "test" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *script = br_json_find_text(scripts, names[i]);

		/* `npm init` writes one that only fails. */
		if (script[0] != '\0' && !strstr(script, "no test specified"))
			details_add(details, names[i], names[i]);
	}
}

/* Whether there will be a node_modules, as there is for packages that are needed. */
static bool has_modules(
	const struct details *details, const struct cJSON *package)
{
	return !has_file(details, ".yarnrc.yml") &&
		(br_json_first(br_json_find(package, "dependencies")) ||
			br_json_first(
				br_json_find(package, "devDependencies")));
}

/* Which program installs packages is told by its lock file. */
static void look_at_lock(struct details *details)
{
	const char *tool = "npm";
	const char *install = "npm install";
	const char *lock = "package-lock.json";

	if (has_file(details, "pnpm-lock.yaml")) {
		tool = "pnpm";
		install = "pnpm install --frozen-lockfile";
		lock = "pnpm-lock.yaml";
	} else if (has_file(details, "yarn.lock")) {
		tool = "yarn";
		install = has_file(details, ".yarnrc.yml")
			? "yarn install --immutable"
			: "yarn install --frozen-lockfile";
		lock = "yarn.lock";
	} else if (has_file(details, "package-lock.json")) {
		install = "npm ci";
	}
	details_add(details, "tool", tool);
	details_add(details, "install", install);
	details_add(details, "lock", lock);
	details_add(details, "corepack", tool[0] == 'n' ? "" : "yes");
}

void look_at_npm(struct details *details)
{
	const char *text = load(details, "package.json");
	br_autojson struct cJSON *package = NULL;
	struct br_err err = { 0 };

	if (text[0] != '\0' && !br_json_parse(br_str(text), &package, &err))
		br_buf_addf(&details->notes, "package.json is not used: %s\n",
			err.text);

	const struct cJSON *engines = br_json_find(package, "engines");
	const char *asked = match(details, br_json_find_text(engines, "node"),
		"([1-9][0-9]?)(\\.|[^0-9.]|$)");
	const char *pinned = match(
		details, load(details, ".nvmrc"), "^v?([1-9][0-9]?)(\\.|$)");

	details_add(details, "node", first(pinned, asked, NODE_DEFAULT));
	if (has_modules(details, package))
		details_add(details, "modules", "yes");
	look_at_lock(details);
	look_at_scripts(details, br_json_find(package, "scripts"));
}

/* What runs on the Java virtual machine. */

/* With a wrapper the project brings the tool along, so that Java is enough. */
static void add_image(struct details *details, bool has_wrapper,
	const char *with_tool, const char *java)
{
	details_add(details, "image",
		br_arena_format(&details->arena, "%s%s",
			has_wrapper ? "eclipse-temurin:" : with_tool, java));
}

void look_at_maven(struct details *details)
{
	const char *text = load(details, "pom.xml");
	const char *java =
		first(match(details, text,
			      "<maven\\.compiler\\.release>[ \t]*([0-9]+)"),
			match(details, text, "<java\\.version>[ \t]*([0-9]+)"),
			JAVA_DEFAULT);
	bool has_wrapper = has_file(details, "mvnw");

	details_add(details, "maven", has_wrapper ? "./mvnw" : "mvn");
	add_image(details, has_wrapper, "maven:3-eclipse-temurin-", java);
}

void look_at_gradle(struct details *details)
{
	const char *kotlin = load(details, "build.gradle.kts");
	const char *text =
		kotlin[0] != '\0' ? kotlin : load(details, "build.gradle");
	const char *java =
		first(match(details, text,
			      "JavaLanguageVersion\\.of\\([ \t]*([0-9]+)"),
			match(details, text, "jvmToolchain\\([ \t]*([0-9]+)"),
			JAVA_DEFAULT);
	bool has_wrapper = has_file(details, "gradlew");

	details_add(details, "gradle", has_wrapper ? "./gradlew" : "gradle");
	add_image(details, has_wrapper, "gradle:8-jdk", java);
}

/* Its images have the versions of everything in their names: one that there is. */
void look_at_sbt(struct details *details)
{
	details_add(details, "image",
		"sbtscala/scala-sbt:eclipse-temurin-alpine-21.0.8_9_1.11.7_"
		"2.13.18");
}

/* The others. */

void look_at_cargo(struct details *details)
{
	const char *text = load(details, "Cargo.toml");
	const char *pinned = match(details,
		load(details, "rust-toolchain.toml"),
		"^[ \t]*channel[ \t]*=[ \t]*\"([0-9]+\\.[0-9]+(\\.[0-9]+)?)\"");
	const char *oldest = match(details, text,
		"^[ \t]*rust-version[ \t]*=[ \t]*\"([0-9]+\\.[0-9]+)");
	bool is_workspace = match(details, text, "^[ \t]*(\\[workspace\\])");

	details_add(details, "rust", first(pinned, oldest, RUST_DEFAULT));
	details_add(details, "flags",
		br_arena_format(&details->arena, "%s%s",
			is_workspace ? " --workspace" : "",
			has_file(details, "Cargo.lock") ? " --locked" : ""));
}

void look_at_go(struct details *details)
{
	const char *text = load(details, "go.mod");

	details_add(details, "go",
		first(match(details, text, "^go[ \t]+([0-9]+\\.[0-9]+)"), NULL,
			GO_DEFAULT));
}

/* How the tests of a Python project are run, as far as its files tell. */
static void look_at_pytest(struct details *details, const char *project)
{
	bool has_pytest = match(details, project, "(pytest)") ||
		has_file(details, "pytest.ini") ||
		has_file(details, "conftest.py") ||
		match(details, load(details, "tox.ini"), "(pytest)");
	bool has_ruff = match(details, project, "^\\[(tool\\.ruff)") ||
		has_file(details, "ruff.toml");

	details_add(details, "test",
		has_pytest ? "python -m pytest"
			   : "python -m unittest discover");
	details_add(details, "ruff", has_ruff ? "yes" : "");
	details_add(details, "tools",
		br_arena_format(&details->arena, "%s%s",
			has_pytest ? " pytest" : "", has_ruff ? " ruff" : ""));
}

void look_at_python(struct details *details)
{
	const char *project = load(details, "pyproject.toml");
	const char *needed = load(details, "requirements.txt");
	const char *all =
		br_arena_format(&details->arena, "%s\n%s", project, needed);
	const char *pinned = match(
		details, load(details, ".python-version"), "^(3\\.[0-9]+)");
	const char *oldest = match(details, project,
		"^[ \t]*requires-python[ \t]*=.*(3\\.[0-9]+)");
	bool is_package =
		match(details, project, "^\\[(build-system|project)\\]") ||
		has_file(details, "setup.py");

	details_add(details, "python", first(pinned, oldest, PYTHON_DEFAULT));
	details_add(details, "requirements", needed[0] != '\0' ? "yes" : "");
	details_add(details, "package", is_package ? "yes" : "");
	look_at_pytest(details, all);
}

void look_at_make(struct details *details)
{
	const struct kind *kind = kind_find("make");
	const char *file = kind_file(kind, details->folder);
	const char *text = file ? load(details, file) : "";

	details_add(details, "test",
		first(match(details, text, "^(test)[ \t]*:"),
			match(details, text, "^(check)[ \t]*:"), ""));
}
