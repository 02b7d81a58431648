/* SPDX-License-Identifier: MIT */
/*
 * docker's config.json, and what a credential helper answers. No input may crash
 * it; whatever comes out must be good for a request, whose header lines end where
 * a line does.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/config.h"
#include "engine/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The header's value must be base64url and nothing else. */
static void check_header(const struct br_login *login, const char *registry)
{
	br_autobuf struct br_buf header = { 0 };

	br_login_encode(login, registry, &header);
	if (header.len % 4 != 0 ||
		strspn(header.data,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			"0123456789-_=") != header.len)
		abort();
}

static void find(const struct br_config *config, const char *registry)
{
	br_autologin struct br_login login = { 0 };
	struct br_err err = { 0 };

	if (!br_config_find(config, registry, &login, &err)) {
		if (err.code != BR_EINPUT)
			abort();
		return;
	}
	/* It becomes part of the name of a program. */
	if (login.helper && strpbrk(login.helper, "/ \n"))
		abort();
	check_header(&login, registry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct br_str text = { (const char *)data, size };
	br_auto(br_config) struct br_config *config = NULL;
	br_autologin struct br_login login = { 0 };
	struct br_err err = { 0 };

	if (br_login_parse(text, &login, &err))
		check_header(&login, "reg:5000");
	if (br_config_parse(text, &config, &err)) {
		find(config, "docker.io");
		find(config, "reg:5000");
	}
	return 0;
}
