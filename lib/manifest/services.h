/* SPDX-License-Identifier: MIT */
/* services.h - the containers beside a stage. */
#pragma once

#include "manifest/read.h"

/* Read `services` into a struct br_stage: a br_read_fn. */
void br_services_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);
