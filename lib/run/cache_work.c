/* SPDX-License-Identifier: MIT */
#include "run/cache_work.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/difference.h"
#include "cache/globs.h"
#include "cache/images.h"
#include "cache/listing.h"
#include "cache/place.h"
#include "cache/store.h"
#include "run/identity.h"
#include "run/recall.h"

/* What is said to people names so many outputs. */
enum { NAMES_MAX = 3 };

struct br_cache_work {
	struct br_cache_worker_options options;
	int root_fd;
	/* NULL: there is none. */
	struct br_store *store;
	struct br_identities identities;
	struct br_recall recall;
};

bool br_cache_work_open(const struct br_cache_worker_options *options,
	struct br_cache_work **work, struct br_err *err)
{
	const struct br_plan *plan = options->plan;
	struct br_cache_work *made = br_alloc(sizeof(*made));
	uint8_t secret_key[BR_HASH_BYTES] = { 0 };
	struct br_err ignored = { 0 };

	made->options = *options;
	made->root_fd =
		open(plan->project_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (options->store_folder &&
		!(br_store_open(
			  options->store_folder, &made->store, &ignored) &&
			br_store_secret_key(
				made->store, secret_key, &ignored))) {
		br_store_free(made->store);
		made->store = NULL;
	}
	/* What a build left that was killed. */
	if (made->root_fd >= 0 && made->store)
		(void)br_place_sweep(made->root_fd);
	br_identities_init(&made->identities, plan, secret_key);
	br_recall_init(&made->recall, plan, made->store, options->project);
	if (made->store)
		br_identities_remember(
			&made->identities, made->store, options->engine);
	*work = made;
	return made->root_fd >= 0 ||
		br_fail_errno(err, "open '%s'", plan->project_dir);
}

static const struct br_plan_stage *stage_of(
	const struct br_cache_work *work, const struct br_cache_answer *answer)
{
	return &work->options.plan->stages[answer->stage];
}

static void say(struct br_cache_answer *answer, const char *text)
{
	(void)snprintf(answer->text, sizeof(answer->text), "%s", text);
}

static void take_identity(
	const struct br_cache_work *work, struct br_cache_answer *answer)
{
	memcpy(answer->identity, work->identities.stages[answer->stage].bytes,
		BR_HASH_BYTES);
}

/*
 * Find its result, what it said too, and put it back. `why` says, where that cannot be done,
 * why not.
 */
static bool find_result(struct br_cache_work *work,
	const struct br_cache_answer *answer, struct br_err *why)
{
	br_autostored struct br_stored result = { 0 };
	br_autobuf struct br_buf log = { 0 };

	if (!br_store_find(work->store, answer->identity, &result, why))
		return false;
	if (work->options.is_verifying)
		return br_fail(why, BR_ENOTFOUND,
			"it runs all the same to verify the result");
	return br_store_log(work->store, &result, &log, why) &&
		br_store_restore(work->store, &result, work->root_fd, why);
}

static void look_up(struct br_cache_work *work, struct br_cache_key *key,
	struct br_cache_answer *answer)
{
	br_autobuf struct br_buf record = { 0 };
	br_autobuf struct br_buf text = { 0 };
	struct br_err why = { 0 };

	br_cache_key_record(key, &record);
	br_recall_take(&work->recall, answer->stage, answer->identity, &record);
	if (find_result(work, answer, &why)) {
		answer->finding = BR_CACHE_HIT;
		br_recall_hit(&work->recall, answer->stage);
		return;
	}
	answer->finding = BR_CACHE_MISS;
	br_recall_explain(&work->recall, answer->stage, why.text, &text);
	say(answer, br_buf_text(&text));
}

static void look(struct br_cache_work *work, struct br_cache_answer *answer)
{
	br_autokey struct br_cache_key key = { 0 };
	struct br_err err = { 0 };

	br_identities_forget(&work->identities, answer->stage);
	if (!br_identities_find(&work->identities, answer->stage, work->root_fd,
		    work->store, &key, &err)) {
		answer->finding = BR_CACHE_UNKNOWN;
		say(answer, err.text);
		return;
	}
	take_identity(work, answer);
	look_up(work, &key, answer);
}

static void look_again(
	struct br_cache_work *work, struct br_cache_answer *answer)
{
	struct br_err why = { 0 };

