/* SPDX-License-Identifier: MIT */
#include "manifest/diag_json.h"

#include <string.h>

#include "base/json_text.h"

static void add_member(struct br_buf *text, const char *name, const char *value)
{
	br_buf_addf(text, ",\"%s\":", name);
	br_json_add_string(text, br_str(value));
}

static void add_item(struct br_buf *text, const struct br_diag *diag)
{
	bool is_error = diag->severity == BR_SEVERITY_ERROR;

	br_buf_addf(
		text, "{\"severity\":\"%s\"", is_error ? "error" : "warning");
	if (diag->place.line > 0)
		br_buf_addf(text, ",\"line\":%u,\"column\":%u",
			diag->place.line, diag->place.column);
	add_member(text, "text", diag->text);
	if (diag->help)
		add_member(text, "help", diag->help);
	br_buf_add_char(text, '}');
}

void br_diags_format_json(const struct br_diags *diags, struct br_buf *text)
{
	br_buf_add_text(text, "{\"v\":1");
	add_member(text, "file", diags->file ? diags->file : "");
	br_buf_addf(
		text, ",\"errors\":%zu,\"diagnostics\":[", diags->error_count);
	for (size_t i = 0; i < diags->count; i++) {
		if (i > 0)
			br_buf_add_char(text, ',');
		add_item(text, &diags->items[i]);
	}
	br_buf_add_text(text, "]}\n");
}
