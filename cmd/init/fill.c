/* SPDX-License-Identifier: MIT */
#include "cmd/init/fill.h"

#include <assert.h>
#include <string.h>

#include "base/clean.h"
#include "cmd/init/details.h"
#include "cmd/texts.h"

#define BESIDE "@beside@\n"

/* The name in the `@name@` at `text`; of no length where there is none. */
static struct br_str name_at(const char *text)
{
	size_t len = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz");

	return (struct br_str){ text + 1, text[1 + len] == '@' ? len : 0 };
}

static const char *value_of(const struct details *details, struct br_str name)
{
	char text[32] = "";

	assert(name.len < sizeof(text));
	memcpy(text, name.data, name.len);
	return details_find(details, text);
}

static void fill_line(
	const struct details *details, struct br_str line, struct br_buf *out)
{
	for (size_t i = 0; i < line.len; i++) {
		const char *at = line.data + i;
		struct br_str name = { 0 };

		if (*at == '@')
			name = name_at(at);
		if (name.len > 0) {
			br_buf_add_text(out, value_of(details, name));
			i += name.len + 1;
		} else {
			br_buf_add_char(out, *at);
		}
	}
}

/* `@if name@` */
static bool is_condition(struct br_str line, struct br_str *name)
{
	size_t len = strlen("@if ");

	if (line.len <= len || memcmp(line.data, "@if ", len) != 0)
		return false;
	*name = (struct br_str){ line.data + len,
		strcspn(line.data + len, "@") };
	return true;
}

/* Fill in the text from `text` to `end`. */
static void fill(const struct details *details, const char *text,
	const char *end, struct br_buf *out)
{
	bool is_left_out = false;

	while (text < end) {
		struct br_str line = { text, strcspn(text, "\n") };
		struct br_str name = { 0 };

		if (is_condition(line, &name)) {
			is_left_out = value_of(details, name)[0] == '\0';
		} else if (br_str_is(line, "@end@")) {
			is_left_out = false;
		} else if (!is_left_out) {
			fill_line(details, line, out);
			br_buf_add_char(out, '\n');
		}
		text += line.len + 1;
	}
}

/* One kind's part: the whole manifest, or the stage beside those of another kind. */
static void fill_kind(const char *folder, const struct kind *kind,
	const char *more, bool is_beside, struct br_buf *out,
	struct br_buf *notes)
{
	const struct text *template =
		text_find(templates, TEMPLATES, kind->name);
	struct details details = { .folder = folder };

	assert(template);

	const char *beside = strstr(template->content, BESIDE);
	const char *behind = beside + strlen(BESIDE);

	assert(beside);
	details_add(&details, "more", more);
	if (kind->look)
		kind->look(&details);
	if (is_beside)
		fill(&details, behind, behind + strlen(behind), out);
	else
		fill(&details, template->content, beside, out);
	br_buf_add_text(notes, br_buf_text(&details.notes));
	details_done(&details);
}

void fill_manifest(const char *folder, const struct kind *const *found,
	size_t count, struct br_buf *manifest, struct br_buf *notes)
{
	br_autobuf struct br_buf more = { 0 };

	for (size_t i = 1; i < count; i++)
		br_buf_addf(
			&more, "%s  - %s", i > 1 ? "\n" : "", found[i]->name);
	br_buf_add_text(manifest,
		"# The build of this project. buildr.yml(5) has every key; "
		"'buildr check' finds mistakes,\n# 'buildr plan' shows what "
		"would run, and 'buildr' runs it.\n");
	fill_kind(folder, found[0], br_buf_text(&more), false, manifest, notes);
	for (size_t i = 1; i < count; i++) {
		br_buf_add_char(manifest, '\n');
		fill_kind(folder, found[i], "", true, manifest, notes);
	}
}
