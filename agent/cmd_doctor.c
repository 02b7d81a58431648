/* SPDX-License-Identifier: MIT */
/* cmd_doctor.c - what `buildr doctor` has to say of the broker, for cmd/doctor/doctor_machine.c. */
#include <stdio.h>

#include "agent/farm_commands.h"

int cmd_doctor(const struct options *options)
{
	struct farm farm = { 0 };
	struct br_err err = { 0 };
	bool is_open = farm_open(options, &farm, &err);

	if (is_open)
		(void)printf("%s, RabbitMQ %s\n", br_broker_show(farm.broker),
			br_broker_version(farm.broker));
	else
		(void)printf("%s\n", err.text);
	farm_close(&farm);
	return is_open ? FARM_EXIT_PASS : FARM_EXIT_ENVIRONMENT;
}
