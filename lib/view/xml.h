/* SPDX-License-Identifier: MIT */
/*
 * xml.h - text inside XML 1.0.
 *
 * Five characters have names, and those that XML cannot hold become `?`; there is no more
 * to it than that, and no reason to load a library at each start.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Add text between two tags. */
void br_xml_add_text(struct br_buf *xml, struct br_str text);

/* Add ` name="value"`. */
void br_xml_add_attribute(
	struct br_buf *xml, const char *name, const char *value);
