/* SPDX-License-Identifier: MIT */
/* Vectors: NIST's examples for FIPS 180-4, and its one of a million bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"

static void assert_digest(struct br_sha256 *sha, const char *wanted)
{
	uint8_t digest[BR_SHA256_BYTES];
	char text[BR_SHA256_TEXT_BYTES];

	br_sha256_end(sha, digest);
	br_sha256_format(digest, text);
	assert_string_equal(text, wanted);
}

static void gives_the_digests_of_the_standard(void **state)
{
	static const struct {
		const char *text;
		const char *digest;
	} vectors[] = {
		{ "",
			"e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855" },
		{ "abc",
			"ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039"
			"a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
			"cf5b16a778af8380036ce59e7b049237"
			"0b249b11e8f07a51afac45037afee9d1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct br_sha256 sha;

		br_sha256_init(&sha);
		br_sha256_feed(&sha, vectors[i].text, strlen(vectors[i].text));
		assert_digest(&sha, vectors[i].digest);
	}
}

static void gives_the_same_digest_however_the_input_is_cut(void **state)
{
	static const size_t pieces[] = { 1, 3, 55, 56, 63, 64, 65, 127, 1000 };
	uint8_t *million = malloc(1000000);

	(void)state;
	assert_non_null(million);
	memset(million, 'a', 1000000);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct br_sha256 sha;
		size_t left = 1000000;

		br_sha256_init(&sha);
		while (left > 0) {
			size_t n = pieces[i] < left ? pieces[i] : left;

			br_sha256_feed(&sha, million + 1000000 - left, n);
			left -= n;
		}
		assert_digest(&sha,
			"cdc76e5c9914fb9281a1c7e284d73e67"
			"f1809a48a497200e046d39ccc7112cd0");
	}
	free(million);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_digests_of_the_standard),
		cmocka_unit_test(
			gives_the_same_digest_however_the_input_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
