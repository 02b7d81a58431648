/* SPDX-License-Identifier: MIT */
#include "view/words.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>

#include "base/quote.h"
#include "base/utf8.h"

size_t br_words_columns(const char *name)
{
	size_t columns = 0;

	for (; *name; name++)
		columns += ((unsigned char)*name & 0xc0) != 0x80;
	return columns;
}

void br_words_add_duration(struct br_buf *text, double seconds)
{
	/* Rounded first, so that 59.96 does not become "60.0 s". */
	int64_t hundredths = (int64_t)(seconds * 100 + 0.5);
	int64_t tenths = (int64_t)(seconds * 10 + 0.5);
	int64_t whole = (int64_t)(seconds + 0.5);

	if (hundredths < 100)
		br_buf_addf(text, "0.%02" PRId64 " s", hundredths);
	else if (tenths < 600)
		br_buf_addf(text, "%" PRId64 ".%" PRId64 " s", tenths / 10,
			tenths % 10);
	else if (whole < 3600)
		br_buf_addf(text, "%" PRId64 " min %02" PRId64 " s", whole / 60,
			whole % 60);
	else
		br_buf_addf(text, "%" PRId64 " h %02" PRId64 " min",
			whole / 3600, whole / 60 % 60);
}

void br_words_add_size(struct br_buf *text, int64_t size_bytes)
{
	double size = (double)size_bytes;

	if (size < 1e6)
		br_buf_addf(text, "%.0f kB", size / 1e3);
	else if (size < 1e9)
		br_buf_addf(text, "%.1f MB", size / 1e6);
	else
		br_buf_addf(text, "%.1f GB", size / 1e9);
}

/* Add one character of UTF-8. */
static void add_safe_char(struct br_buf *text, const char *at, size_t len)
{
	uint8_t lead = (uint8_t)at[0];

	if (len == 1 && (lead < 0x20 || lead == 0x7f) && lead != '\t') {
		br_buf_add_char(text, '^');
		br_buf_add_char(text, (char)(lead ^ 0x40));
	} else if (len == 2 && lead == 0xc2 && (uint8_t)at[1] < 0xa0) {
		br_buf_add_char(text, '?'); /* U+0080 to U+009F: controls too */
	} else {
		br_buf_add(text, at, len);
	}
}

/* Length of the character at `at`; 0 where its bytes are not UTF-8. */
static size_t char_len(const char *at, size_t left)
{
	for (size_t len = 1; len <= 4 && len <= left; len++)
		if (br_utf8_is_valid(at, len))
			return len;
	return 0;
}

void br_words_add_safe(struct br_buf *text, struct br_str foreign)
{
	size_t i = 0;

	while (i < foreign.len) {
		size_t len = char_len(foreign.data + i, foreign.len - i);

		if (len > 0)
			add_safe_char(text, foreign.data + i, len);
		else
			br_buf_add_char(text, '?');
		i += len > 0 ? len : 1;
	}
}

void br_words_add_first_line(struct br_buf *text, const char *command)
{
	struct br_str first = { command, strcspn(command, "\n") };
	const char *rest = command + first.len;

	br_words_add_safe(text, first);
	if (rest[strspn(rest, "\n")] != '\0')
		br_buf_add_text(text, " …");
}

void br_words_add_quoted(struct br_buf *text, const char *word)
{
	br_autobuf struct br_buf quoted = { 0 };

	br_quote_word(word, &quoted);
	br_words_add_safe(text, br_buf_str(&quoted));
}

static const struct {
	int64_t status;
	const char *words;
} statuses[] = {
	{ 126, "cannot be executed" },
	{ 127, "command not found" },
	{ 128 + SIGHUP, "hung up (SIGHUP)" },
	{ 128 + SIGINT, "interrupted (SIGINT)" },
	{ 128 + SIGQUIT, "quit (SIGQUIT)" },
	{ 128 + SIGILL, "illegal instruction (SIGILL)" },
	{ 128 + SIGTRAP, "trap (SIGTRAP)" },
	{ 128 + SIGABRT, "aborted (SIGABRT)" },
	{ 128 + SIGBUS, "bus error (SIGBUS)" },
	{ 128 + SIGFPE, "arithmetic error (SIGFPE)" },
	{ 128 + SIGKILL, "killed (SIGKILL)" },
	{ 128 + SIGSEGV, "segmentation fault (SIGSEGV)" },
	{ 128 + SIGPIPE, "broken pipe (SIGPIPE)" },
	{ 128 + SIGALRM, "alarm (SIGALRM)" },
	{ 128 + SIGTERM, "terminated (SIGTERM)" },
	{ 128 + SIGXCPU, "processor time used up (SIGXCPU)" },
	{ 128 + SIGXFSZ, "file too large (SIGXFSZ)" },
	{ 128 + SIGSYS, "forbidden system call (SIGSYS)" },
};

void br_words_add_status(struct br_buf *text, int64_t status)
{
	br_buf_addf(text, "exit status %" PRId64, status);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			br_buf_addf(text, ": %s", statuses[i].words);
}

const char *br_words_of_result(enum br_result result)
{
	switch (result) {
	case BR_RESULT_PASS:
		return "passed";
	case BR_RESULT_FAIL:
		return "failed";
	case BR_RESULT_ERROR:
		return "error";
	case BR_RESULT_CANCELLED:
		return "cancelled";
	case BR_RESULT_CACHED:
		return "cached";
	case BR_RESULT_SKIPPED:
		return "skipped";
	}
	return "";
}

const char *br_words_of_skip(enum br_reason reason)
{
	switch (reason) {
	case BR_REASON_WHEN:
		return "its condition does not hold";
	case BR_REASON_NEEDS:
		return "a stage that it needs did not pass";
	case BR_REASON_SELECTION:
		return "not asked for";
	case BR_REASON_FAIL_FAST:
		return "the build ended before";
	case BR_REASON_NONE:
	case BR_REASON_STATUS:
	case BR_REASON_TIMEOUT:
	case BR_REASON_SIGNAL:
	case BR_REASON_MEMORY:
	case BR_REASON_OUTPUTS:
	case BR_REASON_SERVICE:
	case BR_REASON_CANCELLED:
	case BR_REASON_ENGINE:
	case BR_REASON_TRIES:
		return br_reason_name(reason);
	}
	return "";
}
