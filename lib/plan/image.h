/* SPDX-License-Identifier: MIT */
/* image.h - does a text look like the name of an image? */
#pragma once

/*
 * Say what keeps `name` from being the name of an image, in words; NULL: nothing
 * that can be seen without the engine. Static.
 */
const char *br_image_mistake(const char *name);
