/* SPDX-License-Identifier: MIT */
#include "manifest/dotenv.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

struct scanner {
	struct br_str text;
	/* The next byte. */
	size_t at;
	/* The line that it is in, and where this begins. */
	unsigned line;
	size_t line_start;

	struct br_arena *arena;
	struct br_diags *diags;
	struct br_var *vars;
	size_t count;
	size_t capacity;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_at_end(const struct scanner *scanner)
{
	return scanner->at >= scanner->text.len;
}

/* The next byte; a line end where the text is over. */
static char peek(const struct scanner *scanner)
{
	if (is_at_end(scanner))
		return '\n';
	return scanner->text.data[scanner->at];
}

static void skip_blanks(struct scanner *scanner)
{
	while (is_blank(peek(scanner)))
		scanner->at++;
}

/* The rest of the line, without CR; it stays the next thing to be read. */
static struct br_str rest_of_line(const struct scanner *scanner)
{
	struct br_str rest = {
		.data = scanner->text.data + scanner->at,
		.len = scanner->text.len - scanner->at,
	};
	const char *end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL;

	if (end)
		rest.len = (size_t)(end - rest.data);
	if (rest.len > 0 && rest.data[rest.len - 1] == '\r')
		rest.len--;
	return rest;
}

/* Take one byte, and keep the number of the line. */
static char take(struct scanner *scanner)
{
	char c = scanner->text.data[scanner->at++];

	if (c == '\n') {
		scanner->line++;
		scanner->line_start = scanner->at;
	}
	return c;
}

static void skip_line(struct scanner *scanner)
{
	while (!is_at_end(scanner) && take(scanner) != '\n')
		;
}

static struct br_place place_of(const struct scanner *scanner)
{
	struct br_str before = {
		.data = scanner->text.data + scanner->line_start,
		.len = scanner->at - scanner->line_start,
	};

	return (struct br_place){
		.line = scanner->line,
		.column = (unsigned)br_lines_count_chars(before) + 1,
	};
}

static void fail(struct scanner *scanner, struct br_place place,
	const char *help, const char *text)
{
	br_diags_add(
		scanner->diags, BR_SEVERITY_ERROR, place, help, "%s", text);
}

static void add_var(struct scanner *scanner, struct br_place place,
	struct br_str name, struct br_str value)
{
	if (value.len > 0 && memchr(value.data, '\0', value.len)) {
		fail(scanner, place, NULL, "a value cannot have a NUL byte");
		return;
	}
	if (name.len + 1 + value.len > BR_LIMIT_ENV_ENTRY_BYTES) {
		br_diags_add(scanner->diags, BR_SEVERITY_ERROR, place,
			"no program can be given a longer one",
			"a variable of more than %d bytes",
			BR_LIMIT_ENV_ENTRY_BYTES);
		return;
	}
	scanner->vars = br_grow(scanner->vars, scanner->count,
		&scanner->capacity, sizeof(*scanner->vars));
	scanner->vars[scanner->count++] = (struct br_var){
		.name = br_arena_memdup(scanner->arena, name.data, name.len),
		.value = br_arena_memdup(scanner->arena, value.data, value.len),
		.place = place,
	};
}

/* Take what follows a backslash in double quotes. */
static void take_escape(struct scanner *scanner, struct br_buf *value)
{
	char next = peek(scanner);

	if (next == 'n')
		br_buf_add_char(value, '\n');
	else if (next == '"' || next == '\\')
		br_buf_add_char(value, next);
	else
		br_buf_add_char(value, '\\');
	if (next == 'n' || next == '"' || next == '\\')
		scanner->at++;
}

/* Take a value in quotes, over as many lines as it has. */
static bool take_quoted(struct scanner *scanner, struct br_buf *value)
{
	struct br_place opened = place_of(scanner);
	char quote = take(scanner);

	while (!is_at_end(scanner)) {
		char c = take(scanner);

		if (c == quote)
			return true;
		if (c == '\\' && quote == '"')
			take_escape(scanner, value);
		else
			br_buf_add_char(value, c);
	}
	br_diags_add(scanner->diags, BR_SEVERITY_ERROR, opened, NULL,
		"no closing %c for this quote", quote);
	return false;
}

/* After a closing quote there may be blanks, and then a comment. */
static bool check_rest(struct scanner *scanner)
{
	bool has_blank = is_blank(peek(scanner));

	skip_blanks(scanner);
	struct br_str rest = rest_of_line(scanner);
	if (rest.len == 0 || (has_blank && rest.data[0] == '#'))
		return true;
	fail(scanner, place_of(scanner), "put the whole value into the quotes",
		"text after the closing quote");
	return false;
}

static struct br_str trim_end(struct br_str text)
{
	while (text.len > 0 && is_blank(text.data[text.len - 1]))
		text.len--;
	return text;
}

/* Take the value that `name`, at `place`, is given. */
static void take_value(
	struct scanner *scanner, struct br_place place, struct br_str name)
{
	br_autobuf struct br_buf quoted = { 0 };
	struct br_str value = { 0 };

