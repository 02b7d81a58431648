/* SPDX-License-Identifier: MIT */
/*
 * The engine's answers that are one piece of JSON, and the labels in them. The first
 * byte picks which the rest is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/utf8.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

/* What is shown of an engine's words is one line. */
static bool is_line(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* NULL, or with something in it that was in the answer. */
static void expect_list(char *const *list)
{
	size_t len = 0;

	expect(!list || list[0]);
	for (size_t i = 0; list && list[i]; i++)
		len += strlen(list[i]);
	expect(len <= BR_LIMIT_ENGINE_ANSWER_BYTES);
}

static void expect_image(const struct br_image *image)
{
	expect(image->user && image->architecture && image->workdir);
	expect(strchr(image->id, ':') && image->digest[0] != '\0');
	expect_list(image->entrypoint);
	expect_list(image->command);
	expect_list(image->health_command);
	expect(image->health_interval_ms >= 0);
	expect(image->health_command || image->health_interval_ms == 0);
}

/* Podman's own words. */
static void read_health(struct br_str text)
{
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	if (br_image_parse_health(text, &image, &err))
		expect_list(image.health_command);
	else
		expect(err.code == BR_EPROTO && is_line(err.text));
	br_image_done(&image);
}

static void read_image(struct br_str text)
{
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	if (br_image_parse(text, "docker.io/library/img", &image, &err))
		expect_image(&image);
	else
		expect(err.code == BR_EPROTO && is_line(err.text));
	br_image_done(&image);
	read_health(text);
}

static void read_state(struct br_str text)
{
	struct br_container_state state = { 0 };
	struct br_err err = { 0 };

	if (br_container_state_parse(text, &state, &err))
		expect(state.exists && is_line(state.error));
	else
		expect(err.code == BR_EPROTO && is_line(err.text));
}

/* It becomes part of a path. */
static void read_id(struct br_str text)
{
	br_autofree char *id = NULL;
	struct br_err err = { 0 };

	if (br_container_id_parse(text, &id, &err))
		expect(id[0] != '\0' && !strpbrk(id, "/.%?& "));
	else
		expect(err.code == BR_EPROTO && is_line(err.text));
}

/* A network's name that goes into a message and a command to type. */
static void find_network(const char *message)
{
	br_autofree char *name = br_network_find_missing(message);

	expect(!name ||
		(br_network_is_missing(message) && name[0] != '\0' &&
			!strchr(name, ' ')));
}

static void read_message(struct br_str text)
{
	br_autofree char *message = br_http_message(text);
	size_t len = strlen(message);

	find_network(message);
	expect(is_line(message) && br_utf8_is_valid(message, len) && len < 330);
}

/* What says who a container belongs to, and so whether it may be removed. */
static void read_owner(struct br_str text)
{
	br_autofree char *label = br_memdup(text.data, text.len);
	struct br_process_id owner = { 0 };
	char again[BR_PROCESS_ID_TEXT_BYTES];
	struct br_err err = { 0 };

	if (!br_process_id_parse(label, &owner, &err))
		return;
	br_process_id_format(&owner, again);
	expect(owner.pid > 0 && strcmp(again, label) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(struct br_str text) = { read_image,
		read_state, read_id, read_message, read_owner };

	if (size < 1)
		return 0;
	readers[data[0] % (sizeof(readers) / sizeof(readers[0]))](
		(struct br_str){ (const char *)data + 1, size - 1 });
	return 0;
}
