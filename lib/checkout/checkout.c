/* SPDX-License-Identifier: MIT */
#include "checkout/checkout.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/uuid.h"
#include "checkout/extras.h"
#include "checkout/find.h"
#include "checkout/folder.h"
#include "checkout/git.h"
#include "checkout/guard.h"
#include "checkout/mirror.h"
#include "checkout/ref.h"
#include "checkout/repo.h"
#include "checkout/tree.h"

enum {
	FOLDER_MODE = 0700,
	/* What stands for no timeout: four months. */
	FOREVER_MS = 0x7fffffff,
};

/* All that is owned while a checkout is made. */
struct making {
	const struct br_checkout_options *options;
	/* Absolute. */
	char *work_dir;
	struct br_repo repo;
	struct br_ref ref;
	struct br_guard guard;
	struct br_gits gits;
	struct br_mirror mirror;
	struct br_found found;
	struct br_tree *tree;
};

static bool check_names(struct making *making, struct br_err *err)
{
	const struct br_checkout_options *options = making->options;

	if (!br_uuid_is_valid(options->build))
		return br_fail(err, BR_EINPUT, "the build id is not a UUID");
	return br_repo_parse(options->repo, options->allowed_protocols,
		       &making->repo, err) &&
		br_ref_parse(options->branch, &making->ref, err) &&
		(!options->commit || br_ref_check_commit(options->commit, err));
}

static bool open_work_dir(struct making *making, struct br_err *err)
{
	const char *work_dir = making->options->work_dir;

	if (!br_folder_make(work_dir, FOLDER_MODE, err))
		return false;
	making->work_dir = realpath(work_dir, NULL);
	return making->work_dir || br_fail_errno(err, "open '%s'", work_dir);
}

static bool open_mirror(struct making *making, struct br_err *err)
{
	br_autofree char *mirrors = br_path_join(making->work_dir, "mirrors");

	return br_folder_make(mirrors, FOLDER_MODE, err) &&
		br_mirror_open(mirrors, making->repo.key, &making->mirror, err);
}

static bool begin(struct making *making, struct br_err *err)
{
	const struct br_checkout_options *options = making->options;

	if (!check_names(making, err) || !open_work_dir(making, err) ||
		!open_mirror(making, err) ||
		!br_guard_start(making->mirror.lock_fd, &making->guard, err))
		return false;

	br_gits_init(&making->gits, &making->repo, options->allowed_protocols);
	making->gits.guard = &making->guard;
	making->gits.cancel_fd = options->cancel_fd;
	making->gits.max_file_bytes = options->max_file_bytes;
	making->gits.deadline_ms = br_clock_now_ms() +
		(options->timeout_ms > 0 && options->timeout_ms < FOREVER_MS
				? options->timeout_ms
				: FOREVER_MS);
	return br_tree_new(
		making->work_dir, options->build, &making->tree, err);
}

/* Bring the mirror up to date, and take what the tree needs out of it. */
static bool use_mirror(struct making *making, struct br_err *err)
{
	struct br_mirror *mirror = &making->mirror;
	const struct br_gits *gits = &making->gits;

	if (strcmp(making->repo.protocol, "ssh") == 0 &&
		!br_gits_quiet_ssh(&making->gits, mirror->folder, err))
		return false;
	if (!br_found_load(mirror, gits, &making->ref, making->options->commit,
		    &making->found, err) ||
		!br_tree_pack(making->tree, gits, mirror->folder,
			&making->found, err))
		return false;
	br_mirror_tidy(mirror, gits);
	return true;
}

static bool add_lfs(struct making *making, const struct br_extras *extras,
	struct br_err *err)
{
	bool is_good = br_mirror_share(&making->mirror, &making->gits, err) &&
		br_extras_lfs(extras, making->mirror.folder, err);

	br_mirror_unlock(&making->mirror);
	return is_good;
}

static bool add_extras(struct making *making, struct br_err *err)
{
	const struct br_checkout_options *options = making->options;
	struct br_extras extras;

	if (!options->has_submodules && !options->has_lfs)
		return true;
	br_extras_init(&extras, options, making->tree, &making->gits);

	bool is_good = (!options->has_submodules ||
			       br_extras_submodules(&extras, err)) &&
		(!options->has_lfs || add_lfs(making, &extras, err));
	br_extras_done(&extras);
	return is_good;
}

/* One try: fetch, and make the tree. */
static bool try_all(struct making *making, bool is_anew, struct br_err *err)
{
	bool is_good =
		br_mirror_lock(&making->mirror, &making->gits, is_anew, err) &&
		use_mirror(making, err);

	br_mirror_unlock(&making->mirror);
	return is_good &&
		br_tree_fill(making->tree, &making->gits, &making->found, err);
}

/*
 * What git says that is no known complaint may come of a damaged mirror: of that
 * there are more ways than messages. A new one tells.
 */
static bool make(struct making *making, struct br_err *err)
{
	struct br_err why = { 0 };
	bool is_made = try_all(making, false, &why);

	if (!is_made && why.code == BR_EPROTO) {
		br_found_done(&making->found);
		why = (struct br_err){ 0 };
		if (!br_tree_empty(making->tree, err))
			return false;
		is_made = try_all(making, true, &why);
	}
	if (is_made)
		is_made = add_extras(making, &why);
	if (!is_made)
		*err = why;
	return is_made;
}

/* Say what it was about; what nobody has a name for is not the job's fault. */
static bool explain(const struct making *making, struct br_err *err)
{
	br_autofree char *shown = br_checkout_show(making->options->repo);

	if (err->code == BR_EPROTO)
		err->code = BR_ESYSTEM;
	return br_wrap(err, "'%s'", shown);
}

static void hand_over(struct making *making, struct br_checkout *made)
{
	made->folder = br_strdup(making->tree->work);
	made->commit = br_strdup(making->found.commit);
	made->branch = br_take_ptr(&making->found.name);
	made->tree = br_take_ptr(&making->tree);
}

static void end(struct making *making)
{
	br_tree_free(making->tree);
	br_guard_stop(&making->guard);
	br_found_done(&making->found);
	br_mirror_close(&making->mirror);
	br_gits_done(&making->gits);
	br_repo_done(&making->repo);
	free(making->work_dir);
}

bool br_checkout_make(const struct br_checkout_options *options,
	struct br_checkout *made, struct br_err *err)
{
	struct making making = {
		.options = options,
		.guard = { .fd = -1 },
		.mirror = { .lock_fd = -1 },
	};
	bool is_begun = begin(&making, err);
	bool is_made =
		is_begun && (make(&making, err) || explain(&making, err));

	if (is_made)
		hand_over(&making, made);
	end(&making);
	return is_made;
}

void br_checkout_remove(struct br_checkout *made)
{
	br_tree_free(made->tree);
	free(made->folder);
	free(made->branch);
	free(made->commit);
	*made = (struct br_checkout){ 0 };
}

size_t br_checkout_sweep(const char *work_dir)
{
	return br_tree_sweep(work_dir);
}
