/* SPDX-License-Identifier: MIT */
#include "manifest/encoding.h"

#include "base/limits.h"
#include "base/utf8.h"

/* Count lines and characters up to the byte at `offset`. */
static struct br_place place_at(struct br_str text, size_t offset)
{
	struct br_place place = { .line = 1, .column = 1 };
	size_t line_start = 0;

	for (size_t i = 0; i < offset; i++) {
		if (text.data[i] != '\n')
			continue;
		place.line++;
		line_start = i + 1;
	}
	struct br_str before = {
		.data = text.data + line_start,
		.len = offset - line_start,
	};
	place.column += (unsigned)br_lines_count_chars(before);
	return place;
}

/* UTF-16 begins with its mark, or with ASCII whose other half is NUL. */
static bool is_utf16(struct br_str text)
{
	if (text.len < 2)
		return false;
	if (!memcmp(text.data, "\xff\xfe", 2) ||
		!memcmp(text.data, "\xfe\xff", 2))
		return true;
	return text.len >= 4 &&
		((!text.data[0] && text.data[1] && !text.data[2] &&
			 text.data[3]) ||
			(text.data[0] && !text.data[1] && text.data[2] &&
				!text.data[3]));
}

/* ASCII that YAML forbids, and CR without LF. */
static bool is_refused_ascii(struct br_str text, size_t at)
{
	unsigned char byte = (unsigned char)text.data[at];

	if (byte == '\r')
		return at + 1 == text.len || text.data[at + 1] != '\n';
	return byte == 0x7f || (byte < 0x20 && byte != '\t' && byte != '\n');
}

/* The code point of the two- or three-byte character `at`, else 0. */
static unsigned code_point(const unsigned char *at)
{
	if (at[0] < 0xe0)
		return (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU);
	if (at[0] < 0xf0)
		return (at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 |
			(at[2] & 0x3fU);
	return 0;
}

/* C1 controls, Unicode's line ends, and what is no character. */
static bool is_refused_code_point(unsigned code)
{
	return (code >= 0x80 && code <= 0x9f) || code == 0x2028 ||
		code == 0x2029 || code == 0xfffe || code == 0xffff;
}

/* Find the first byte of a refused character; `text` is UTF-8. */
static size_t find_refused(struct br_str text, unsigned *code)
{
	const unsigned char *bytes = (const unsigned char *)text.data;

	for (size_t i = 0; i < text.len; i++) {
		if (bytes[i] < 0x80) {
			*code = bytes[i];
			if (is_refused_ascii(text, i))
				return i;
		} else if (bytes[i] >= 0xc2) {
			*code = code_point(bytes + i);
			if (is_refused_code_point(*code))
				return i;
		}
	}
	return text.len;
}

static void report_refused(
	struct br_diags *diags, struct br_place place, unsigned code)
{
	if (code == '\r')
		br_diags_add(diags, BR_SEVERITY_ERROR, place,
			"end lines with LF or CR LF",
			"a carriage return without a line feed");
	else if (code < 0x100)
		br_diags_add(diags, BR_SEVERITY_ERROR, place,
			"in double quotes it can be written as an escape",
			"control character U+%04X (as an escape: \\x%02X)",
			code, code);
	else
		br_diags_add(diags, BR_SEVERITY_ERROR, place,
			"in double quotes it can be written as an escape",
			"character U+%04X cannot stand in YAML (as an escape: "
			"\\u%04X)",
			code, code);
}

/*
 * libyaml looks at each %TAG for every other one: a megabyte of them would take
 * seconds. No manifest needs any.
 */
static bool check_directives(struct br_str text, struct br_diags *diags)
{
	struct br_lines lines = { .text = text };
	unsigned count = 0;

	for (unsigned line = 1; br_lines_offset(&lines, line) < text.len;
		line++) {
		count += text.data[br_lines_offset(&lines, line)] == '%';
		if (count <= BR_LIMIT_MANIFEST_DIRECTIVES)
			continue;
		br_diags_add(diags, BR_SEVERITY_ERROR,
			(struct br_place){ .line = line, .column = 1 }, NULL,
			"more than %d lines that begin with '%%'",
			BR_LIMIT_MANIFEST_DIRECTIVES);
		return false;
	}
	return true;
}

bool br_encoding_check(struct br_str text, struct br_diags *diags)
{
	struct br_place top = { .line = 1, .column = 1 };
	unsigned code = 0;

	if (is_utf16(text)) {
		br_diags_add(diags, BR_SEVERITY_ERROR, top,
			"save the file as UTF-8", "the file is UTF-16");
		return false;
	}
	const char *nul = memchr(text.data, '\0', text.len);
	if (nul) {
		br_diags_add(diags, BR_SEVERITY_ERROR,
			place_at(text, (size_t)(nul - text.data)), NULL,
			"the file is binary: it has a NUL byte");
		return false;
	}

	size_t valid_len = br_utf8_valid_len(text.data, text.len);
	struct br_str valid = { .data = text.data, .len = valid_len };
	size_t refused = find_refused(valid, &code);

	if (refused < valid_len) {
		report_refused(diags, place_at(text, refused), code);
		return false;
	}
	if (valid_len < text.len) {
		br_diags_add(diags, BR_SEVERITY_ERROR,
			place_at(text, valid_len), "save the file as UTF-8",
			"byte 0x%02X is not UTF-8",
			(unsigned char)text.data[valid_len]);
		return false;
	}
	return check_directives(text, diags);
}
