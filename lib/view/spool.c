/* SPDX-License-Identifier: MIT */
#include "view/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"

void br_spool_init(struct br_spool *spool)
{
	*spool = (struct br_spool){ .fd = -1 };
}

void br_spool_done(struct br_spool *spool)
{
	if (spool->fd >= 0)
		(void)close(spool->fd);
	br_buf_done(&spool->kept);
	br_spool_init(spool);
}

static bool open_file(int *fd, struct br_err *err)
{
	const char *folder = getenv("TMPDIR");
	br_autofree char *path = br_path_join(
		folder && folder[0] == '/' ? folder : "/tmp", "buildr-XXXXXX");

	*fd = mkostemp(path, O_CLOEXEC);
	if (*fd < 0)
		return br_fail_errno(err, "make '%s'", path);
	(void)unlink(path);
	return true;
}

void br_spool_add(struct br_spool *spool, const void *data, size_t len)
{
	br_buf_add(&spool->kept, data, len);
}

/* Only what is whole in the file counts; the rest is still kept. */
bool br_spool_spill(struct br_spool *spool, struct br_err *err)
{
	if (spool->kept.len <= BR_SPOOL_BYTES)
		return true;
	if (spool->fd < 0 && !open_file(&spool->fd, err))
		return false;
	if (!br_file_write(
		    spool->fd, br_buf_text(&spool->kept), spool->kept.len, err))
		return br_wrap(err, "put output aside");
	spool->file_len += (off_t)spool->kept.len;
	br_buf_clear(&spool->kept);
	return true;
}

static bool read_file(
	struct br_spool *spool, char *data, size_t len, struct br_err *err)
{
	while (len > 0) {
		ssize_t n = pread(spool->fd, data, len, spool->file_read);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return br_fail_errno(err, "read output put aside");
		data += n;
		len -= (size_t)n;
		spool->file_read += n;
	}
	return true;
}

bool br_spool_read(
	struct br_spool *spool, void *data, size_t len, struct br_err *err)
{
	off_t left = spool->file_len - spool->file_read;
	size_t of_file = left < (off_t)len ? (size_t)left : len;

	if (!read_file(spool, data, of_file, err))
		return false;
	len -= of_file;
	assert(len <= spool->kept.len - spool->kept_read);
	if (len > 0)
		memcpy((char *)data + of_file,
			spool->kept.data + spool->kept_read, len);
	spool->kept_read += len;
	return true;
}

bool br_spool_is_read(const struct br_spool *spool)
{
	return spool->file_read == spool->file_len &&
		spool->kept_read == spool->kept.len;
}
