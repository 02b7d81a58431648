/* SPDX-License-Identifier: MIT */
#include "run/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/glob.h"
#include "cache/globs.h"
#include "cache/listing.h"
#include "cache/store.h"

void br_identities_init(struct br_identities *identities,
	const struct br_plan *plan, const uint8_t secret_key[BR_HASH_BYTES])
{
	*identities = (struct br_identities){
		.plan = plan,
		.stages = br_alloc_array(
			plan->stage_count, sizeof(*identities->stages)),
	};
	memcpy(identities->secret_key, secret_key, BR_HASH_BYTES);
}

void br_identities_done(struct br_identities *identities)
{
	free(identities->stages);
	free(identities->digests);
	br_arena_done(&identities->arena);
	*identities = (struct br_identities){ 0 };
}

static struct br_image_digest *find_digest(
	const struct br_identities *identities, const char *image)
{
	for (size_t i = 0; i < identities->digest_count; i++)
		if (strcmp(identities->digests[i].image, image) == 0)
			return &identities->digests[i];
	return NULL;
}

const char *br_identities_find_digest(
	const struct br_identities *identities, const char *image)
{
	const struct br_image_digest *known = find_digest(identities, image);

	return known ? known->digest : NULL;
}

void br_identities_set_digest(
	struct br_identities *identities, const char *image, const char *digest)
{
	struct br_image_digest *known = find_digest(identities, image);

	if (known && strcmp(known->digest, digest) == 0)
		return;
	if (!known) {
		identities->digests = br_grow(identities->digests,
			identities->digest_count, &identities->digest_capacity,
			sizeof(*identities->digests));
		known = &identities->digests[identities->digest_count++];
		known->image = br_arena_strdup(&identities->arena, image);
	} else {
		for (size_t i = 0; i < identities->plan->stage_count; i++)
			identities->stages[i].is_known = false;
	}
	known->digest = br_arena_strdup(&identities->arena, digest);
}

void br_identities_forget(struct br_identities *identities, size_t stage)
{
	identities->stages[stage].is_known = false;
}

/* A stage whose ingredients are gathered. */
struct gathering {
	struct br_identities *identities;
	const struct br_plan_stage *stage;
	struct br_cache_key *key;
};

static bool has_secret(const struct br_plan *plan, struct br_str text)
{
	for (size_t i = 0; i < plan->secret_count; i++)
		if (text.len > 0 &&
			memmem(text.data, text.len, plan->secrets[i].data,
				plan->secrets[i].len))
			return true;
	return false;
}

/* Nobody is to try out what a secret may be from the hash of a text that has it. */
static void add(const struct gathering *gathering, enum br_ingredient kind,
	const char *name, struct br_str value)
{
	const struct br_identities *identities = gathering->identities;

	if (!has_secret(identities->plan, value)) {
		br_cache_key_add(gathering->key, kind, name, value);
		return;
	}
	if (kind == BR_INGREDIENT_VARIABLE)
		kind = BR_INGREDIENT_SECRET;
	br_cache_key_add_keyed(
		gathering->key, kind, name, value, identities->secret_key);
}

/* Each text with its NUL, so that other cuts are other bytes. */
static void add_words(struct br_buf *bytes, const char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		br_buf_add(bytes, words[i], strlen(words[i]) + 1);
}

static void add_settings(const struct gathering *gathering)
{
	const struct br_plan_stage *stage = gathering->stage;
	const struct br_plan *plan = gathering->identities->plan;
	const char *user = stage->is_host_user ? "host" : stage->user;

	if (user)
		add(gathering, BR_INGREDIENT_SETTING, "user", br_str(user));
	if (stage->has_tty)
		add(gathering, BR_INGREDIENT_SETTING, "tty", br_str("true"));
	if (plan->network)
		add(gathering, BR_INGREDIENT_SETTING, "network",
			br_str(plan->network));
	add(gathering, BR_INGREDIENT_SETTING, "workdir",
		br_str(stage->workdir));
}

/* With its kind in front: a text is never the same as words. */
static void add_step(
	const struct gathering *gathering, const struct br_plan_step *step)
{
	br_autobuf struct br_buf value = { 0 };
	br_autofree char *number = br_format("%u", step->number);

	br_buf_add_text(&value, step->text ? "text\n" : "words\n");
	if (step->text)
		br_buf_add_text(&value, step->text);
	else
		add_words(&value, step->argv);
	add(gathering, BR_INGREDIENT_STEP, number, br_buf_str(&value));
}

