/* SPDX-License-Identifier: MIT */
/* fds.h - closes descriptors. */
#pragma once

/* Close every descriptor from `first` on. */
void fds_close_from(int first);

/* Close `*fd`, which may be -1, and leave -1 in it. */
void fds_close(int *fd);
