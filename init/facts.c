/* SPDX-License-Identifier: MIT */
#include "init/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As the kernel has them (linux/stat.h, which musl does not come with). */
enum {
	WANTED_TYPE = 0x1,
	WANTED_UID = 0x8,
	WANTED_INODE = 0x100,
	WANTED_BIRTH = 0x800,
};

struct kernel_time {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t reserved;
};

struct kernel_statx {
	uint32_t mask;
	uint32_t block_size;
	uint64_t attributes;
	uint32_t link_count;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t padding;
	uint64_t inode;
	uint64_t size;
	uint64_t blocks;
	uint64_t attributes_mask;
	struct kernel_time access;
	struct kernel_time birth;
	struct kernel_time change;
	struct kernel_time modification;
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t spare[14];
};

_Static_assert(sizeof(struct kernel_statx) == 256, "as linux/stat.h has it");

static bool read_old(int folder, const char *name, struct file_facts *facts)
{
	struct stat status;

	if (fstatat(folder, name, &status,
		    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return false;
	*facts = (struct file_facts){
		.device = status.st_dev,
		.inode = status.st_ino,
		.uid = status.st_uid,
		.is_folder = S_ISDIR(status.st_mode),
	};
	return true;
}

bool file_facts_read(int folder, const char *name, struct file_facts *facts)
{
	enum { SECOND_NS = 1000000000 };
	struct kernel_statx found = { 0 };

	if (syscall(SYS_statx, folder, name,
		    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
		    WANTED_TYPE | WANTED_UID | WANTED_INODE | WANTED_BIRTH,
		    &found) < 0)
		/* An old seccomp profile says EPERM of what it does not know. */
		return (errno == ENOSYS || errno == EPERM) &&
			read_old(folder, name, facts);
	*facts = (struct file_facts){
		.device = (uint64_t)found.dev_major << 32 | found.dev_minor,
		.inode = found.inode,
		.uid = found.uid,
		.is_folder = S_ISDIR(found.mode),
	};
	if (found.mask & WANTED_BIRTH)
		facts->birth_ns = found.birth.seconds * SECOND_NS +
			found.birth.nanoseconds;
	return true;
}
