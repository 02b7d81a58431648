/* SPDX-License-Identifier: MIT */
#include "cache/index_page.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
	SUM_BYTES = 8,
	NUMBER_BYTES = 8,
	HEAD_BYTES = SUM_BYTES + 2 * NUMBER_BYTES,
	ENTRY_BYTES = 4 * NUMBER_BYTES + BR_HASH_BYTES,
};

static struct br_index_entry *find(
	const struct br_index_page *page, uint64_t inode)
{
	for (size_t i = 0; i < page->count; i++)
		if (page->entries[i].facts.inode == inode)
			return &page->entries[i];
	return NULL;
}

const struct br_index_entry *br_index_page_find(
	const struct br_index_page *page, uint64_t inode)
{
	return find(page, inode);
}

void br_index_page_put(
	struct br_index_page *page, const struct br_index_entry *entry)
{
	struct br_index_entry *known = find(page, entry->facts.inode);

	if (!known) {
		page->entries = br_grow(page->entries, page->count,
			&page->capacity, sizeof(*page->entries));
		known = &page->entries[page->count++];
	}
	*known = *entry;
	page->is_changed |= entry->is_new;
}

static void add_number(struct br_buf *bytes, uint64_t number)
{
	uint64_t little = htole64(number);

	br_buf_add(bytes, &little, sizeof(little));
}

static uint64_t read_number(const uint8_t *bytes)
{
	uint64_t little = 0;

	memcpy(&little, bytes, sizeof(little));
	return le64toh(little);
}

static void sum(const uint8_t *bytes, size_t len, uint8_t into[SUM_BYTES])
{
	uint8_t digest[BR_HASH_BYTES];

	br_hash_bytes(bytes + SUM_BYTES, len - SUM_BYTES, digest);
	memcpy(into, digest, SUM_BYTES);
}

void br_index_page_encode(
	const struct br_index_page *page, struct br_buf *bytes)
{
	size_t start = bytes->len;

	br_buf_add(bytes, (const uint8_t[SUM_BYTES]){ 0 }, SUM_BYTES);
	add_number(bytes, page->device);
	add_number(bytes, page->number);
	for (size_t i = 0; i < page->count; i++) {
		const struct br_index_entry *entry = &page->entries[i];

		add_number(bytes, entry->facts.inode);
		add_number(bytes, (uint64_t)entry->facts.size_bytes);
		add_number(bytes, (uint64_t)entry->facts.mtime_ns);
		add_number(bytes, (uint64_t)entry->facts.ctime_ns);
		br_buf_add(bytes, entry->digest, BR_HASH_BYTES);
	}

	uint8_t *whole = (uint8_t *)bytes->data + start;
	sum(whole, bytes->len - start, whole);
}

static bool is_page(
	const struct br_index_page *page, const uint8_t *bytes, size_t len)
{
	uint8_t right[SUM_BYTES];

	if (len < HEAD_BYTES || (len - HEAD_BYTES) % ENTRY_BYTES != 0 ||
		(len - HEAD_BYTES) / ENTRY_BYTES > BR_INDEX_PAGE_INODES)
		return false;
	sum(bytes, len, right);
	return memcmp(bytes, right, SUM_BYTES) == 0 &&
		read_number(bytes + SUM_BYTES) == page->device &&
		read_number(bytes + SUM_BYTES + NUMBER_BYTES) == page->number;
}

void br_index_page_decode(
	struct br_index_page *page, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	if (!is_page(page, at, len))
		return;
	for (size_t left = HEAD_BYTES; left < len; left += ENTRY_BYTES) {
		struct br_index_entry entry = {
			.facts.device = page->device,
			.facts.inode = read_number(at + left),
			.facts.size_bytes = (int64_t)read_number(at + left + 8),
			.facts.mtime_ns = (int64_t)read_number(at + left + 16),
			.facts.ctime_ns = (int64_t)read_number(at + left + 24),
		};
		const struct br_index_entry *known =
			find(page, entry.facts.inode);

		memcpy(entry.digest, at + left + 4 * (size_t)NUMBER_BYTES,
			BR_HASH_BYTES);
		if (!known || !known->is_new)
			br_index_page_put(page, &entry);
	}
}

void br_index_page_done(struct br_index_page *page)
{
	free(page->entries);
	*page = (struct br_index_page){ 0 };
}
