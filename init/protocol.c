/* SPDX-License-Identifier: MIT */
#include "init/protocol.h"
