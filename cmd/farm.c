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

int farm_exec(char **argv)
{
	static const char *const places[] = { "../agent/buildr-farm",
		BUILDR_FARM_PATH };
	br_autofree char *program = NULL;
	struct br_err err = { 0 };

	if (br_beside_find(
		    places, sizeof(places) / sizeof(places[0]), &program)) {
		(void)execv(program, argv);
		(void)br_fail_errno(&err, "start '%s'", program);
	} else {
		(void)br_fail(&err, BR_ENOTFOUND,
			"buildr-farm, which speaks to the broker, is not "
			"installed beside this program");
	}
	complain(&err);
	return STATUS_ENVIRONMENT;
}
