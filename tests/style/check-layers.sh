#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails when a file under lib/ includes a header that layers.txt does not allow.
set -eu
cd "$1"
bad=0
for file in lib/*/*.[ch]; do
	module=${file#lib/}
	module=${module%%/*}
	allowed=$(sed -n "s/^$module: *//p" layers.txt)
	if ! grep -q "^$module:" layers.txt; then
		echo "$file: module '$module' is not in layers.txt"
		bad=1
	fi
	for used in $(sed -n 's|^#include "\([a-z_]*\)/.*|\1|p' "$file" | sort -u); do
		case " $module $allowed " in
		*" $used "*) ;;
		*) echo "$file: must not include $used/"; bad=1 ;;
		esac
	done
done
exit $bad
