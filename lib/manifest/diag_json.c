/* SPDX-License-Identifier: MIT */
#include "manifest/diag_json.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/utf8.h"

/* A quoted piece of the file need not be UTF-8, JSON has to be. */
static void add_text(cJSON *object, const char *name, const char *text)
{
	br_autobuf struct br_buf clean = { 0 };
	size_t len = strlen(text);

	while (len > 0) {
		size_t valid_len = br_utf8_valid_len(text, len);

		br_buf_add(&clean, text, valid_len);
		text += valid_len;
		len -= valid_len;
		if (len > 0) {
			br_buf_add_text(&clean, "\xef\xbf\xbd");
			text++;
			len--;
		}
	}
	(void)cJSON_AddStringToObject(object, name, br_buf_text(&clean));
}

static cJSON *make_item(const struct br_diag *diag)
{
	cJSON *item = cJSON_CreateObject();

	add_text(item, "severity",
		diag->severity == BR_SEVERITY_ERROR ? "error" : "warning");
	if (diag->place.line > 0) {
		(void)cJSON_AddNumberToObject(item, "line", diag->place.line);
		(void)cJSON_AddNumberToObject(
			item, "column", diag->place.column);
	}
	add_text(item, "text", diag->text);
	if (diag->help)
		add_text(item, "help", diag->help);
	return item;
}

void br_diags_format_json(const struct br_diags *diags, struct br_buf *text)
{
	cJSON *object = cJSON_CreateObject();

	(void)cJSON_AddNumberToObject(object, "v", 1);
	add_text(object, "file", diags->file ? diags->file : "");
	(void)cJSON_AddNumberToObject(
		object, "errors", (double)diags->error_count);

	cJSON *items = cJSON_AddArrayToObject(object, "diagnostics");
	for (size_t i = 0; i < diags->count; i++)
		(void)cJSON_AddItemToArray(items, make_item(&diags->items[i]));

	char *printed = cJSON_PrintUnformatted(object);
	br_buf_addf(text, "%s\n", printed);
	free(printed);
	cJSON_Delete(object);
}
