/* SPDX-License-Identifier: MIT */
/*
 * json_tree.h - strict JSON through cJSON, which alone is not.
 *
 * cJSON takes control characters and bytes that are not UTF-8 inside strings,
 * lets a NUL end a string, and finds the first of two equal keys, in any case.
 * Here all of that is refused or kept apart. As `\u0000` cannot stand in a C
 * string, the tree has the byte BR_JSON_NUL in its place, which no UTF-8 has.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* What stands for U+0000 in the strings and keys of a tree. */
enum { BR_JSON_NUL = 0xff };

/* Integers up to here are exact in the doubles that cJSON keeps. */
#define BR_JSON_INT_MAX ((INT64_C(1) << 53) - 1)

/*
 * Read one JSON object with only white space around it.
 *
 * Ownership: the caller frees *tree with cJSON_Delete(). Limits: the caller caps
 * the length. Fails with BR_EINPUT where it is anything else.
 */
bool br_json_tree_parse(
	struct br_str text, cJSON **tree, struct br_err *err) BR_MUST_CHECK;

/* Fails with BR_EINPUT where `object` has a key twice. */
bool br_json_tree_check_keys(
	const cJSON *object, struct br_err *err) BR_MUST_CHECK;

/* Say whether `item` is a string without a NUL in it. */
bool br_json_tree_is_text(const cJSON *item);

/* Say whether `item` is a whole number within min and max. */
bool br_json_tree_is_int(const cJSON *item, int64_t min, int64_t max);