static void add_steps(const struct gathering *gathering)
{
	const struct br_plan_stage *stage = gathering->stage;

	for (size_t i = 0; stage->shell[i]; i++) {
		br_autofree char *number = br_format("%zu", i + 1);

		add(gathering, BR_INGREDIENT_SHELL, number,
			br_str(stage->shell[i]));
	}
	for (size_t i = 0; i < stage->step_count; i++)
		add_step(gathering, &stage->steps[i]);
}

static bool is_named_in(const char *name, const struct br_plan_step *step)
{
	if (step->text)
		return strstr(step->text, name) != NULL;
	for (size_t i = 0; step->argv[i]; i++)
		if (strstr(step->argv[i], name))
			return true;
	return false;
}

/* Of the variables that buildr adds only what a step asks for, and is no name. */
static bool is_ingredient(const struct br_plan_stage *stage, const char *name)
{
	static const char *const built_in[] = { "CI", "BUILDR", "BUILDR_STAGE",
		"BUILDR_BUILD_ID", "BUILDR_PROJECT_DIR" };
	static const char *const of_git[] = { "BUILDR_COMMIT", "BUILDR_BRANCH",
		"BUILDR_TAG" };

	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		if (strcmp(name, built_in[i]) == 0)
			return false;
	for (size_t i = 0; i < sizeof(of_git) / sizeof(of_git[0]); i++) {
		if (strcmp(name, of_git[i]) != 0)
			continue;
		for (size_t j = 0; j < stage->step_count; j++)
			if (is_named_in(name, &stage->steps[j]))
				return true;
		return false;
	}
	return true;
}

static void add_environment(const struct gathering *gathering)
{
	const char *const *environment = gathering->stage->environment;

	for (size_t i = 0; environment[i]; i++) {
		const char *value = strchr(environment[i], '=');
		br_autofree char *name = br_memdup(
			environment[i], (size_t)(value - environment[i]));

		if (is_ingredient(gathering->stage, name))
			add(gathering, BR_INGREDIENT_VARIABLE, name,
				br_str(value + 1));
	}
}

static bool fail_unknown_image(const char *image, struct br_err *err)
{
	return br_fail(err, BR_EUNAVAIL,
		"what the image '%s' is, is not known yet", image);
}

static bool add_service(const struct gathering *gathering,
	const struct br_plan_service *service, struct br_err *err)
{
	const char *digest = br_identities_find_digest(
		gathering->identities, service->image);
	br_autobuf struct br_buf value = { 0 };

	if (!digest)
		return fail_unknown_image(service->image, err);
	br_buf_addf(&value, "%s\n%d %u\ncommand\n", digest, (int)service->ready,
		service->port);
	add_words(&value, service->command);
	br_buf_add_text(&value, "\nready\n");
	add_words(&value, service->ready_command);
	br_buf_add_text(&value, "\nenvironment\n");
	add_words(&value, service->environment);
	add(gathering, BR_INGREDIENT_SERVICE, service->alias,
		br_buf_str(&value));
	return true;
}

static bool add_image(const struct gathering *gathering, struct br_err *err)
{
	const struct br_plan_stage *stage = gathering->stage;
	const struct br_plan *plan = gathering->identities->plan;
	const char *digest =
		br_identities_find_digest(gathering->identities, stage->image);

	/* What runs nothing needs no image. */
	if (stage->step_count == 0)
		return true;
	if (!digest)
		return fail_unknown_image(stage->image, err);
	add(gathering, BR_INGREDIENT_IMAGE, "-", br_str(digest));
	for (size_t i = 0; i < stage->services.count; i++)
		if (!add_service(gathering,
			    &plan->services[stage->services.items[i]], err))
			return false;
	return true;
}

static bool add_need(
	const struct gathering *gathering, size_t index, struct br_err *err)
{
	const struct br_identities *identities = gathering->identities;
	const struct br_plan_stage *need = &identities->plan->stages[index];

	if (need->skip != BR_SKIP_NOT)
		return true;
	if (!identities->stages[index].is_known)
		return br_fail(err, BR_EUNAVAIL,
			"stage '%s', which it needs, has no identity",
			need->name);
	br_cache_key_add_need(
		gathering->key, need->name, identities->stages[index].bytes);
	return true;
}

static bool add_needs(const struct gathering *gathering, struct br_err *err)
{
	const struct br_plan *plan = gathering->identities->plan;
	const struct br_plan_stage *stage = gathering->stage;
	const struct br_plan_group *group = &plan->groups[stage->group];

	for (size_t i = 0; i < group->needs.count; i++) {
		const struct br_plan_group *need =
			&plan->groups[group->needs.items[i]];

		for (size_t j = 0; j < need->count; j++)
			if (!plan->stages[need->first + j].is_prepare &&
				!add_need(gathering, need->first + j, err))
				return false;
	}
	/* It comes first in a plan. */
	return stage->has_own_image || stage->is_prepare ||
		!plan->stages[0].is_prepare || add_need(gathering, 0, err);
}

