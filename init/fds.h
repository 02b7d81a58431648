/* SPDX-License-Identifier: MIT */
/* fds.h - closes what a process has no business with. */
#pragma once

/* Close every descriptor from `first` on. */
void fds_close_from(int first);