	take_identity(work, answer);
	answer->finding =
		find_result(work, answer, &why) ? BR_CACHE_HIT : BR_CACHE_MISS;
	if (answer->finding == BR_CACHE_HIT)
		br_recall_hit(&work->recall, answer->stage);
	say(answer, why.text);
}

/* List what the stage was to leave, and find what it has not. */
static bool list_outputs(const struct br_cache_work *work,
	struct br_listing *outputs, struct br_cache_answer *answer)
{
	br_auto(br_globs) struct br_globs *globs = NULL;
	const struct br_plan_stage *stage = stage_of(work, answer);
	struct br_err err = { 0 };
	size_t count = 0;

	while (stage->outputs[count])
		count++;
	if (!br_globs_new(stage->outputs, count, &globs, &err) ||
		!br_listing_find(work->root_fd, globs, true, outputs, &err)) {
		answer->finding = BR_CACHE_NO_OUTPUT;
		say(answer, err.text);
		return false;
	}

	const char *missing = br_globs_find_unused(globs);
	if (!missing)
		return true;
	answer->finding = BR_CACHE_NO_OUTPUT;
	(void)snprintf(answer->text, sizeof(answer->text),
		"it left nothing that matches '%s' of its outputs", missing);
	return false;
}

static bool are_same(const struct br_listed *a, const struct br_listed *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case BR_LISTED_FILE:
		return a->mode == b->mode &&
			memcmp(a->digest, b->digest, BR_HASH_BYTES) == 0;
	case BR_LISTED_LINK:
		return strcmp(a->target, b->target) == 0;
	case BR_LISTED_FOLDER:
		return true;
	}
	return false;
}

static void name_difference(
	const char *path, size_t *count, struct br_buf *names)
{
	if (*count < NAMES_MAX)
		br_buf_addf(names, "%s'%s'", *count > 0 ? ", " : "", path);
	(*count)++;
}

/* Both are sorted. Gives how many differ, with the names of the first ones. */
static size_t compare_outputs(const struct br_listing *stored,
	const struct br_listing *found, struct br_buf *names)
{
	size_t i = 0;
	size_t j = 0;
	size_t count = 0;

	while (i < stored->count || j < found->count) {
		int order = 0;

		if (i == stored->count || j == found->count)
			order = i == stored->count ? 1 : -1;
		else
			order = strcmp(
				stored->items[i].path, found->items[j].path);
		if (order != 0 ||
			!are_same(&stored->items[i], &found->items[j]))
			name_difference(order <= 0 ? stored->items[i].path
						   : found->items[j].path,
				&count, names);
		i += order <= 0;
		j += order >= 0;
	}
	if (count > NAMES_MAX)
		br_buf_addf(names, " and %zu more", count - NAMES_MAX);
	return count;
}

/* Compare with the stored result, if there is one. False: another is stored. */
static bool verify(struct br_cache_work *work, struct br_listing *outputs,
	struct br_cache_answer *answer)
{
	br_autostored struct br_stored result = { 0 };
	br_autobuf struct br_buf names = { 0 };
	struct br_err err = { 0 };

	if (!br_store_find(work->store, answer->identity, &result, &err))
		return true;
	if (!br_hash_listing(br_store_index(work->store), work->root_fd,
		    outputs, &err)) {
		answer->finding = BR_CACHE_NOT_STORED;
		say(answer, err.text);
		return false;
	}
	if (compare_outputs(&result.outputs, outputs, &names) == 0)
		return true;
	br_store_drop(work->store, answer->identity);
	answer->finding = BR_CACHE_OTHER_OUTPUT;
	(void)snprintf(answer->text, sizeof(answer->text),
		"what it left is not what was stored of the same inputs: %s",
		br_buf_text(&names));
	return false;
}

/* Say what it was that changed while the stage ran. */
static void tell_change(struct br_str before, struct br_cache_key *key,
	struct br_cache_answer *answer)
{
	br_autobuf struct br_buf after = { 0 };
	br_autobuf struct br_buf text = { 0 };

	br_cache_key_record(key, &after);
	br_difference_summarize(before, br_buf_str(&after), &text);
	(void)snprintf(answer->text, sizeof(answer->text), "%s while it ran",
		br_buf_text(&text));
}

/*
 * Whether the stage still is what it was when it began. Where it is not, nobody can say
 * what those are that need it.
 */
static bool is_unchanged(
	struct br_cache_work *work, struct br_cache_answer *answer)
{
	br_autokey struct br_cache_key key = { 0 };
	struct br_err err = { 0 };

