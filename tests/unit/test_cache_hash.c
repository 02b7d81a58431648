/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "cache/globs.h"
#include "cache/hash.h"
#include "cache/index.h"
#include "cache/index_page.h"
#include "cache/listing.h"
#include "cache/sum.h"
#include "cache/workers.h"
#include "tests/support/folder.h"
#include "tests/support/no_root.h"

/* Long ago, and not on a whole second: settled. */
#define OLD_NS INT64_C(1500000000123456789)

struct fixture {
	char *home;
	char *root;
	char *index_path;
	int root_fd;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->home = folder_make();
	fixture->root = folder_make();
	fixture->index_path = br_path_join(fixture->home, "index.db");
	fixture->root_fd = open(fixture->root, O_RDONLY | O_DIRECTORY);
	*state = fixture;
	return fixture->root_fd < 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	/* Where a test has failed in between. */
	no_root_end();
	(void)close(fixture->root_fd);
	folder_remove(fixture->root);
	folder_remove(fixture->home);
	free(fixture->index_path);
	free(fixture);
	return 0;
}

static struct br_file_facts facts_of(uint64_t inode)
{
	return (struct br_file_facts){
		.device = 1,
		.inode = inode,
		.size_bytes = 3,
		.mtime_ns = OLD_NS,
		.ctime_ns = OLD_NS + 1,
	};
}

static void learn(struct br_index *index, uint64_t inode, uint8_t byte)
{
	uint8_t digest[BR_HASH_BYTES] = { byte };
	struct br_file_facts facts = facts_of(inode);

	br_index_add(index, &facts, OLD_NS * 2, digest);
}

/* Give the first byte of what is known of it; -1: nothing. */
static int known(struct br_index *index, uint64_t inode)
{
	uint8_t digest[BR_HASH_BYTES] = { 0 };
	struct br_file_facts facts = facts_of(inode);

	return br_index_find(index, &facts, digest) ? digest[0] : -1;
}

static void remembers_across_processes(void **state)
{
	const struct fixture *fixture = *state;
	struct br_index *index = br_index_open(fixture->index_path);

	for (uint64_t inode = 0; inode < 5000; inode += 7)
		learn(index, inode, (uint8_t)inode);
	br_index_save(index);
	br_index_free(index);

	index = br_index_open(fixture->index_path);
	for (uint64_t inode = 0; inode < 5000; inode++)
		assert_int_equal(known(index, inode),
			inode % 7 ? -1 : (int)(uint8_t)inode);
	br_index_free(index);
}

static void forgets_a_file_of_which_anything_changed(void **state)
{
	const struct fixture *fixture = *state;
	br_auto(br_index) struct br_index *index =
		br_index_open(fixture->index_path);
	uint8_t digest[BR_HASH_BYTES];
	struct br_file_facts changed[5];

	learn(index, 9, 1);
	assert_int_equal(known(index, 9), 1);
	for (size_t i = 0; i < 5; i++)
		changed[i] = facts_of(9);
	changed[0].device++;
	changed[1].inode++;
	changed[2].size_bytes++;
	changed[3].mtime_ns++;
	changed[4].ctime_ns--;
	for (size_t i = 0; i < 5; i++)
		assert_false(br_index_find(index, &changed[i], digest));
}

static void does_not_trust_a_file_that_was_just_written(void **state)
{
	const struct fixture *fixture = *state;
	br_auto(br_index) struct br_index *index =
		br_index_open(fixture->index_path);
	uint8_t digest[BR_HASH_BYTES] = { 5 };
	struct br_file_facts facts = facts_of(1);

	/* Within the tick that stamps files. */
	br_index_add(index, &facts, facts.ctime_ns + INT64_C(10000000), digest);
	assert_int_equal(known(index, 1), -1);
	/* A stamp without a fraction may stand for two seconds. */
	facts.ctime_ns = INT64_C(1500000000) * 1000000000;
	br_index_add(index, &facts, facts.ctime_ns + 1900000000, digest);
	assert_false(br_index_find(index, &facts, digest));
	br_index_add(index, &facts, facts.ctime_ns + 2100000000, digest);
	assert_true(br_index_find(index, &facts, digest));
}

static void keeps_what_two_builds_learn_at_once(void **state)
{
	const struct fixture *fixture = *state;
	struct br_index *one = br_index_open(fixture->index_path);
	struct br_index *other = br_index_open(fixture->index_path);

	/* The same page; both have read it before either writes. */
	learn(one, 1, 11);
	learn(one, 2, 12);
	learn(other, 2, 22);
	learn(other, 3, 23);
	br_index_save(one);
	br_index_save(other);
	br_index_free(one);
	br_index_free(other);

	br_auto(br_index) struct br_index *index =
		br_index_open(fixture->index_path);
	assert_int_equal(known(index, 1), 11);
	assert_int_equal(known(index, 2), 22);
	assert_int_equal(known(index, 3), 23);
}

