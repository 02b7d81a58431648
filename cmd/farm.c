/* SPDX-License-Identifier: MIT */
/*
 * farm.c - `buildr submit`, `cancel` and `watch`: what speaks to a broker.
 *
 * Another program does it, since linking what it takes costs every start of buildr
 * time. It reads the same arguments, by the same tables.
 */
#include <unistd.h>

#include "base/beside.h"
#include "base/clean.h"
#include "cmd/commands.h"

bool farm_find(char **program, struct br_err *err)
{
	static const char *const places[] = { "../agent/buildr-farm",
		BUILDR_FARM_PATH };

	return br_beside_find(
		       places, sizeof(places) / sizeof(places[0]), program) ||
		br_fail(err, BR_ENOTFOUND,
			"buildr-farm, which speaks to the broker, is not "
			"installed beside this program");
}

int farm_exec(char **argv)
{
	br_autofree char *program = NULL;
	struct br_err err = { 0 };

	if (farm_find(&program, &err)) {
		(void)execv(program, argv);
		(void)br_fail_errno(&err, "start '%s'", program);
	}
	complain(&err);
	return STATUS_ENVIRONMENT;
}
