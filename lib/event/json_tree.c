/* SPDX-License-Identifier: MIT */
#include "event/json_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/json_text.h"
#include "base/utf8.h"

static bool fail_syntax(struct br_err *err)
{
	return br_fail(err, BR_EINPUT, "not a JSON object");
}

/* What cJSON skips between values is any byte up to 32. */
static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20;
}

/* Copy one escape; `\u0000` becomes the mark. Gives how much was read. */
static size_t copy_escape(const char *at, size_t len, struct br_buf *copy)
{
	static const char nul[] = "\\u0000";
	size_t nul_len = sizeof(nul) - 1;

	if (len >= nul_len && memcmp(at, nul, nul_len) == 0) {
		br_buf_add_char(copy, (char)BR_JSON_NUL);
		return nul_len;
	}

	size_t n = len < 2 ? len : 2;
	br_buf_add(copy, at, n);
	return n;
}

/*
 * Copy UTF-8 text for cJSON. Fails for the control characters that it would
 * take: all inside a string, most outside.
 */
static bool copy_marked(
	struct br_str text, struct br_buf *copy, struct br_err *err)
{
	bool is_inside = false;
	size_t i = 0;

	while (i < text.len) {
		/* Most of a long text is such, and needs no look at each byte. */
		size_t plain = br_json_plain_len(text.data + i, text.len - i);

		br_buf_add(copy, text.data + i, plain);
		i += plain;
		if (i == text.len)
			break;

		char c = text.data[i];

		if (is_control(c) && (is_inside || !is_space(c)))
			return fail_syntax(err);
		if (is_inside && c == '\\') {
			i += copy_escape(text.data + i, text.len - i, copy);
			continue;
		}
		if (c == '"')
			is_inside = !is_inside;
		br_buf_add_char(copy, c);
		i++;
	}
	return true;
}

/* cJSON would skip a byte order mark, and takes any value. */
static bool starts_object(struct br_str text)
{
	size_t i = 0;

	while (i < text.len && is_space(text.data[i]))
		i++;
	return i < text.len && text.data[i] == '{';
}

bool br_json_tree_parse(struct br_str text, cJSON **tree, struct br_err *err)
{
	br_autobuf struct br_buf copy = { 0 };

	if (!br_utf8_is_valid(text.data, text.len))
		return br_fail(err, BR_EINPUT, "JSON that is not UTF-8");
	if (!starts_object(text))
		return fail_syntax(err);
	if (!copy_marked(text, &copy, err))
		return false;

	/* To be strict about the end, it wants the NUL to be counted. */
	cJSON *parsed =
		cJSON_ParseWithLengthOpts(copy.data, copy.len + 1, NULL, true);

	if (!parsed)
		return fail_syntax(err);
	*tree = parsed;
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool br_json_tree_check_keys(const cJSON *object, struct br_err *err)
{
	size_t count = 0;
	size_t i = 0;

	for (const cJSON *item = object->child; item; item = item->next)
		count++;

	br_autofree const char **keys = br_alloc_array(count, sizeof(*keys));

	for (const cJSON *item = object->child; item; item = item->next)
		keys[i++] = item->string;
	qsort(keys, count, sizeof(*keys), compare_texts);
	for (i = 1; i < count; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return br_fail(err, BR_EINPUT, "a key is there twice");
	return true;
}

bool br_json_tree_is_text(const cJSON *item)
{
	return cJSON_IsString(item) && !strchr(item->valuestring, BR_JSON_NUL);
}

bool br_json_tree_is_int(const cJSON *item, int64_t min, int64_t max)
{
	if (!cJSON_IsNumber(item) || item->valuedouble < (double)min ||
		item->valuedouble > (double)max)
		return false;
	return (double)(int64_t)item->valuedouble == item->valuedouble;
}
