/* SPDX-License-Identifier: MIT */
/* cmd_events.c - `buildr events`: the events of a build as JSON lines. */
#include "cmd/commands.h"
#include "cmd/log/log_show.h"

int cmd_events(const struct options *options)
{
	struct options how = *options;
	struct log_place place;
	int status = log_place_find(options, &place);

	how.output = OUTPUT_JSON;
	if (status == STATUS_PASS)
		status = log_show(&how, &place);
	log_place_done(&place);
	return status;
}
