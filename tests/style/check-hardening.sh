#!/bin/sh
# SPDX-License-Identifier: MIT
# check-hardening.sh BUILDR BUILDR_INIT OPTIMIZED - fails where the programs were not built
# as meson.build means them to be. OPTIMIZED: `true` where the build is one that fortifies.
set -u
program=$1
init=$2
bad=0

need() {
	echo "$2" | grep -qE "$3" || {
		echo "$1"
		bad=1
	}
}

headers=$(readelf -hlW "$program")
symbols=$(readelf -sW "$program")
need "buildr is not position independent" "$headers" 'Type: +DYN'
need "buildr has no GNU_RELRO" "$headers" GNU_RELRO
need "buildr's stack is executable" "$headers" 'GNU_STACK.* RW '
need "buildr binds lazily" "$(readelf -dW "$program")" 'BIND_NOW|Flags:.*NOW'
need "buildr has no stack protector" "$symbols" __stack_chk_fail
[ "$3" != true ] || need "buildr is not fortified" "$symbols" '_chk@'

headers=$(readelf -lW "$init")
need "buildr-init's stack is executable" "$headers" 'GNU_STACK.* RW '
if echo "$headers" | grep -q INTERP; then
	echo "buildr-init is not static"
	bad=1
fi
size=$(stat -c %s "$init")
if [ "$size" -gt 131072 ]; then
	echo "buildr-init has $size bytes; 131072 are the most"
	bad=1
fi
exit $bad