	skip_blanks(scanner);
	if (peek(scanner) != '"' && peek(scanner) != '\'') {
		value = trim_end(rest_of_line(scanner));
	} else {
		if (!take_quoted(scanner, &quoted) || !check_rest(scanner))
			return;
		value.data = br_buf_text(&quoted);
		value.len = quoted.len;
	}
	add_var(scanner, place, name, value);
}

static void skip_export(struct scanner *scanner)
{
	static const char word[] = "export";
	size_t len = sizeof(word) - 1;
	struct br_str rest = rest_of_line(scanner);

	if (rest.len <= len || memcmp(rest.data, word, len) != 0 ||
		!is_blank(rest.data[len]))
		return;
	scanner->at += len;
	skip_blanks(scanner);
}

static void report_name(
	struct scanner *scanner, struct br_place place, struct br_str name)
{
	if (name.len > 0 && is_blank(name.data[name.len - 1]))
		fail(scanner, place, NULL,
			"there must be no blank before the '='");
	else
		br_diags_add(scanner->diags, BR_SEVERITY_ERROR, place,
			"a name has letters, digits, '_', '.' and '-', and "
			"begins with a letter or '_'",
			"'%.*s' cannot be the name of a variable",
			(int)br_lines_skip_chars(name, 40), name.data);
}

/* Take what stands in a line after blanks at its start. */
static void take_line(struct scanner *scanner)
{
	struct br_str rest = rest_of_line(scanner);

	if (rest.len == 0 || rest.data[0] == '#')
		return;
	skip_export(scanner);
	rest = rest_of_line(scanner);

	struct br_place place = place_of(scanner);
	struct br_str name = rest;
	const char *equals = rest.len ? memchr(rest.data, '=', rest.len) : NULL;

	if (!equals) {
		fail(scanner, place, NULL, "this line is not NAME=VALUE");
		return;
	}
	name.len = (size_t)(equals - rest.data);
	if (!br_var_is_name(name)) {
		report_name(scanner, place, name);
		return;
	}
	scanner->at += name.len + 1;
	take_value(scanner, place, name);
}

void br_dotenv_parse(struct br_str text, struct br_arena *arena,
	struct br_vars *vars, struct br_diags *diags)
{
	struct scanner scanner = {
		.text = br_lines_skip_bom(text),
		.line = 1,
		.arena = arena,
		.diags = diags,
	};

	while (!is_at_end(&scanner)) {
		skip_blanks(&scanner);
		take_line(&scanner);
		skip_line(&scanner);
	}
	vars->count = scanner.count;
	vars->items =
		br_arena_array(arena, scanner.count, sizeof(*vars->items));
	if (scanner.count > 0)
		memcpy(vars->items, scanner.vars,
			scanner.count * sizeof(*vars->items));
	free(scanner.vars);
}
