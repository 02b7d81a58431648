/* SPDX-License-Identifier: MIT */
/* program.c - a user of libbuildr: runs a build and counts its events. */
#include <buildr.h>

#include <signal.h>
#include <stdio.h>

static bool count(void *ctx, const char *json, size_t len)
{
	size_t *events = ctx;

	(*events)++;
	return len > 0 && json[len - 1] == '\n';
}

int main(int argc, char **argv)
{
	const struct br_build_options options = { .path = argv[argc - 1] };
	char message[1024];
	size_t events = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	int status = br_build_run(
		&options, count, &events, message, sizeof(message));
	printf("libbuildr %s: %zu events, status %d%s%s\n", br_build_version(),
		events, status, message[0] != '\0' ? ": " : "", message);
	return status != 0 || events < 5;
}
