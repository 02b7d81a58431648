/* SPDX-License-Identifier: MIT */
/*
 * print_events - what the code knows of events, for test_schema.py.
 *
 *	print_events table	the descriptor table and the names, as JSON
 *	print_events samples	an event of every type, as JSON lines
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/json.h"
#include "unit/event_samples.h"

static const char *kind_name(enum br_field_kind kind)
{
	switch (kind) {
	case BR_FIELD_STRING:
		return "string";
	case BR_FIELD_INT:
		return "int";
	case BR_FIELD_COUNT:
		return "count";
	case BR_FIELD_SECONDS:
		return "seconds";
	case BR_FIELD_STREAM:
		return "stream";
	case BR_FIELD_LEVEL:
		return "level";
	case BR_FIELD_RESULT:
		return "result";
	case BR_FIELD_REASON:
		return "reason";
	case BR_FIELD_BYTES:
		return "bytes";
	case BR_FIELD_NAMES:
		return "names";
	case BR_FIELD_HOST:
		return "host";
	case BR_FIELD_RESULTS:
		return "results";
	}
	return "?";
}

static void print_desc(const struct br_event_desc *desc)
{
	(void)printf("\"%s\":[", desc->name);
	for (size_t i = 0; i < desc->field_count; i++)
		(void)printf(
			"%s{\"name\":\"%s\",\"kind\":\"%s\",\"optional\":%s}",
			i ? "," : "", desc->fields[i].name,
			kind_name(desc->fields[i].kind),
			desc->fields[i].is_optional ? "true" : "false");
	(void)printf("]");
}

static void print_table(void)
{
	(void)printf("{\"types\":{");
	for (size_t i = 0; i < BR_EVENT_TYPES; i++) {
		(void)printf("%s", i ? "," : "");
		print_desc(&br_event_descs[i]);
	}
	(void)printf("},\"stream\":[\"%s\",\"%s\"]",
		br_stream_name(BR_STREAM_STDOUT),
		br_stream_name(BR_STREAM_STDERR));
	(void)printf(",\"level\":[");
	for (int i = BR_LEVEL_INFO; i <= BR_LEVEL_ERROR; i++)
		(void)printf("%s\"%s\"", i ? "," : "",
			br_level_name((enum br_level)i));
	(void)printf("],\"result\":[");
	for (int i = BR_RESULT_PASS; i <= BR_RESULT_SKIPPED; i++)
		(void)printf("%s\"%s\"", i ? "," : "",
			br_result_name((enum br_result)i));
	(void)printf("],\"reason\":[");
	for (int i = BR_REASON_STATUS; i <= BR_REASON_TRIES; i++)
		(void)printf("%s\"%s\"", i > BR_REASON_STATUS ? "," : "",
			br_reason_name((enum br_reason)i));
	(void)printf("]}\n");
}

static void print_samples(void)
{
	for (size_t i = 0; i < event_sample_count(); i++) {
		br_autobuf struct br_buf line = { 0 };

		br_event_format(event_sample_get(i), &line);
		(void)fwrite(line.data, 1, line.len, stdout);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "table") == 0)
		print_table();
	else if (argc == 2 && strcmp(argv[1], "samples") == 0)
		print_samples();
	else
		return EXIT_FAILURE;
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