/* All but files. */
static bool add_definition(
	const struct gathering *gathering, struct br_err *err)
{
	const char *const *outputs = gathering->stage->outputs;

	add_settings(gathering);
	add_steps(gathering);
	add_environment(gathering);
	for (size_t i = 0; outputs[i]; i++)
		add(gathering, BR_INGREDIENT_OUTPUT, outputs[i], br_str(""));
	return add_image(gathering, err) && add_needs(gathering, err);
}

static size_t count_texts(const char *const *texts)
{
	size_t count = 0;

	while (texts[count])
		count++;
	return count;
}

/* Of globs the last one that matches decides. */
static bool is_output(const struct br_plan_stage *stage, const char *path)
{
	for (size_t i = count_texts(stage->outputs); i > 0; i--) {
		const char *glob = stage->outputs[i - 1];
		bool takes_away = glob[0] == '!';

		if (br_glob_matches(glob + takes_away, path))
			return !takes_away;
	}
	return false;
}

static void drop_outputs(
	const struct br_plan_stage *stage, struct br_listing *inputs)
{
	size_t kept = 0;

	for (size_t i = 0; i < inputs->count; i++)
		if (!is_output(stage, inputs->items[i].path))
			inputs->items[kept++] = inputs->items[i];
	inputs->count = kept;
}

/* Where no output is excepted, folders full of outputs need not be read. */
static bool may_leave_out(const struct br_plan_stage *stage)
{
	for (size_t i = 0; stage->outputs[i]; i++)
		if (stage->outputs[i][0] == '!')
			return false;
	return true;
}

/* Those of `inputs`, without those of `outputs` where that is known before. */
static bool make_globs(const struct br_plan_stage *stage,
	struct br_globs **globs, struct br_err *err)
{
	size_t count = count_texts(stage->inputs);
	size_t output_count =
		may_leave_out(stage) ? count_texts(stage->outputs) : 0;
	br_autofree const char **texts =
		br_alloc_array(count + output_count, sizeof(*texts));
	struct br_arena arena = { 0 };

	for (size_t i = 0; i < count; i++)
		texts[i] = stage->inputs[i];
	for (size_t i = 0; i < output_count; i++)
		texts[count++] =
			br_arena_format(&arena, "!%s", stage->outputs[i]);

	bool is_made = br_globs_new(texts, count, globs, err);
	br_arena_done(&arena);
	return is_made;
}

static bool add_inputs(const struct gathering *gathering, int root_fd,
	struct br_store *store, struct br_err *err)
{
	br_auto(br_globs) struct br_globs *globs = NULL;
	br_autolisting struct br_listing inputs = { 0 };
	const struct br_plan_stage *stage = gathering->stage;

	if (!make_globs(stage, &globs, err) ||
		!br_listing_find(root_fd, globs, false, &inputs, err))
		return false;
	if (!may_leave_out(stage))
		drop_outputs(stage, &inputs);
	if (!br_hash_listing(br_store_index(store), root_fd, &inputs, err))
		return false;
	br_cache_key_add_listing(gathering->key, &inputs);
	return true;
}

/* A stage without `inputs`, if all that it needs is known by now. */
static void define(struct br_identities *identities, size_t index)
{
	br_autokey struct br_cache_key key = { 0 };
	struct br_identity *identity = &identities->stages[index];
	const struct gathering gathering = { identities,
		&identities->plan->stages[index], &key };
	struct br_err ignored = { 0 };

	if (!add_definition(&gathering, &ignored))
		return;
	br_cache_key_end(&key, identity->bytes);
	identity->is_known = true;
}

/* A plan has each stage after those that it needs. */
static void define_needs(struct br_identities *identities, size_t stage)
{
	for (size_t i = 0; i < stage; i++)
		if (!identities->stages[i].is_known &&
			!identities->plan->stages[i].is_cached &&
			identities->plan->stages[i].skip == BR_SKIP_NOT)
			define(identities, i);
}

bool br_identities_find(struct br_identities *identities, size_t stage,
	int root_fd, struct br_store *store, struct br_cache_key *key,
	struct br_err *err)
{
	struct br_identity *identity = &identities->stages[stage];
	const struct gathering gathering = { identities,
		&identities->plan->stages[stage], key };

	define_needs(identities, stage);
	if (!add_definition(&gathering, err) ||
		!add_inputs(&gathering, root_fd, store, err))
		return false;
	br_cache_key_end(key, identity->bytes);
	identity->is_known = true;
	return true;
}
