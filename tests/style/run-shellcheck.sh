#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs shellcheck over every script in the tree.
set -eu
cd "$(dirname "$0")/../.."
find samples tests .ci -type f ! -path '*/scenario/*/*' -print0 |
	xargs -0 grep -lZE '^#!(/bin/sh|/usr/bin/env bash|/bin/bash)|^# shellcheck shell=' |
	xargs -0 shellcheck --severity=warning -x --source-path=SCRIPTDIR:.
