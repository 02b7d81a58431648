#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails when a file under lib/ includes a header that layers.txt does not allow.
set -eu
cd "$1"
awk '
FILENAME == "layers.txt" {
	if (!/^[a-z_]+:/)
		next
	module = substr($1, 1, length($1) - 1)
	may[module, module] = is_known[module] = 1
	for (i = 2; i <= NF; i++)
		may[module, $i] = 1
	next
}
FNR == 1 {
	split(FILENAME, path, "/")
	module = path[2]
	if (!(module in is_known)) {
		print FILENAME ": module \x27" module "\x27 is not in layers.txt"
		is_bad = 1
	}
}
match($0, /^#include "[a-z_]+\//) {
	used = substr($0, 11, RLENGTH - 11)
	if (!((module, used) in may)) {
		print FILENAME ": must not include " used "/"
		is_bad = 1
	}
}
END { exit is_bad }
' layers.txt lib/*/*.[ch]
