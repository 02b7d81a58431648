/* SPDX-License-Identifier: MIT */
/*
 * json.h - reads the engine's and docker's JSON.
 *
 * Reading is forgiving about what is there and strict about how: a member that is
 * missing or of another type reads as empty, while text that is not exactly one
 * JSON value is an error. Names are compared with their case.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/str.h"

/* A value, as cJSON has it. */
struct cJSON;

/*
 * Parse `text`, which must be one JSON value and nothing else.
 *
 * Ownership: the caller frees *value with br_json_free(). Fails with BR_EPROTO.
 */
bool br_json_parse(struct br_str text, struct cJSON **value,
	struct br_err *err) BR_MUST_CHECK;

/* Free a parsed value, which may be NULL. */
void br_json_free(struct cJSON *value);

static inline void br_json_clean(struct cJSON **slot)
{
	br_json_free(*slot);
}

/* `br_autojson struct cJSON *value = NULL;` is freed at the end of its scope. */
#define br_autojson __attribute__((cleanup(br_json_clean)))

/*
 * Find a member of an object; NULL where `value` is NULL, is no object, or has no
 * such member. Borrowed from `value`.
 */
const struct cJSON *br_json_find(const struct cJSON *value, const char *name);

/* Give the text of a string; "" for anything else. Borrowed from `value`. */
const char *br_json_text(const struct cJSON *value) BR_NONNULL_RESULT;

/* Give the text of the member `name`, like br_json_text(). */
const char *br_json_find_text(
	const struct cJSON *value, const char *name) BR_NONNULL_RESULT;

/* Give a number without its fraction; `otherwise` for anything else. */
int64_t br_json_int(const struct cJSON *value, int64_t otherwise);

/* Say whether `value` is `true`. */
bool br_json_is_true(const struct cJSON *value);

/*
 * Give the first element of an array or member of an object, or NULL; then, with
 * br_json_next(), the others. Borrowed.
 */
const struct cJSON *br_json_first(const struct cJSON *value);

/* Give the element after `value`, or NULL. Borrowed. */
const struct cJSON *br_json_next(const struct cJSON *value);

/* Give a member's name; "" for what is no member. Borrowed. */
const char *br_json_name(const struct cJSON *value) BR_NONNULL_RESULT;

/* Say whether `value` is a string. */
bool br_json_is_text(const struct cJSON *value);

/* Say whether `value` is an array. */
bool br_json_is_array(const struct cJSON *value);

/* Say whether `value` is an object. */
bool br_json_is_object(const struct cJSON *value);

/* Add `value` to `json`, as JSON without blanks; NULL as `null`. */
void br_json_add_value(struct br_buf *json, const struct cJSON *value);
