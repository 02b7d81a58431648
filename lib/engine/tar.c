/* SPDX-License-Identifier: MIT */
/*
 * The format ("ustar", POSIX.1-1988): for each entry a block of 512 bytes with
 * text fields, numbers in octal, then the content filled up to whole blocks; at
 * the end two blocks of zeros. The checksum is the sum of the header's bytes, with
 * blanks in its own place.
 */
#include "engine/tar.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_BYTES = 512 };

struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};

_Static_assert(sizeof(struct header) == BLOCK_BYTES, "a header is a block");

static void set_checksum(struct header *header)
{
	const uint8_t *bytes = (const uint8_t *)header;
	unsigned sum = 0;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	(void)snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

/* Add a header for the first `name_len` bytes of `name`. */
static void add_header(struct br_buf *archive, const char *name,
	size_t name_len, char type, size_t size_bytes)
{
	struct header header = { .type = type };

	memcpy(header.name, name, name_len);
	(void)snprintf(header.mode, sizeof(header.mode), "%07o", 0755U);
	(void)snprintf(header.uid, sizeof(header.uid), "%07o", 0U);
	(void)snprintf(header.gid, sizeof(header.gid), "%07o", 0U);
	(void)snprintf(header.size, sizeof(header.size), "%011zo", size_bytes);
	(void)snprintf(header.mtime, sizeof(header.mtime), "%011o", 0U);
	memcpy(header.magic, "ustar", sizeof(header.magic));
	memcpy(header.version, "00", sizeof(header.version));
	set_checksum(&header);
	br_buf_add(archive, &header, sizeof(header));
}

static void add_zeros(struct br_buf *archive, size_t len)
{
	memset(br_buf_room(archive, len), 0, len);
	br_buf_grew(archive, len);
}

bool br_tar_build(const char *path, const void *data, size_t len,
	struct br_buf *archive, struct br_err *err)
{
	const char *name = path + 1;

	if (path[0] != '/' || name[0] == '\0' || name[0] == '/' ||
		name[strlen(name) - 1] == '/')
		return br_fail(err, BR_EINPUT,
			"'%s' is no absolute path of a file", path);
	if (strlen(name) >= sizeof(((struct header *)NULL)->name))
		return br_fail(
			err, BR_EINPUT, "the path '%s' is too long", path);

	for (const char *slash = strchr(name, '/'); slash;
		slash = strchr(slash + 1, '/'))
		add_header(archive, name, (size_t)(slash - name) + 1, '5', 0);
	add_header(archive, name, strlen(name), '0', len);
	br_buf_add(archive, data, len);
	add_zeros(archive, (BLOCK_BYTES - len % BLOCK_BYTES) % BLOCK_BYTES);
	add_zeros(archive, (size_t)2 * BLOCK_BYTES);
	return true;
}
