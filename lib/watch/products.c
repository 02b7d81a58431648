/* SPDX-License-Identifier: MIT */
#include "watch/products.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"

/* Give what is kept of `path`. Ownership: borrowed until the next call. */
static struct br_product *get(struct br_products *products, const char *path)
{
	size_t count = products->index.paths.count;
	size_t number = br_path_index_put(&products->index, path);

	if (number == count) {
		products->items = br_grow(products->items, count,
			&products->capacity, sizeof(*products->items));
		products->items[number] = (struct br_product){ 0 };
	}
	return &products->items[number];
}

/* The folder that a file is in, as `path/`; "./" for the top. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? br_memdup(path, (size_t)(slash - path) + 1)
		     : br_strdup("./");
}

static bool is_in_product(const struct br_products *products, const char *path)
{
	br_autofree char *folder = folder_of(path);
	size_t number = 0;

	return br_path_index_find(&products->index, folder, &number) &&
		products->items[number].is_product;
}

/* So much has been changed that nobody can learn anything from it. */
static void limit(struct br_products *products)
{
	if (products->index.paths.count > BR_LIMIT_WATCH_PATHS)
		br_products_done(products);
}

static void stamp_of(const char *top, const char *path, struct br_stamp *stamp)
{
	br_autofree char *whole = br_path_join(top, path);

	br_stamp_take(whole, stamp);
}

void br_products_note(struct br_products *products, const char *top,
	const struct br_batch *batch)
{
	products->chain = 0;
	for (size_t i = 0; i < batch->index.paths.count; i++) {
		const char *path = batch->index.paths.items[i];
		struct br_product *product = get(products, path);

		*product = (struct br_product){ .has_stamp = true };
		stamp_of(top, path, &product->stamp);
	}
	limit(products);
}

/* What is done with a file that was written to while a build ran. */
enum fate {
	FATE_NOTHING,
	FATE_PRODUCT_FOUND,
	FATE_BUILD,
};

static enum fate judge(struct br_products *products, const char *top,
	const char *path, bool is_made)
{
	struct br_stamp stamp;

	stamp_of(top, path, &stamp);
	size_t number = 0;
	bool is_known = br_path_index_find(&products->index, path, &number);

	/* Made and removed again. */
	if (!is_known && is_made && !stamp.is_there)
		return FATE_NOTHING;
	bool is_product = !is_known && is_in_product(products, path);
	struct br_product *product = get(products, path);
	bool is_same =
		product->has_stamp && br_stamp_equal(&product->stamp, &stamp);
	bool is_suspect = product->is_suspect;

	product->is_product |= is_product;
	product->has_stamp = true;
	product->stamp = stamp;
	product->is_suspect = false;
	if (product->is_product)
		return FATE_NOTHING;
	if (!is_same) {
		product->is_suspect = true;
		return FATE_BUILD;
	}
	product->is_product = is_suspect;
	return is_suspect ? FATE_PRODUCT_FOUND : FATE_NOTHING;
}

/* Builds that start each other for ever are ended by this. */
static void end_chain(struct br_products *products, struct br_batch *batch,
	const bool *is_new, struct br_paths *found)
{
	struct br_path_index told = { 0 };

	for (size_t i = 0; i < batch->index.paths.count; i++) {
		const char *path = batch->index.paths.items[i];
		br_autofree char *folder = folder_of(path);

		get(products, path)->is_product = true;
		if (is_new[i])
			get(products, folder)->is_product = true;
		(void)br_path_index_put(&told, is_new[i] ? folder : path);
	}
	for (size_t i = 0; i < told.paths.count; i++)
		br_paths_add(found, told.paths.items[i]);
	products->is_more |= batch->is_lost;
	products->chain = 0;
	br_path_index_done(&told);
	br_batch_done(batch);
}

/* Keep in `is_new` only what belongs to the paths that are kept. */
static void drop_both(
	struct br_batch *batch, bool *is_new, const bool *is_dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->index.paths.count; i++)
		if (!is_dropped[i])
			is_new[kept++] = is_new[i];
	br_batch_drop(batch, is_dropped);
}

void br_products_judge(struct br_products *products, const char *top,
	struct br_batch *batch, struct br_paths *found)
{
	size_t count = batch->index.paths.count;
	br_autofree bool *is_new = br_alloc_array(count, sizeof(bool));
	br_autofree bool *is_dropped = br_alloc_array(count, sizeof(bool));

	for (size_t i = 0; i < count; i++) {
		const char *path = batch->index.paths.items[i];
		size_t number = 0;

		is_new[i] = batch->is_made[i] &&
			!br_path_index_find(&products->index, path, &number);
		enum fate fate = judge(products, top, path, batch->is_made[i]);
		is_dropped[i] = fate != FATE_BUILD;
		if (fate == FATE_PRODUCT_FOUND)
			br_paths_add(found, path);
	}
	drop_both(batch, is_new, is_dropped);
	batch->is_lost = batch->is_lost && !products->is_more;
	if (br_batch_is_empty(batch))
		products->chain = 0;
	else if (products->chain++ >= BR_PRODUCTS_CHAIN)
		end_chain(products, batch, is_new, found);
	limit(products);
}

void br_products_done(struct br_products *products)
{
	br_path_index_done(&products->index);
	free(products->items);
	*products = (struct br_products){ 0 };
}
