/* SPDX-License-Identifier: MIT */
#include "engine/json.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"

bool br_json_parse(struct br_str text, struct cJSON **value, struct br_err *err)
{
	/* cJSON takes a NUL for the end, and wants it counted to see the rest. */
	if (text.len == 0 || memchr(text.data, '\0', text.len))
		return br_fail(err, BR_EPROTO, "not JSON");

	br_autofree char *copy = br_memdup(text.data, text.len);
	cJSON *parsed =
		cJSON_ParseWithLengthOpts(copy, text.len + 1, NULL, true);
	if (!parsed)
		return br_fail(err, BR_EPROTO, "not JSON");
	*value = parsed;
	return true;
}

void br_json_free(struct cJSON *value)
{
	cJSON_Delete(value);
}

const struct cJSON *br_json_find(const struct cJSON *value, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(value, name);
}

const char *br_json_text(const struct cJSON *value)
{
	return cJSON_IsString(value) ? value->valuestring : "";
}

const char *br_json_find_text(const struct cJSON *value, const char *name)
{
	return br_json_text(br_json_find(value, name));
}

int64_t br_json_int(const struct cJSON *value, int64_t otherwise)
{
	/* Doubles are exact up to 2^53; more is no count of anything here. */
	static const double max = 9007199254740992.0;

	if (!cJSON_IsNumber(value) || !(value->valuedouble >= -max) ||
		!(value->valuedouble <= max))
		return otherwise;
	return (int64_t)value->valuedouble;
}

bool br_json_is_true(const struct cJSON *value)
{
	return cJSON_IsTrue(value);
}

const struct cJSON *br_json_first(const struct cJSON *value)
{
	return value ? value->child : NULL;
}

const struct cJSON *br_json_next(const struct cJSON *value)
{
	return value->next;
}

const char *br_json_name(const struct cJSON *value)
{
	return value && value->string ? value->string : "";
}

bool br_json_is_text(const struct cJSON *value)
{
	return cJSON_IsString(value);
}

bool br_json_is_array(const struct cJSON *value)
{
	return cJSON_IsArray(value);
}

bool br_json_is_object(const struct cJSON *value)
{
	return cJSON_IsObject(value);
}

void br_json_add_value(struct br_buf *json, const struct cJSON *value)
{
	char *printed = value ? cJSON_PrintUnformatted(value) : NULL;

	if (value && !printed)
		br_out_of_memory();
	br_buf_add_text(json, printed ? printed : "null");
	cJSON_free(printed);
}
