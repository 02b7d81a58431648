/* SPDX-License-Identifier: MIT */
#include "plan/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

static int compare_names(const void *a, const void *b)
{
	const struct br_secret *left = a;
	const struct br_secret *right = b;

	return strcmp(left->name, right->name);
}

void br_secrets_init(struct br_secrets *secrets, const struct br_texts *names,
	struct br_arena *arena)
{
	*secrets = (struct br_secrets){
		.items = br_arena_array(
			arena, names->count, sizeof(*secrets->items)),
		.count = names->count,
	};
	for (size_t i = 0; i < names->count; i++) {
		secrets->items[i].name = names->items[i].text;
		secrets->items[i].place = names->items[i].place;
	}
	if (secrets->count > 0)
		qsort(secrets->items, secrets->count, sizeof(*secrets->items),
			compare_names);
}

void br_secrets_done(struct br_secrets *secrets)
{
	free(secrets->values);
	*secrets = (struct br_secrets){ 0 };
}

struct br_secret *br_secrets_find(
	const struct br_secrets *secrets, const char *name)
{
	const struct br_secret key = { .name = name };

	if (secrets->count == 0)
		return NULL;
	return bsearch(&key, secrets->items, secrets->count,
		sizeof(*secrets->items), compare_names);
}

void br_secrets_add(
	struct br_secrets *secrets, struct br_secret *secret, const char *value)
{
	size_t len = strlen(value);

	if (len > BR_LIMIT_SECRET_BYTES)
		secret->is_too_long = true;
	if (len == 0 || secret->is_too_long)
		return;
	secrets->values = br_grow(secrets->values, secrets->value_count,
		&secrets->value_capacity, sizeof(*secrets->values));
	secrets->values[secrets->value_count++] =
		(struct br_str){ .data = value, .len = len };
}

void br_secrets_check(struct br_secrets *secrets, struct br_diags *diags)
{
	for (size_t i = 0; i < secrets->count; i++) {
		const struct br_secret *secret = &secrets->items[i];

		if (secret->is_too_long)
			br_diags_add(diags, BR_SEVERITY_ERROR, secret->place,
				NULL,
				"the value of the secret '%s' has more than "
				"%d bytes",
				secret->name, BR_LIMIT_SECRET_BYTES);
		if (!secret->is_mentioned)
			br_diags_add(diags, BR_SEVERITY_ERROR, secret->place,
				"name it in 'vars' or in a stage's "
				"'environment' to pass the caller's value",
				"no variable '%s' is defined that could be a "
				"secret",
				secret->name);
	}
}

static int compare_values(const void *a, const void *b)
{
	const struct br_str *left = a;
	const struct br_str *right = b;

	if (left->len != right->len)
		return left->len > right->len ? -1 : 1;
	return memcmp(left->data, right->data, left->len);
}

void br_secrets_list(struct br_secrets *secrets, struct br_arena *arena,
	struct br_str **values, size_t *count)
{
	size_t kept = 0;

	*values = br_arena_array(arena, secrets->value_count, sizeof(**values));
	if (secrets->value_count > 0)
		qsort(secrets->values, secrets->value_count,
			sizeof(*secrets->values), compare_values);
	for (size_t i = 0; i < secrets->value_count; i++) {
		struct br_str value = secrets->values[i];

		if (kept > 0 && br_str_equal(value, (*values)[kept - 1]))
			continue;
		(*values)[kept++] = (struct br_str){
			.data = br_arena_memdup(arena, value.data, value.len),
			.len = value.len,
		};
	}
	*count = kept;
}
