/* SPDX-License-Identifier: MIT */
/*
 * port.h - the step that waits until a TCP port is served.
 *
 * Nothing is connected to: a server may count connections, or serve just one. The
 * kernel's tables tell who listens in the container's network.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Say whether something listens on `port`, by the files `tcp` and `tcp6` in
 * `folder`. One that listens on a loopback address, which nobody outside of this
 * network reaches, counts where `is_local`.
 */
bool port_is_served(const char *folder, uint16_t port, bool is_local);

/* Look again and again, and return when it is served. */
void port_wait(uint16_t port, bool is_local);
