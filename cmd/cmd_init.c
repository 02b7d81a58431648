/* SPDX-License-Identifier: MIT */
/* cmd_init.c - `buildr init`: writes a manifest for the project at hand. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"
#include "base/suggest.h"
#include "cmd/commands.h"
#include "cmd/init/fill.h"
#include "cmd/init/kinds.h"

#define MANIFEST ".buildr.yml"

/* What the project is, and how that is known. */
struct finding {
	const struct kind *kinds[KINDS];
	size_t count;
};

static int print(const struct br_buf *text)
{
	struct br_err err = { 0 };

	if (br_file_write(STDOUT_FILENO, br_buf_text(text), text->len, &err))
		return STATUS_PASS;
	complain(&err);
	return STATUS_ENVIRONMENT;
}

static int print_list(void)
{
	br_autobuf struct br_buf text = { 0 };

	for (size_t i = 0; i < KINDS; i++) {
		br_buf_addf(&text, "%-7s  %s:", kinds[i].name, kinds[i].title);
		for (size_t j = 0; j < KIND_FILES && kinds[i].files[j]; j++)
			br_buf_addf(&text, " %s", kinds[i].files[j]);
		br_buf_add_char(&text, '\n');
	}
	return print(&text);
}

static bool fail_of_name(const char *name, struct br_err *err)
{
	const char *names[KINDS];

	for (size_t i = 0; i < KINDS; i++)
		names[i] = kinds[i].name;

	const char *near = br_suggest_find(name, names, KINDS);
	return br_fail(err, BR_EINPUT,
		near ? "there is no template '%s': did you mean '%s'?"
		     : "there is no template '%s': '%s' lists them",
		name, near ? near : "buildr init --list");
}

/* Those that are named. */
static bool take_names(const struct options *options, struct finding *finding,
	struct br_err *err)
{
	for (size_t i = 0; i < options->stage_count; i++) {
		const struct kind *kind = kind_find(options->stages[i]);

		if (!kind)
			return fail_of_name(options->stages[i], err);
		for (size_t j = 0; j < finding->count; j++)
			if (finding->kinds[j] == kind)
				return br_fail(err, BR_EINPUT,
					"the template '%s' is named twice",
					kind->name);
		finding->kinds[finding->count++] = kind;
	}
	return true;
}

static bool find_kinds(const struct options *options, const char *folder,
	struct finding *finding, struct br_err *err)
{
	if (options->stage_count > 0)
		return take_names(options, finding, err);
	finding->count = kinds_detect(folder, finding->kinds);
	return finding->count > 0 ||
		br_fail(err, BR_EINPUT,
			"nothing in '%s' tells what there is to build: name a "
			"template, of those that 'buildr init --list' prints",
			folder);
}

/* A manifest may have any of three names; a folder of the first is none. */
static bool refuse_to_overwrite(const char *folder, struct br_err *err)
{
	static const char *const names[] = { ".buildr", ".buildr.yml",
		".buildr.yaml" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		br_autofree char *path = br_path_join(folder, names[i]);
		struct stat status;

		if (lstat(path, &status) < 0)
			continue;
		if (i == 0 && S_ISDIR(status.st_mode))
			continue;
		return br_fail(err, BR_EINPUT,
			"'%s' is there already, and is never overwritten; "
			"'buildr init --dry-run' prints what would be in it",
			path);
	}
	return true;
}

static bool check_folder(const char *folder, struct br_err *err)
{
	struct stat status;

	if (stat(folder, &status) < 0)
		return br_fail(err, BR_EINPUT, "no directory '%s'", folder);
	return S_ISDIR(status.st_mode) ||
		br_fail(err, BR_EINPUT, "'%s' is not a directory", folder);
}

static bool save(
	const char *folder, const struct br_buf *text, struct br_err *err)
{
	br_autofree char *path = br_path_join(folder, MANIFEST);
	mode_t mask = umask(0);

	(void)umask(mask);
	/* Only if it is not there, whoever else may be writing one just now. */
	return br_file_save_new(path, 0666 & ~mask, text->data, text->len, err);
}

/* What was found, and in what. */
static void describe(
	const char *folder, const struct finding *finding, struct br_buf *text)
{
	for (size_t i = 0; i < finding->count; i++) {
		const char *file = kind_file(finding->kinds[i], folder);

		br_buf_addf(text, "%s%s", i > 0 ? ", " : "",
			finding->kinds[i]->name);
		if (file)
			br_buf_addf(text, " (%s)", file);
	}
}

static bool write_manifest(const struct options *options, const char *folder,
	const struct finding *finding, const struct br_buf *manifest,
	struct br_err *err)
{
	br_autobuf struct br_buf found = { 0 };

	if (!save(folder, manifest, err))
		return false;
	describe(folder, finding, &found);
	if (!options->is_quiet)
		(void)fprintf(stderr,
			"wrote %s/%s for %s; look at it, then run 'buildr'\n",
			folder, MANIFEST, br_buf_text(&found));
	return true;
}

static bool make_manifest(const struct options *options,
	struct br_buf *manifest, struct br_err *err)
{
	const char *folder = options->path ? options->path : ".";
	struct finding finding = { 0 };
	br_autobuf struct br_buf notes = { 0 };

	if (!check_folder(folder, err) ||
		(!options->is_dry_run && !refuse_to_overwrite(folder, err)) ||
		!find_kinds(options, folder, &finding, err))
		return false;
	fill_manifest(folder, finding.kinds, finding.count, manifest, &notes);
	(void)fputs(br_buf_text(&notes), stderr);
	return options->is_dry_run ||
		write_manifest(options, folder, &finding, manifest, err);
}

int cmd_init(const struct options *options)
{
	br_autobuf struct br_buf manifest = { 0 };
	struct br_err err = { 0 };

	if (options->is_list)
		return print_list();
	if (!make_manifest(options, &manifest, &err)) {
		complain(&err);
		return status_of(&err);
	}
	return options->is_dry_run ? print(&manifest) : STATUS_PASS;
}
