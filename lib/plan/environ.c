/* SPDX-License-Identifier: MIT */
#include "plan/environ.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "manifest/dotenv.h"

/* What belongs to the caller's machine, not to the build. */
static const char *const not_inherited[] = {
	"PATH",
	"HOME",
	"PWD",
	"HOSTNAME",
	"TMPDIR",
};

/* Always defined by us, so that nobody else's definition has an effect. */
static const char *const built_in_names[] = {
	"CI",
	"BUILDR",
	"BUILDR_BUILD_ID",
	"BUILDR_STAGE",
	"BUILDR_PROJECT_DIR",
};

static bool is_among(
	const char *name, const char *const *names, size_t name_count)
{
	for (size_t i = 0; i < name_count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Find what `name` is in the caller's environment; NULL: it is not set. */
static const char *caller_value(
	const struct br_environ *environment, const char *name)
{
	const char *const *all = environment->source.options->environment;
	size_t len = strlen(name);

	for (size_t i = 0; all && all[i]; i++)
		if (strncmp(all[i], name, len) == 0 && all[i][len] == '=')
			return all[i] + len + 1;
	return NULL;
}

/* Add a variable with its value, or with the caller's. */
static void add_var(struct br_environ *environment,
	struct br_environ_entries *entries, const struct br_var *var)
{
	const char *value =
		var->value ? var->value : caller_value(environment, var->name);
	const char *text = value ? br_arena_format(environment->source.arena,
					   "%s=%s", var->name, value)
				 : NULL;
	struct br_secret *secret =
		br_secrets_find(&environment->secrets, var->name);

	br_entries_add(entries,
		br_arena_strdup(environment->source.arena, var->name), text,
		var->place);
	if (!secret)
		return;
	secret->is_mentioned = true;
	if (text)
		br_secrets_add(&environment->secrets, secret,
			text + strlen(var->name) + 1);
}

static void add_vars(struct br_environ *environment,
	struct br_environ_entries *entries, const struct br_vars *vars)
{
	for (size_t i = 0; i < vars->count; i++)
		add_var(environment, entries, &vars->items[i]);
}

/* Say whether `inherit` wants `name`; its own machine's only by their name. */
static bool is_inherited(const struct br_manifest *manifest, const char *name)
{
	size_t count = sizeof(not_inherited) / sizeof(not_inherited[0]);
	bool is_callers = is_among(name, not_inherited, count) ||
		br_has_prefix(name, "BUILDR_");

	if (manifest->inherit == BR_INHERIT_ALL)
		return !is_callers;
	for (size_t i = 0; i < manifest->inherit_globs.count; i++) {
		const char *glob = manifest->inherit_globs.items[i].text;

		if (strcmp(glob, name) == 0 ||
			(!is_callers && fnmatch(glob, name, 0) == 0))
			return true;
	}
	return false;
}

/* Add an entry of the caller's environment, unless it is one for no program. */
static void inherit(struct br_environ *environment, const char *text)
{
	const struct br_environ_source *source = &environment->source;
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return;

	const char *name =
		br_arena_memdup(source->arena, text, (size_t)(equals - text));
	if (!is_inherited(source->manifest, name))
		return;
	if (!br_var_is_name(br_str(name))) {
		br_notes_add(source->notes,
			"'%s' is not inherited: it cannot be the name of a "
			"variable",
			name);
		return;
	}
	if (strlen(text) > BR_LIMIT_ENV_ENTRY_BYTES) {
		br_notes_add(source->notes,
			"'%s' is not inherited: it has more than %d bytes",
			name, BR_LIMIT_ENV_ENTRY_BYTES);
		return;
	}
	add_var(environment, &environment->below,
		&(struct br_var){ .name = name, .value = equals + 1 });
}

/*
 * git takes no repository that belongs to another user, and what a caller who is not
 * root has checked out belongs to nobody in the container. Weaker than all else: who has
 * settings of this kind needs to say so as well.
 */
static void trust_work_tree(struct br_environ *environment)
{
	static const struct br_var vars[] = {
		{ .name = "GIT_CONFIG_COUNT", .value = "1" },
		{ .name = "GIT_CONFIG_KEY_0", .value = "safe.directory" },
		{ .name = "GIT_CONFIG_VALUE_0", .value = "*" },
	};

	if (!environment->source.git->commit)
		return;
	for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++)
		add_var(environment, &environment->below, &vars[i]);
}

static void inherit_all(struct br_environ *environment)
{
	const char *const *all = environment->source.options->environment;
	size_t count = 0;

	if (environment->source.manifest->inherit == BR_INHERIT_NONE || !all)
		return;
	while (all[count])
		count++;
	/* Of a name that is there twice the first counts, as for getenv(). */
	while (count > 0)
		inherit(environment, all[--count]);
}

/*
 * Report what is wrong in a dotenv file where the manifest names it: its own
 * lines may be secret and are not shown.
 */
static void report_file(struct br_environ *environment,
	const struct br_text *file, const struct br_diags *mistakes)
{
	for (size_t i = 0; i < mistakes->count; i++) {
		const struct br_diag *mistake = &mistakes->items[i];

		br_diags_add(environment->source.diags, mistake->severity,
			file->place, mistake->help, "%s:%u:%u: %s", file->text,
			mistake->place.line, mistake->place.column,
			mistake->text);
	}
}

static void add_file(struct br_environ *environment, const struct br_text *file)
{
	const struct br_environ_source *source = &environment->source;
	br_autofree char *path =
		br_path_join(source->manifest->project_dir, file->text);
	br_autobuf struct br_buf text = { 0 };
	struct br_diags mistakes = { 0 };
	struct br_vars vars = { 0 };
	struct br_err err = { 0 };

	if (!br_file_load(path, BR_LIMIT_DOTENV_BYTES, &text, &err)) {
		br_diags_add(source->diags, BR_SEVERITY_ERROR, file->place,
			NULL, "%s", err.text);
		return;
	}
	br_diags_init(&mistakes, file->text, br_buf_str(&text));
	br_dotenv_parse(br_buf_str(&text), source->arena, &vars, &mistakes);
	report_file(environment, file, &mistakes);
	br_diags_done(&mistakes);
	/* Their places are in that file, not in the manifest. */
	for (size_t i = 0; i < vars.count; i++)
		vars.items[i].place = (struct br_place){ 0 };
	add_vars(environment, &environment->below, &vars);
}

/* Add one `-e NAME=VALUE` or `-e NAME`. */
static bool add_option(
	struct br_environ *environment, const char *text, struct br_err *err)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	const char *name =
		br_arena_memdup(environment->source.arena, text, len);

	/* Not more than the name: the value may be a secret. */
	if (!br_var_is_name(br_str(name)))
		return br_fail(err, BR_EINPUT,
			"-e '%s': not the name of a variable", name);
	if (strlen(text) > BR_LIMIT_ENV_ENTRY_BYTES)
		return br_fail(err, BR_EINPUT, "-e '%s': more than %d bytes",
			name, BR_LIMIT_ENV_ENTRY_BYTES);
	add_var(environment, &environment->above,
		&(struct br_var){
			.name = name, .value = equals ? equals + 1 : NULL });
	return true;
}

