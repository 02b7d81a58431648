/* SPDX-License-Identifier: MIT */
#include "base/quote.h"

#include <stdbool.h>
#include <string.h>

/* What no shell changes, wherever it stands in a word. */
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz"
			    "0123456789_@%+=:,./-";

static void add_quoted(const char *word, struct br_buf *text)
{
	br_buf_add_char(text, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			br_buf_add_text(text, "'\\''");
		else
			br_buf_add_char(text, *word);
	}
	br_buf_add_char(text, '\'');
}

void br_quote_word(const char *word, struct br_buf *text)
{
	bool is_plain = word[0] != '\0' && word[strspn(word, plain)] == '\0';

	if (is_plain)
		br_buf_add_text(text, word);
	else
		add_quoted(word, text);
}

void br_quote_argv(const char *const *argv, struct br_buf *text)
{
	for (size_t i = 0; argv[i]; i++) {
		if (i > 0)
			br_buf_add_char(text, ' ');
		if (i == 0 && strchr(argv[i], '='))
			add_quoted(argv[i], text);
		else
			br_quote_word(argv[i], text);
	}
}
