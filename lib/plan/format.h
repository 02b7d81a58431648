/* SPDX-License-Identifier: MIT */
/* format.h - the forms of a plan, one for each file. */
#pragma once

#include "base/buf.h"
#include "plan/plan.h"

/* Add the plan as a table that people read. */
void br_format_text(const struct br_plan *plan, struct br_buf *text);

/* Add the plan as one line of JSON, always UTF-8. */
void br_format_json(const struct br_plan *plan, struct br_buf *text);

/*
 * Add the plan as a Graphviz graph; an edge goes from a stage to who needs it. The
 * combinations of a matrix meet in a point, on which those that need it hang.
 */
void br_format_dot(const struct br_plan *plan, struct br_buf *text);

/* Add the plan as a Mermaid flowchart, with the same edges. */
void br_format_mermaid(const struct br_plan *plan, struct br_buf *text);
