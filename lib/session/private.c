/* SPDX-License-Identifier: MIT */
/*
 * The folder is for its owner alone (0700): who could reach the socket could
 * answer in the container's place, and would be told its secrets. Root in the
 * container is root here, or the caller in a rootless engine, and reaches it in
 * either case. Where an engine maps root to yet another user (userns-remap), it
 * does not, and the wire goes over stdio.
 */
#include "session/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beside.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"

enum {
	/* The program is some 100 KB; this is what it may be at most. */
	INIT_MAX_BYTES = 4 * 1024 * 1024,
	INIT_MODE = 0755,
	FOLDER_MODE = 0700,
	ALL_MODES = 07777,
	/* Where a folder may be made: see find_places(). */
	PLACES = 4,
};

#define NAME_PREFIX "buildr-"

static const char *const entries[] = { "init", "wire", "project" };

bool br_private_find_init(char **path, struct br_err *err)
{
	static const char *const places[] = { "../init/buildr-init",
		BUILDR_INIT_PATH };
	const char *named = getenv("BUILDR_INIT");

	if (named && named[0] != '\0') {
		if (access(named, R_OK) < 0)
			return br_fail(err, BR_ENOTFOUND,
				"BUILDR_INIT: '%s': %s", named,
				strerror(errno));
		*path = br_strdup(named);
		return true;
	}
	if (br_beside_find(places, sizeof(places) / sizeof(places[0]), path))
		return true;
	return br_fail(err, BR_ENOTFOUND,
		"buildr-init is not installed beside this program; "
		"BUILDR_INIT can name it");
}

/* A program can be started from there: the mount point does not forbid it. */
static bool allows_programs(const char *folder)
{
	struct statvfs status;

	return folder && folder[0] == '/' && access(folder, W_OK | X_OK) == 0 &&
		statvfs(folder, &status) == 0 &&
		(status.f_flag & ST_NOEXEC) == 0;
}

static void find_places(const char *places[PLACES])
{
	places[0] = getenv("XDG_RUNTIME_DIR");
	places[1] = getenv("TMPDIR");
	places[2] = "/tmp";
	places[3] = "/var/tmp";
}

/* Put one character in place of another. */
static void exchange(char *text, char from, char to)
{
	for (char *at = strchr(text, from); at; at = strchr(at, from))
		*at = to;
}

/* Who this process is, as a part of a name; "" where /proc does not say. */
static void name_owner(char owner[BR_PROCESS_ID_TEXT_BYTES])
{
	struct br_process_id self;
	struct br_err ignored = { 0 };

	owner[0] = '\0';
	if (br_process_self(&self, &ignored))
		br_process_id_format(&self, owner);
	exchange(owner, '/', '.');
}

char *br_private_path(const char *build)
{
	char owner[BR_PROCESS_ID_TEXT_BYTES];
	const char *places[PLACES];
	size_t chosen = 0;

	find_places(places);
	while (chosen < PLACES && !allows_programs(places[chosen]))
		chosen++;
	name_owner(owner);
	/* Where none will do, making the folder fails and says why. */
	return br_format("%s/" NAME_PREFIX "%s.%s",
		chosen < PLACES ? places[chosen] : "/tmp", build, owner);
}

/* It must be new: what is there already may be anybody's. */
static bool make_folder(const char *path, struct br_err *err)
{
	return mkdir(path, FOLDER_MODE) == 0 ||
		br_fail_errno(err, "make the folder '%s'", path);
}

/* Made for a container before, and not by somebody who guessed the name. */
static bool is_ours(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
		status.st_uid == geteuid() &&
		(status.st_mode & ALL_MODES) == FOLDER_MODE;
}

bool br_private_begin(const char *path, struct br_err *err)
{
	if (mkdir(path, FOLDER_MODE) == 0 || (errno == EEXIST && is_ours(path)))
		return true;
	return br_fail_errno(err, "make the folder '%s'", path);
}

void br_private_end(const char *path)
{
	(void)rmdir(path);
}

static bool copy_init(
	const char *init_path, const char *folder, struct br_err *err)
{
	br_autobuf struct br_buf program = { 0 };
	br_autofree char *copy = br_path_join(folder, "init");

	if (!br_file_load(init_path, INIT_MAX_BYTES, &program, err) ||
		!br_file_save_new(
			copy, INIT_MODE, program.data, program.len, err))
		return false;
	/* Whatever the umask is. */
	if (chmod(copy, INIT_MODE) < 0)
		return br_fail_errno(err, "make '%s' executable", copy);
	return true;
}

/*
 * Bind the socket in the folder by its descriptor, since the whole path may be
 * longer than an address takes.
 */
