/* SPDX-License-Identifier: MIT */
/*
 * Whatever a dotenv file is: its variables, written again in double quotes, are
 * read as the same variables.
 */
#include <stdlib.h>
#include <string.h>

#include "manifest/dotenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct read {
	struct br_arena arena;
	struct br_vars vars;
	struct br_diags diags;
};

static void read_text(struct br_str text, struct read *read)
{
	br_autobuf struct br_buf shown = { 0 };

	br_diags_init(&read->diags, ".env", text);
	br_dotenv_parse(text, &read->arena, &read->vars, &read->diags);
	br_diags_format(&read->diags, &shown);
}

static void done(struct read *read)
{
	br_arena_done(&read->arena);
	br_diags_done(&read->diags);
}

static void write_var(const struct br_var *var, struct br_buf *text)
{
	br_buf_addf(text, "%s=\"", var->name);
	for (const char *at = var->value; *at; at++) {
		if (*at == '"' || *at == '\\')
			br_buf_add_char(text, '\\');
		br_buf_add_char(text, *at);
	}
	br_buf_add_text(text, "\"\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct br_str text = { .data = (const char *)data, .len = size };
	struct read first = { 0 };
	struct read second = { 0 };
	br_autobuf struct br_buf again = { 0 };

	read_text(text, &first);
	for (size_t i = 0; i < first.vars.count; i++)
		write_var(&first.vars.items[i], &again);
	read_text(br_buf_str(&again), &second);
	if (second.diags.count > 0 || second.vars.count != first.vars.count)
		abort();
	for (size_t i = 0; i < first.vars.count; i++)
		if (strcmp(first.vars.items[i].name,
			    second.vars.items[i].name) != 0 ||
			strcmp(first.vars.items[i].value,
				second.vars.items[i].value) != 0)
			abort();
	done(&first);
	done(&second);
	return 0;
}
