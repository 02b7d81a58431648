#!/bin/sh
# SPDX-License-Identifier: MIT
# run-for.sh PROGRAM SECONDS FOLDER [RUNS] - run a fuzz target from its corpus for so long,
# and no more than so many times.
# What it finds is left in FOLDER and named; the corpus is not changed.
set -eu
name=$(basename "$1")
corpus=$(dirname "$0")/corpus/${name#fuzz_}
found=$3/found-$name
mkdir -p "$found/new"
if "$1" -max_total_time="$2" -runs="${4:--1}" -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
	-artifact_prefix="$found/" "$found/new" "$corpus" >"$found/log" 2>&1; then
	sed -n "s/^stat::number_of_executed_units: */$name: runs: /p" "$found/log"
	exit 0
fi
echo "$name failed:"
tail -n 40 "$found/log"
# The input, as text that can be made a file again with base64 -d.
for input in "$found"/*-*; do
	if [ -f "$input" ]; then
		echo "$input:"
		base64 "$input"
	fi
done
exit 1