static void throws_a_broken_index_away(void **state)
{
	const struct fixture *fixture = *state;

	folder_write(fixture->home, "index.db", 0600,
		"this is no database, however long it may be read");

	struct br_index *index = br_index_open(fixture->index_path);
	learn(index, 1, 11);
	br_index_save(index);
	br_index_free(index);
	index = br_index_open(fixture->index_path);
	assert_int_equal(known(index, 1), 11);
	br_index_free(index);
}

static void is_not_in_the_way_where_it_cannot_be_kept(void **state)
{
	br_auto(br_index) struct br_index *index =
		br_index_open("/nowhere/index.db");

	(void)state;
	learn(index, 1, 11);
	assert_int_equal(known(index, 1), 11);
	br_index_save(index);
}

static void believes_no_page_of_which_a_bit_has_flipped(void **state)
{
	struct br_index_page page = { .device = 1, .number = 2 };
	struct br_index_entry entry = { .facts = facts_of(130) };
	br_autobuf struct br_buf bytes = { 0 };

	(void)state;
	br_index_page_put(&page, &entry);
	br_index_page_encode(&page, &bytes);
	br_index_page_done(&page);
	uint8_t *raw = (uint8_t *)bytes.data;
	for (size_t bit = 0; bit <= bytes.len * 8; bit++) {
		struct br_index_page read = { .device = 1, .number = 2 };
		bool is_whole = bit == bytes.len * 8;

		if (!is_whole)
			raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
		br_index_page_decode(&read, bytes.data, bytes.len);
		assert_int_equal(read.count, is_whole);
		br_index_page_done(&read);
		if (!is_whole)
			raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

static void find(const struct fixture *fixture, struct br_listing *listing)
{
	static const char *const all[] = { "**" };
	br_auto(br_globs) struct br_globs *globs = NULL;
	struct br_err err = { 0 };

	assert_true(br_globs_new(all, 1, &globs, &err));
	assert_true(
		br_listing_find(fixture->root_fd, globs, false, listing, &err));
}

static void check_digest(const struct br_listed *listed, const char *content)
{
	uint8_t digest[BR_SHA256_BYTES];
	struct br_sha256 sha;

	br_sha256_init(&sha);
	br_sha256_feed(&sha, content, strlen(content));
	br_sha256_end(&sha, digest);
	assert_memory_equal(listed->digest, digest, sizeof(digest));
}

static void hashes_many_files_in_several_processes(void **state)
{
	const struct fixture *fixture = *state;
	br_auto(br_index) struct br_index *index =
		br_index_open(fixture->index_path);
	br_autolisting struct br_listing listing = { 0 };
	struct br_err err = { 0 };

	for (int i = 0; i < 300; i++) {
		br_autofree char *name = br_format("file-%d", i);

		folder_write(fixture->root, name, 0644, name);
	}
	find(fixture, &listing);
	assert_true(br_hash_listing(index, fixture->root_fd, &listing, &err));
	assert_int_equal(listing.count, 300);
	for (size_t i = 0; i < listing.count; i++)
		check_digest(&listing.items[i], listing.items[i].path);
}

static void sees_every_change_of_a_file(void **state)
{
	const struct fixture *fixture = *state;

	/* As fast as it goes: most have the same time stamps as the one before. */
	folder_write(fixture->root, "a", 0644, "0000");
	for (int i = 0; i < 200; i++) {
		br_auto(br_index) struct br_index *index =
			br_index_open(fixture->index_path);
		br_autolisting struct br_listing listing = { 0 };
		br_autofree char *content = br_format("%04d", i);
		struct br_err err = { 0 };
		int fd = openat(fixture->root_fd, "a", O_WRONLY);

		assert_true(br_file_write(fd, content, 4, &err));
		(void)close(fd);
		find(fixture, &listing);
		assert_true(br_hash_listing(
			index, fixture->root_fd, &listing, &err));
		check_digest(&listing.items[0], content);
	}
}

static void takes_vanished_files_off_the_list(void **state)
{
	const struct fixture *fixture = *state;
	br_auto(br_index) struct br_index *index =
		br_index_open(fixture->index_path);
	br_autolisting struct br_listing listing = { 0 };
	struct br_err err = { 0 };

	folder_write(fixture->root, "a", 0644, "a");
	folder_write(fixture->root, "b", 0644, "b");
	folder_write(fixture->root, "c", 0644, "c");
	find(fixture, &listing);
	assert_int_equal(unlinkat(fixture->root_fd, "a", 0), 0);
	assert_int_equal(unlinkat(fixture->root_fd, "b", 0), 0);
	/* A FIFO would hold up whoever opens it. */
	assert_int_equal(mkfifoat(fixture->root_fd, "b", 0600), 0);
	assert_true(br_hash_listing(index, fixture->root_fd, &listing, &err));
	assert_int_equal(listing.count, 1);
	assert_string_equal(listing.items[0].path, "c");
}

static void says_which_file_cannot_be_read(void **state)
{
	const struct fixture *fixture = *state;
	br_auto(br_index) struct br_index *index =
		br_index_open(fixture->index_path);
	br_autolisting struct br_listing listing = { 0 };
	struct br_err err = { 0 };

	folder_write(fixture->root, "sub/secret", 0, "a");
	assert_int_equal(fchmodat(fixture->root_fd, "sub", 0755, 0), 0);
	find(fixture, &listing);
	no_root_begin(fixture->root);
	assert_false(br_hash_listing(index, fixture->root_fd, &listing, &err));
	no_root_end();
	assert_string_equal(err.text, "read 'sub/secret': Permission denied");
}

/*
 * Do one thing to one of a few files, with contents that are often as long as before.
 * Many of them cannot be done: -1.
 */
static int edit(const struct fixture *fixture, unsigned *seed)
{
	struct timespec old[2] = { { .tv_sec = 7 }, { .tv_sec = 7 } };
	br_autofree char *path =
		br_format("d%d/f%d", rand_r(seed) % 3, rand_r(seed) % 4);
	br_autofree char *other =
		br_format("d%d/f%d", rand_r(seed) % 3, rand_r(seed) % 4);
	br_autofree char *content = br_format("%04d", rand_r(seed) % 10);
	int fd = fixture->root_fd;

	switch (rand_r(seed) % 8) {
	case 0:
		return unlinkat(fd, path, 0);
	case 1:
		return renameat(fd, path, fd, other);
	case 2:
		return linkat(fd, path, fd, other, 0);
	case 3:
		return fchmodat(fd, path, rand_r(seed) % 2 ? 0600 : 0700, 0);
	case 4:
		return utimensat(fd, path, old, 0);
	case 5:
		return symlinkat(content, fd, path);
	default:
		folder_write(fixture->root, path, 0644, content);
		/* What tar and rsync do: the time of another file. */
		return rand_r(seed) % 2 ? utimensat(fd, path, old, 0) : 0;
	}
}

static void check_same(const struct br_listing *a, const struct br_listing *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct br_listed *left = &a->items[i];
		const struct br_listed *right = &b->items[i];

		assert_string_equal(left->path, right->path);
		assert_int_equal(left->kind, right->kind);
		assert_int_equal(left->mode, right->mode);
		assert_memory_equal(left->digest, right->digest, BR_HASH_BYTES);
	}
}

static void knows_after_any_edit_what_a_clean_look_would_find(void **state)
{
	const struct fixture *fixture = *state;
	struct br_err err = { 0 };
	unsigned seed = 11;
	int edit_count = 0;

	for (int round = 0; round < 300; round++) {
		br_auto(br_index) struct br_index *kept =
			br_index_open(fixture->index_path);
		br_auto(br_index) struct br_index *none =
			br_index_open("/nowhere/index.db");
		br_autolisting struct br_listing known = { 0 };
		br_autolisting struct br_listing clean = { 0 };

		for (int i = rand_r(&seed) % 4; i >= 0; i--)
			edit_count += edit(fixture, &seed) == 0;
		find(fixture, &known);
		find(fixture, &clean);
		assert_true(
			br_hash_listing(kept, fixture->root_fd, &known, &err));
		assert_true(
			br_hash_listing(none, fixture->root_fd, &clean, &err));
		check_same(&known, &clean);
	}
	assert_true(edit_count > 100);
}

static void knows_the_standard_values(void **state)
{
	uint8_t digest[BR_HASH_BYTES];
	uint8_t key[BR_HASH_BYTES] = { 0 };
	char text[BR_HASH_TEXT_BYTES];
	uint8_t read[BR_HASH_BYTES];

	(void)state;
	br_hash_bytes("abc", 3, digest);
	br_hash_format(digest, text);
	assert_string_equal(text,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015"
		"ad");
	assert_true(br_hash_parse(text, 64, read));
	assert_memory_equal(read, digest, BR_HASH_BYTES);
	text[5] = 'A';
	assert_false(br_hash_parse(text, 64, read));
	assert_false(br_hash_parse(text, 63, read));
	/* python3: hmac.new(bytes(32), b"abc", "sha256") */
	br_hash_keyed(key, "abc", 3, digest);
	br_hash_format(digest, text);
	assert_string_equal(text,
		"fd7adb152c05ef80dccf50a1fa4c05d5a3ec6da95575fc312ae7c5d0918363"
		"51");
}

enum { SUMMED_BYTES = 200 };

static void fill(uint8_t bytes[SUMMED_BYTES])
{
	for (size_t i = 0; i < SUMMED_BYTES; i++)
		bytes[i] = (uint8_t)(i * 37);
}

static uint64_t sum_of(const uint8_t *bytes, size_t len)
{
	struct br_sum sum;

	br_sum_init(&sum);
	br_sum_add(&sum, bytes, len);
	return br_sum_end(&sum);
}

static void sums_the_same_however_bytes_are_cut(void **state)
{
	uint8_t bytes[SUMMED_BYTES];

	(void)state;
	fill(bytes);
	for (size_t cut = 0; cut <= SUMMED_BYTES; cut++)
		for (size_t piece = 1; piece < 70; piece++) {
			struct br_sum sum;
			size_t at = cut;

			br_sum_init(&sum);
			br_sum_add(&sum, bytes, cut);
			for (; at + piece <= SUMMED_BYTES; at += piece)
				br_sum_add(&sum, bytes + at, piece);
			br_sum_add(&sum, bytes + at, SUMMED_BYTES - at);
			assert_true(br_sum_end(&sum) ==
				sum_of(bytes, SUMMED_BYTES));
		}
}

static void sums_otherwise_where_a_bit_has_flipped_or_bytes_are_gone(
	void **state)
{
	uint8_t bytes[SUMMED_BYTES];
	uint64_t seen[SUMMED_BYTES + 1];

	(void)state;
	fill(bytes);

	uint64_t whole = sum_of(bytes, SUMMED_BYTES);
	for (size_t bit = 0; bit < (size_t)8 * SUMMED_BYTES; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_true(sum_of(bytes, SUMMED_BYTES) != whole);
		bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	/* Zeros are what a crash leaves, and what the end is filled up with. */
	memset(bytes, 0, sizeof(bytes));
	for (size_t len = 0; len <= SUMMED_BYTES; len++) {
		seen[len] = sum_of(bytes, len);
		assert_true(seen[len] != 0);
		for (size_t i = 0; i < len; i++)
			assert_true(seen[len] != seen[i]);
	}
}

enum { MARKED_ITEMS = 1000 };

/* In shared memory. */
struct marks {
	pid_t starter;
	atomic_bool has_child_begun;
	int counts[MARKED_ITEMS];
};

/* A child dies of its first item, and this process begins when one has. */
static void mark(void *ctx, size_t item)
{
	struct marks *marks = ctx;

	if (getpid() != marks->starter) {
		atomic_store(&marks->has_child_begun, true);
		(void)kill(getpid(), SIGKILL);
	}
	while (!atomic_load(&marks->has_child_begun))
		(void)sched_yield();
	marks->counts[item]++;
}

static void does_what_a_killed_worker_leaves(void **state)
{
	struct marks *marks = br_workers_share(sizeof(*marks));

	(void)state;
	marks->starter = getpid();
	br_workers_run(MARKED_ITEMS, 4, mark, marks);
	for (size_t i = 0; i < MARKED_ITEMS; i++)
		assert_int_equal(marks->counts[i], 1);
	br_workers_unshare(marks, sizeof(*marks));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(remembers_across_processes),
		TEST(forgets_a_file_of_which_anything_changed),
		TEST(does_not_trust_a_file_that_was_just_written),
		TEST(keeps_what_two_builds_learn_at_once),
		TEST(throws_a_broken_index_away),
		TEST(is_not_in_the_way_where_it_cannot_be_kept),
		cmocka_unit_test(believes_no_page_of_which_a_bit_has_flipped),
		TEST(hashes_many_files_in_several_processes),
		TEST(sees_every_change_of_a_file),
		TEST(takes_vanished_files_off_the_list),
		TEST(says_which_file_cannot_be_read),
		TEST(knows_after_any_edit_what_a_clean_look_would_find),
		cmocka_unit_test(knows_the_standard_values),
		cmocka_unit_test(sums_the_same_however_bytes_are_cut),
		cmocka_unit_test(
			sums_otherwise_where_a_bit_has_flipped_or_bytes_are_gone),
		cmocka_unit_test(does_what_a_killed_worker_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
