#!/bin/sh
# SPDX-License-Identifier: MIT
# check-banned.sh TREE - fails where a source uses a function that the style bans, leaves
# something open, lacks its licence line, or names a path of the machine it was made on.
set -u
cd "$1" || exit 1
bad=0

complain() {
	echo "$1"
	echo "$2" | sed 's/^/    /'
	bad=1
}

sources=$(find lib cmd agent init tests -name '*.[ch]')
scripts=$(find samples tests .ci -type f \( -name '*.sh' -o -name '*.py' -o -perm -100 \) \
	! -path '*/corpus/*' ! -path '*/scenario/*/*' ! -path '*/__pycache__/*')

# shellcheck disable=SC2086
found=$(grep -nE '(^|[^A-Za-z0-9_.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|strncpy|gets|system|popen|alloca)[ ]*\(' $sources) &&
	complain "banned functions:" "$found"
found=$(grep -rnE --include='*.c' '(^|[^A-Za-z0-9_])(sleep|usleep)[ ]*\(' tests) &&
	complain "tests that sleep instead of waiting for an event:" "$found"
# shellcheck disable=SC2086
found=$(grep -nE '\b(TO''DO|FIX''ME|XX''X|HA''CK)\b' $sources $scripts) &&
	complain "left open:" "$found"
# shellcheck disable=SC2086
# shellcheck disable=SC2086
found=$(awk '
	FNR == 1 { if (name && !has_it) print name; name = FILENAME; has_it = 0 }
	/SPDX-License-Identifier: MIT/ { has_it = 1 }
	FNR == 2 { nextfile }
	END { if (name && !has_it) print name }
' $sources $scripts)
[ -z "$found" ] || complain "without a licence line:" "$found"
found=$(grep -rnIE '(^|[^A-Za-z0-9_.])/(wor[k]|far[m])/|/roo[t]/' --exclude-dir=.git --exclude=.git \
	--exclude-dir='build*' .) && complain "paths of a machine:" "$found"
exit $bad
