#!/bin/sh
# SPDX-License-Identifier: MIT
# check-hardening.sh BUILDR BUILDR_INIT OPTIMIZED - fails where the programs were not built
# as meson.build means them to be; what checksec shows. OPTIMIZED: `true` where the build is
# one that fortifies.
#
# buildr-init is static: musl has no fortified functions, and Debian's musl-gcc makes no
# static program that is position independent. It has no symbols, so its stack protector is
# seen in its code.
set -u
program=$1
init=$2
bad=0

fail() {
	echo "$1"
	bad=1
}

# need WHAT TEXT PATTERN, and refuse likewise
need() {
	echo "$2" | grep -qE "$3" || fail "$1"
}

refuse() {
	! echo "$2" | grep -qE "$3" || fail "$1"
}

# What both have: check_both NAME FILE
check_both() {
	headers=$(readelf -hlW "$2")
	need "$1 has no GNU_RELRO" "$headers" GNU_RELRO
	need "$1's stack is executable" "$headers" 'GNU_STACK.* RW '
	refuse "$1 has memory that is written and executed" "$headers" 'LOAD.* RWE '
}

check_both buildr "$program"
dynamic=$(readelf -dW "$program")
symbols=$(readelf -sW "$program")
need "buildr is not position independent" "$headers" 'Type: +DYN'
need "buildr binds lazily" "$dynamic" 'BIND_NOW|Flags:.*NOW'
refuse "buildr's code is changed at its start" "$dynamic" TEXTREL
need "buildr has no stack protector" "$symbols" __stack_chk_fail
[ "$3" != true ] || need "buildr is not fortified" "$symbols" '_chk@'

check_both buildr-init "$init"
refuse "buildr-init is not static" "$headers" 'INTERP|DYNAMIC'
if echo "$headers" | grep -q X86-64; then
	guards=$(objdump -d "$init" | grep -c '%fs:0x28')
	# musl's own functions have a hundred.
	[ "$guards" -ge 150 ] ||
		fail "buildr-init has no stack protector, or in $guards places only"
fi
size=$(stat -c %s "$init")
[ "$size" -le 131072 ] || fail "buildr-init has $size bytes; 131072 are the most"
exit $bad
