# SPDX-License-Identifier: MIT
# embed.awk - makes a table of C strings of text files:
#
#	awk -v table=templates -f embed.awk FILE...
FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	if (NR == 1)
		printf "#include \"cmd/texts.h\"\n\nconst struct text %s[] = {\n", table
	else
		print "\t\t\"\" },"
	printf "\t{ \"%s\",\n", name
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	printf "\t\t\"%s\\n\"\n", $0
}
END {
	print "\t\t\"\" },\n};"
}