/* A secret of the caller is one, whether steps get it or not. */
static void gather_secrets(struct br_environ *environment)
{
	const struct br_manifest *manifest = environment->source.manifest;
	struct br_secrets *secrets = &environment->secrets;
	struct br_environ_entries unused = { 0 };

	for (size_t i = 0; i < secrets->count; i++) {
		const char *value =
			caller_value(environment, secrets->items[i].name);

		if (value)
			br_secrets_add(secrets, &secrets->items[i], value);
	}
	for (size_t i = 0; secrets->count > 0 && i < manifest->stage_count;
		i++) {
		const struct br_stage *stage = &manifest->stages[i];

		add_vars(environment, &unused, &stage->environment);
		for (size_t k = 0; k < stage->services.count; k++)
			add_vars(environment, &unused,
				&stage->services.items[k].environment);
	}
	if (secrets->count > 0 && manifest->prepare)
		add_vars(environment, &unused, &manifest->prepare->environment);
	br_entries_done(&unused);
}

static void add_built_in(struct br_environ *environment,
	struct br_environ_entries *entries, const char *name, const char *value)
{
	if (value)
		br_entries_add(entries, name,
			br_arena_format(environment->source.arena, "%s=%s",
				name, value),
			(struct br_place){ 0 });
}

/* All but the stage's name. */
static void add_all_built_in(struct br_environ *environment)
{
	const struct br_git *git = environment->source.git;
	struct br_environ_entries *entries = &environment->built_in;

	add_built_in(environment, entries, "CI", "true");
	add_built_in(environment, entries, "BUILDR", "1");
	add_built_in(environment, entries, "BUILDR_PROJECT_DIR",
		BR_PLAN_PROJECT_MOUNT);
	add_built_in(environment, entries, "BUILDR_COMMIT", git->commit);
	add_built_in(environment, entries, "BUILDR_BRANCH", git->branch);
	add_built_in(environment, entries, "BUILDR_TAG", git->tag);
}

