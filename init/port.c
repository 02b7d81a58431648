/* SPDX-License-Identifier: MIT */
#include "init/port.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	/* TCP_LISTEN of the kernel. */
	STATE_LISTEN = 10,
	WORD_DIGITS = 8,
	ADDRESS_BYTES = 16,
	LINE_BYTES = 512,
	/* Between two looks: short while a server is likely to come soon. */
	FIRST_PAUSE_MS = 20,
	MORE_PAUSE_MS = 2,
	LAST_PAUSE_MS = 100,
	MS_NS = 1000000,
};

/* An address is printed word by word, each as a number of this machine. */
static size_t read_address(const char *hex, uint8_t bytes[ADDRESS_BYTES])
{
	size_t len = 0;

	while (len < ADDRESS_BYTES && strlen(hex) >= WORD_DIGITS) {
		char digits[WORD_DIGITS + 1] = { 0 };

		memcpy(digits, hex, WORD_DIGITS);
		uint32_t word = (uint32_t)strtoul(digits, NULL, 16);
		memcpy(bytes + len, &word, sizeof(word));
		len += sizeof(word);
		hex += WORD_DIGITS;
	}
	return len;
}

static bool is_loopback(const uint8_t *bytes, size_t len)
{
	static const uint8_t mapped[] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t one[ADDRESS_BYTES] = { [ADDRESS_BYTES - 1] = 1 };

	if (len < ADDRESS_BYTES)
		return bytes[0] == IN_LOOPBACKNET;
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return bytes[sizeof(mapped)] == IN_LOOPBACKNET;
	return memcmp(bytes, one, sizeof(one)) == 0;
}

/* proc(5) `net/tcp`: number, address:port here and there, state, …; all in hex. */
static bool is_server(const char *line, uint16_t port, bool is_local)
{
	char hex[2 * ADDRESS_BYTES + 1];
	uint8_t address[ADDRESS_BYTES] = { 0 };
	unsigned found;
	unsigned state;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
	if (sscanf(line, " %*u: %32[0-9A-F]:%x %*s %x", hex, &found, &state) !=
		3)
		return false;
	if (found != port || state != STATE_LISTEN)
		return false;
	return is_local || !is_loopback(address, read_address(hex, address));
}

static bool has_server(const char *path, uint16_t port, bool is_local)
{
	char line[LINE_BYTES];
	bool is_found = false;
	/* A kernel without IPv6 has no `tcp6`. */
	FILE *table = fopen(path, "re");

	if (!table)
		return false;
	while (!is_found && fgets(line, sizeof(line), table))
		is_found = is_server(line, port, is_local);
	(void)fclose(table);
	return is_found;
}

bool port_is_served(const char *folder, uint16_t port, bool is_local)
{
	static const char *const names[] = { "tcp", "tcp6" };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (has_server(path, port, is_local))
			return true;
	}
	return false;
}

void port_wait(uint16_t port, bool is_local)
{
	int pause_ms = FIRST_PAUSE_MS;

	while (!port_is_served("/proc/net", port, is_local)) {
		const struct timespec pause = { .tv_nsec = (long)pause_ms *
				MS_NS };

		(void)nanosleep(&pause, NULL);
		if (pause_ms < LAST_PAUSE_MS)
			pause_ms += MORE_PAUSE_MS;
	}
}