	take_identity(work, answer);
	answer->finding = BR_CACHE_NOT_STORED;
	if (!br_identities_find(&work->identities, answer->stage, work->root_fd,
		    work->store, &key, &err))
		say(answer, err.text);
	else if (memcmp(work->identities.stages[answer->stage].bytes,
			 answer->identity, BR_HASH_BYTES) == 0)
		return true;
	else
		tell_change(br_recall_record(&work->recall, answer->stage),
			&key, answer);
	br_identities_forget(&work->identities, answer->stage);
	return false;
}

/* View the bytes of a tape. The caller unmaps them. */
static bool map_tape(int fd, struct br_str *bytes, struct br_err *err)
{
	struct stat status;

	*bytes = (struct br_str){ .data = "" };
	if (fd < 0 || fstat(fd, &status) < 0)
		return br_fail_errno(err, "read what the stage has said");
	if (status.st_size == 0)
		return true;

	void *at = mmap(
		NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return br_fail_errno(err, "read what the stage has said");
	*bytes = (struct br_str){ at, (size_t)status.st_size };
	return true;
}

static void put(struct br_cache_work *work, struct br_listing *outputs,
	int tape_fd, struct br_cache_answer *answer)
{
	struct br_str tape;
	struct br_err err = { 0 };

	if (!map_tape(tape_fd, &tape, &err)) {
		answer->finding = BR_CACHE_NOT_STORED;
		say(answer, err.text);
		return;
	}
	answer->finding = br_store_put(work->store, answer->identity,
				  work->root_fd, outputs, tape, &err)
		? BR_CACHE_STORED
		: BR_CACHE_NOT_STORED;
	say(answer, err.text);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to take const off. */
	void *at = (void *)(uintptr_t)tape.data;
	if (tape.len > 0)
		(void)munmap(at, tape.len);
}

static bool is_to_be_put(struct br_cache_work *work, struct br_listing *outputs,
	struct br_cache_answer *answer)
{
	return list_outputs(work, outputs, answer) &&
		is_unchanged(work, answer) &&
		(!work->options.is_verifying || verify(work, outputs, answer));
}

static void keep(
	struct br_cache_work *work, int tape_fd, struct br_cache_answer *answer)
{
	br_autolisting struct br_listing outputs = { 0 };

	if (is_to_be_put(work, &outputs, answer))
		put(work, &outputs, tape_fd, answer);
	br_recall_end(&work->recall, answer->stage,
		answer->finding == BR_CACHE_STORED ? NULL : answer->text);
}

static void check(
	const struct br_cache_work *work, struct br_cache_answer *answer)
{
	br_autolisting struct br_listing outputs = { 0 };

	if (list_outputs(work, &outputs, answer))
		answer->finding = BR_CACHE_WELL;
}

static void learn_digest(struct br_cache_work *work,
	const struct br_cache_request *request, struct br_cache_answer *answer)
{
	const char *known =
		br_identities_find_digest(&work->identities, request->image);
	struct br_err ignored = { 0 };

	answer->finding = known && strcmp(known, request->digest) == 0
		? BR_CACHE_SAME_DIGEST
		: BR_CACHE_NEW_DIGEST;
	br_identities_set_digest(
		&work->identities, request->image, request->digest);
	if (answer->finding == BR_CACHE_NEW_DIGEST &&
		request->digest[0] != '\0')
		(void)!br_images_save(work->store, work->options.engine,
			request->image, request->digest, &ignored);
}

void br_cache_work_do(struct br_cache_work *work,
	const struct br_cache_request *request, int tape_fd,
	struct br_cache_answer *answer)
{
	enum br_cache_question question = request->question;

	/* Outputs are to be there all the same. */
	if (!work->store && question == BR_CACHE_KEEP)
		question = BR_CACHE_CHECK;
	if (!work->store && question != BR_CACHE_CHECK) {
		answer->finding = BR_CACHE_UNKNOWN;
		return;
	}
	switch (question) {
	case BR_CACHE_LOOK:
		look(work, answer);
		return;
	case BR_CACHE_LOOK_AGAIN:
		look_again(work, answer);
		return;
	case BR_CACHE_RUN:
		br_recall_run(&work->recall, answer->stage);
		answer->finding = BR_CACHE_NOTED;
		return;
	case BR_CACHE_KEEP:
		keep(work, tape_fd, answer);
		return;
	case BR_CACHE_CHECK:
		check(work, answer);
		return;
	case BR_CACHE_DIGEST:
		learn_digest(work, request, answer);
		return;
	}
}