bool br_environ_init(struct br_environ *environment,
	const struct br_environ_source *source, struct br_err *err)
{
	const struct br_manifest *manifest = source->manifest;
	const struct br_plan_options *options = source->options;

	*environment = (struct br_environ){ .source = *source };
	br_secrets_init(
		&environment->secrets, &manifest->secrets, source->arena);
	trust_work_tree(environment);
	inherit_all(environment);
	for (size_t i = 0; i < manifest->env_files.count; i++)
		add_file(environment, &manifest->env_files.items[i]);
	add_vars(environment, &environment->below, &manifest->vars);
	for (size_t i = 0; i < options->env_count; i++)
		if (!add_option(environment, options->env[i], err)) {
			br_environ_done(environment);
			return false;
		}
	add_all_built_in(environment);
	br_entries_sort(&environment->below);
	gather_secrets(environment);
	/* A file that could not be read might have defined them. */
	if (source->diags->error_count == 0)
		br_secrets_check(&environment->secrets, source->diags);
	return true;
}

void br_environ_done(struct br_environ *environment)
{
	br_entries_done(&environment->below);
	br_entries_done(&environment->above);
	br_entries_done(&environment->built_in);
	br_secrets_done(&environment->secrets);
	*environment = (struct br_environ){ 0 };
}

/* Say that a name has no value: `entry` is the last that passes it on. */
static void report_missing(
	struct br_environ *environment, const struct br_environ_entry *entry)
{
	const struct br_environ_source *source = &environment->source;
	struct br_secret *secret =
		br_secrets_find(&environment->secrets, entry->name);

	if (!secret && entry->place.line > 0) {
		br_notes_add(source->notes,
			"%s:%u: '%s' is passed on but not set",
			source->manifest->file, entry->place.line, entry->name);
	} else if (!secret) {
		br_notes_add(source->notes, "-e '%s' is passed on but not set",
			entry->name);
	} else if (!secret->is_reported) {
		secret->is_reported = true;
		br_diags_add(source->diags, BR_SEVERITY_ERROR, entry->place,
			"set it in the environment of buildr, or with -e",
			"the secret '%s' is not set", entry->name);
	}
}

/* Say that a definition has no effect. */
static void report_overruled(
	struct br_environ *environment, const struct br_vars *vars)
{
	size_t count = sizeof(built_in_names) / sizeof(built_in_names[0]);

	for (size_t i = 0; i < vars->count; i++)
		if (is_among(vars->items[i].name, built_in_names, count))
			br_notes_add(environment->source.notes,
				"%s:%u: '%s' is built in and keeps its value",
				environment->source.manifest->file,
				vars->items[i].place.line, vars->items[i].name);
}

/* Keep of each name the last that has a value. */
static const char *const *keep_last(struct br_environ *environment,
	const struct br_environ_entries *entries)
{
	const char **list = br_arena_array(
		environment->source.arena, entries->count + 1, sizeof(*list));
	size_t kept = 0;

	for (size_t i = 0; i < entries->count;) {
		const struct br_environ_entry *entry = &entries->items[i];
		const char *text = NULL;

		for (; i < entries->count &&
			strcmp(entries->items[i].name, entry->name) == 0;
			i++)
			if (entries->items[i].text)
				text = entries->items[i].text;
		if (text)
			list[kept++] = text;
		else
			report_missing(environment, &entries->items[i - 1]);
	}
	return list;
}

const char *const *br_environ_build(struct br_environ *environment,
	const struct br_stage *stage, const struct br_vars *combination,
	const char *name)
{
	struct br_environ_entries own = { 0 };
	struct br_environ_entries all = { 0 };

	report_overruled(environment, &environment->source.manifest->vars);
	report_overruled(environment, &stage->environment);
	add_vars(environment, &own, &stage->environment);
	if (combination) {
		report_overruled(environment, combination);
		add_vars(environment, &own, combination);
	}
	br_entries_append(&own, &environment->above);
	br_entries_append(&own, &environment->built_in);
	add_built_in(environment, &own, "BUILDR_STAGE", name);
	br_entries_sort(&own);
	br_entries_merge(&environment->below, &own, &all);

	const char *const *list = keep_last(environment, &all);
	br_entries_done(&own);
	br_entries_done(&all);
	return list;
}

const char *const *br_environ_build_service(
	struct br_environ *environment, const struct br_vars *vars)
{
	struct br_environ_entries entries = { 0 };

	for (size_t i = 0; i < vars->count; i++) {
		struct br_var var = vars->items[i];

		if (!var.value)
			var.value =
				br_entries_find(&environment->above, var.name);
		if (!var.value)
			var.value =
				br_entries_find(&environment->below, var.name);
		add_var(environment, &entries, &var);
	}
	br_entries_sort(&entries);

	const char *const *list = keep_last(environment, &entries);
	br_entries_done(&entries);
	return list;
}
