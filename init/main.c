/* SPDX-License-Identifier: MIT */
/*
 * buildr-init - the main process of a build's container.
 *
 *	init socket [PATH]   connects to PATH, /.buildr/wire without it
 *	init stdio           speaks over stdin and stdout
 *
 * Exit status: 0 after END, 1 where the connection failed or was lost, 2 for a
 * wrong argument.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/fds.h"
#include "init/init.h"

static int connect_wire(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return fd;
}

/* A copy that no child gets. */
static int keep(int fd)
{
	enum { FIRST_FREE_FD = 10 };

	return fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
}

/* What is written here by mistake must not get into the wire. */
static void leave_standard_descriptors(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			(void)close(fd);
	if (null > STDERR_FILENO)
		(void)close(null);
}

/*
 * Over stdio it was copied into the container, of which an image may be made. Who is not
 * the first process of one is somebody's program, and stays.
 */
static void remove_itself(void)
{
	if (getpid() == 1)
		(void)unlink("/.buildr/init");
}

int main(int argc, char **argv)
{
	int in = -1;
	int out = -1;

	/* Not even root in the container looks into this process. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* Where this is not PID 1, orphans come here all the same. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);

	/* Whatever was left open by who started this would get into the steps. */
	fds_close_from(STDERR_FILENO + 1);
	if (argc >= 2 && strcmp(argv[1], "socket") == 0) {
		in = connect_wire(argc == 3 ? argv[2] : "/.buildr/wire");
		out = in;
	} else if (argc == 2 && strcmp(argv[1], "stdio") == 0) {
		remove_itself();
		in = keep(STDIN_FILENO);
		out = keep(STDOUT_FILENO);
	} else {
		(void)fprintf(stderr,
			"buildr-init is started by buildr in a container\n");
		return 2;
	}
	if (in < 0 || out < 0)
		return EXIT_FAILURE;
	leave_standard_descriptors();
	return init_serve(in, out) ? EXIT_SUCCESS : EXIT_FAILURE;
}