static bool listen_in(const char *folder, int *listen_fd, struct br_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	br_autoclose int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	br_autoclose int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (at < 0 || fd < 0)
		return br_fail_errno(err, "make a socket in '%s'", folder);
	(void)snprintf(address.sun_path, sizeof(address.sun_path),
		"/proc/self/fd/%d/wire", at);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, 1) < 0)
		return br_fail_errno(err, "listen in '%s'", folder);
	*listen_fd = br_take_fd(&fd);
	return true;
}

bool br_private_open(const char *path, const char *init_path,
	struct br_private *made, struct br_err *err)
{
	struct br_private opened = { .listen_fd = -1 };

	if (!make_folder(path, err))
		return false;
	opened.folder = br_strdup(path);
	if (!copy_init(init_path, opened.folder, err) ||
		!listen_in(opened.folder, &opened.listen_fd, err)) {
		br_private_close(&opened);
		return false;
	}
	*made = opened;
	return true;
}

bool br_private_link(const struct br_private *made, const char *project_dir,
	char **link, struct br_err *err)
{
	br_autofree char *path = br_path_join(made->folder, "project");

	if (symlink(project_dir, path) < 0)
		return br_fail_errno(err, "make the link '%s'", path);
	*link = br_take_ptr(&path);
	return true;
}

/* The folder, where it is one and ours: names in /tmp are anybody's to take. */
static int open_own(int at, const char *name)
{
	struct stat status;
	br_autoclose int fd = openat(
		at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == geteuid())
		return br_take_fd(&fd);
	return -1;
}

static void empty(int folder)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		(void)unlinkat(folder, entries[i], 0);
}

/* Called with each name in the folder `at`. */
typedef void name_fn(int at, const char *name, void *ctx);

/* Go through a folder by a descriptor that stays open. */
static void each_name(int at, name_fn *fn, void *ctx)
{
	br_autoclose int fd =
		openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *opened = fd < 0 ? NULL : fdopendir(fd);

	if (!opened)
		return;
	(void)br_take_fd(&fd);
	for (;;) {
		/* One thread: readdir_r() is deprecated for good reasons. */
		/* cppcheck-suppress readdirCalled */
		const struct dirent *entry = readdir(opened);

		if (!entry)
			break;
		fn(at, entry->d_name, ctx);
	}
	(void)closedir(opened);
}

/* A container may have a folder in its build's, which has a number for a name. */
static void remove_part(int at, const char *name, void *ctx)
{
	(void)ctx;
	if (name[strspn(name, "0123456789")] != '\0')
		return;

	br_autoclose int folder = open_own(at, name);
	if (folder < 0)
		return;
	empty(folder);
	(void)unlinkat(at, name, AT_REMOVEDIR);
}

static bool remove_at(int at, const char *name)
{
	br_autoclose int folder = open_own(at, name);

	if (folder >= 0) {
		empty(folder);
		each_name(folder, remove_part, NULL);
		if (unlinkat(at, name, AT_REMOVEDIR) == 0)
			return true;
	}
	return faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		errno == ENOENT;
}

bool br_private_remove(const char *path)
{
	return remove_at(AT_FDCWD, path);
}

/* A sweep on its way. */
struct sweep {
	const struct br_process_id *self;
	size_t removed_count;
};

/* Whether it has the name of a folder whose owner is gone. */
static bool is_orphan(const char *name, const struct br_process_id *self)
{
	struct br_process_id owner = { 0 };
	struct br_err ignored = { 0 };
	const char *dot = strchr(name, '.');

	if (strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0 || !dot)
		return false;

	br_autofree char *text = br_strdup(dot + 1);
	exchange(text, '.', '/');
	return br_process_id_parse(text, &owner, &ignored) &&
		br_process_is_gone(&owner, self);
}

static void sweep_one(int at, const char *name, void *ctx)
{
	struct sweep *sweep = ctx;

	if (is_orphan(name, sweep->self) && remove_at(at, name))
		sweep->removed_count++;
}

size_t br_private_sweep(const struct br_process_id *self)
{
	struct sweep sweep = { .self = self };
	const char *places[PLACES];

	find_places(places);
	for (size_t i = 0; i < PLACES; i++) {
		br_autoclose int at = places[i] && places[i][0] == '/'
			? open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			: -1;

		if (at >= 0)
			each_name(at, sweep_one, &sweep);
	}
	return sweep.removed_count;
}

void br_private_close(struct br_private *made)
{
	if (made->listen_fd >= 0)
		(void)close(made->listen_fd);
	made->listen_fd = -1;
	if (!made->folder)
		return;
	(void)br_private_remove(made->folder);
	free(made->folder);
	made->folder = NULL;
}
