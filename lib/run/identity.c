/* SPDX-License-Identifier: MIT */
#include "run/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "cache/images.h"
#include "run/identity_files.h"
#include "run/needed.h"
#include "run/outlook.h"

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

	return known && known->digest[0] != '\0' ? known->digest : NULL;
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

static void remember_image(struct br_identities *identities,
	struct br_store *store, const char *engine, const char *image)
{
	br_autofree char *digest = NULL;

	if (!br_identities_find_digest(identities, image) &&
		br_images_find(store, engine, image, &digest))
		br_identities_set_digest(identities, image, digest);
}

void br_identities_remember(struct br_identities *identities,
	struct br_store *store, const char *engine)
{
	const struct br_plan *plan = identities->plan;

	for (size_t i = 0; i < plan->stage_count; i++)
		if (plan->stages[i].skip == BR_SKIP_NOT)
			remember_image(identities, store, engine,
				plan->stages[i].image);
	for (size_t i = 0; i < plan->service_count; i++)
		remember_image(
			identities, store, engine, plan->services[i].image);
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
	struct br_needed needed;
};

static void start(struct gathering *gathering, struct br_identities *identities,
	size_t stage, struct br_cache_key *key)
{
	*gathering = (struct gathering){
		.identities = identities,
		.stage = &identities->plan->stages[stage],
		.key = key,
	};
	br_needed_find(identities->plan, gathering->stage, &gathering->needed);
}

static void end(struct gathering *gathering)
{
	br_needed_done(&gathering->needed);
}

#define autogathering __attribute__((cleanup(end)))

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

/* What has git take the project, wherever there is one. */
static bool is_trust(const char *entry)
{
	static const char *const all[] = { "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(entry, all[i]) == 0)
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

		if (!is_trust(environment[i]) &&
			is_ingredient(gathering->stage, name))
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

	for (size_t i = 0; i < gathering->needed.count; i++)
		if (!add_need(gathering, gathering->needed.items[i], err))
			return false;
	/* It comes first in a plan. */
	return stage->has_own_image || stage->is_prepare ||
		!plan->stages[0].is_prepare ||
		plan->stages[0].skip != BR_SKIP_NOT ||
		add_need(gathering, 0, err);
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

bool br_identities_define(
	struct br_identities *identities, size_t index, struct br_err *err)
{
	br_autokey struct br_cache_key key = { 0 };
	struct br_identity *identity = &identities->stages[index];
	autogathering struct gathering gathering = { 0 };

	start(&gathering, identities, index, &key);
	if (!add_definition(&gathering, err))
		return false;
	br_cache_key_end(&key, identity->bytes);
	identity->is_known = true;
	return true;
}

/* As far as can be. A plan has each stage after those that it needs. */
static void define_needs(struct br_identities *identities, size_t stage)
{
	struct br_err ignored = { 0 };

	for (size_t i = 0; i < stage; i++)
		if (!identities->stages[i].is_known &&
			!br_outlook_is_cached(&identities->plan->stages[i]) &&
			identities->plan->stages[i].skip == BR_SKIP_NOT)
			(void)!br_identities_define(identities, i, &ignored);
}

bool br_identities_find(struct br_identities *identities, size_t stage,
	int root_fd, struct br_store *store, struct br_cache_key *key,
	struct br_err *err)
{
	struct br_identity *identity = &identities->stages[stage];
	autogathering struct gathering gathering = { 0 };

	start(&gathering, identities, stage, key);
	define_needs(identities, stage);
	if (!add_definition(&gathering, err) ||
		!br_identity_add_files(identities->plan, gathering.stage,
			&gathering.needed, root_fd, store, key, err))
		return false;
	br_cache_key_end(key, identity->bytes);
	identity->is_known = true;
	return true;
}
