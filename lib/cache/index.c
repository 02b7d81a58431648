/* SPDX-License-Identifier: MIT */
#include "cache/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "cache/index_page.h"

enum {
	/* Another one's index is made anew. */
	VERSION = 1,
	/* Longer than any build takes to save. */
	BUSY_MS = 5000,
	KEPT_DAYS = 30,
	/* A row that is used is written again at most so often. */
	TOUCH_DAYS = 7,
	FIRST_PLACES = 1024,
};

/*
 * Pages that were asked for, by a hash of device and number; one stays empty when the
 * database has nothing of it.
 */
struct br_index {
	/* NULL: there is none, and nothing is remembered. */
	sqlite3 *database;
	sqlite3_stmt *load;
	struct br_index_page **places;
	/* A power of two. */
	size_t place_count;
	size_t page_count;
	/* The one of the last question, which is mostly that of the next. */
	struct br_index_page *last;
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS pages("
	"device INTEGER NOT NULL, number INTEGER NOT NULL,"
	"used INTEGER NOT NULL, entries BLOB NOT NULL,"
	"PRIMARY KEY(device, number));"
	"CREATE INDEX IF NOT EXISTS pages_used ON pages(used);"
	"PRAGMA user_version = 1;";

static int64_t today(void)
{
	return br_file_facts_now_ns() / INT64_C(86400000000000);
}

static int run(sqlite3 *database, const char *sql)
{
	return sqlite3_exec(database, sql, NULL, NULL, NULL);
}

static void close_database(struct br_index *index)
{
	(void)sqlite3_finalize(index->load);
	(void)sqlite3_close(index->database);
	index->load = NULL;
	index->database = NULL;
}

/* Ask for the version; 0 where there is no index yet. */
static int read_version(sqlite3 *database, int64_t *version)
{
	sqlite3_stmt *question = NULL;
	int code = sqlite3_prepare_v2(
		database, "PRAGMA user_version", -1, &question, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(question);
	if (code == SQLITE_ROW)
		*version = sqlite3_column_int64(question, 0);
	(void)sqlite3_finalize(question);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int prepare(struct br_index *index)
{
	int64_t version = 0;
	int code = read_version(index->database, &version);

	if (code != SQLITE_OK)
		return code;
	/* What is lost when the power goes is hashed again. */
	if (version == 0)
		code = run(index->database, "PRAGMA journal_mode = WAL");
	if (code == SQLITE_OK)
		code = run(index->database, "PRAGMA synchronous = OFF");
	if (code == SQLITE_OK && version == 0)
		code = run(index->database, schema);
	if (code == SQLITE_OK && version != 0 && version != VERSION)
		code = SQLITE_NOTADB;
	if (code != SQLITE_OK)
		return code;
	return sqlite3_prepare_v2(index->database,
		"SELECT used, entries FROM pages WHERE device=?1 AND number=?2",
		-1, &index->load, NULL);
}

static int open_database(struct br_index *index, const char *path)
{
	int code = sqlite3_open_v2(path, &index->database,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			SQLITE_OPEN_NOMUTEX,
		NULL);

	if (code == SQLITE_OK)
		(void)sqlite3_busy_timeout(index->database, BUSY_MS);
	if (code == SQLITE_OK)
		code = prepare(index);
	if (code != SQLITE_OK)
		close_database(index);
	return code;
}

static void throw_away(const char *path)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		br_autofree char *name = br_format("%s%s", path, endings[i]);

		(void)unlink(name);
	}
}

/* Say whether a database is of no use, rather than of none at this moment. */
static bool is_broken(int code)
{
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
		code == SQLITE_ERROR || code == SQLITE_SCHEMA;
}

struct br_index *br_index_open(const char *path)
{
	struct br_index *index = br_alloc(sizeof(*index));
	int code = open_database(index, path);

	if (is_broken(code)) {
		throw_away(path);
		(void)open_database(index, path);
	}
	index->place_count = FIRST_PLACES;
	index->places = br_alloc_array(
		index->place_count, sizeof(struct br_index_page *));
	return index;
}

void br_index_free(struct br_index *index)
{
	if (!index)
		return;
	close_database(index);
	for (size_t i = 0; i < index->place_count; i++)
		if (index->places[i]) {
			br_index_page_done(index->places[i]);
			free(index->places[i]);
		}
	free(index->places);
	free(index);
}

/* Find where a page is, or would be. */
static struct br_index_page **find_place(
	struct br_index *index, uint64_t device, uint64_t number)
{
	uint64_t mixed = (number ^ device << 32) * UINT64_C(0x9e3779b97f4a7c15);
	size_t mask = index->place_count - 1;
	size_t at = (size_t)(mixed >> 32) & mask;

	while (index->places[at] &&
		(index->places[at]->number != number ||
			index->places[at]->device != device))
		at = (at + 1) & mask;
	return &index->places[at];
}

static void make_room(struct br_index *index)
{
	struct br_index_page **old = index->places;
	size_t old_count = index->place_count;

	if (index->page_count * 2 < old_count)
		return;
	index->place_count *= 2;
	index->places = br_alloc_array(
		index->place_count, sizeof(struct br_index_page *));
	for (size_t i = 0; i < old_count; i++)
		if (old[i])
			*find_place(index, old[i]->device, old[i]->number) =
				old[i];
	free(old);
}

/* Put what the database has of a page into it. */
static void load(struct br_index *index, struct br_index_page *page)
{
	sqlite3_stmt *load = index->load;

	if (!load)
		return;
	(void)sqlite3_bind_int64(load, 1, (sqlite3_int64)page->device);
	(void)sqlite3_bind_int64(load, 2, (sqlite3_int64)page->number);
	if (sqlite3_step(load) == SQLITE_ROW) {
		const void *bytes = sqlite3_column_blob(load, 1);

		page->used_day = sqlite3_column_int64(load, 0);
		if (bytes)
			br_index_page_decode(page, bytes,
				(size_t)sqlite3_column_bytes(load, 1));
	}
	(void)sqlite3_reset(load);
}

static struct br_index_page *get_page(
	struct br_index *index, const struct br_file_facts *facts)
{
	uint64_t number = facts->inode / BR_INDEX_PAGE_INODES;

	if (index->last && index->last->number == number &&
		index->last->device == facts->device)
		return index->last;
	make_room(index);

	struct br_index_page **place = find_place(index, facts->device, number);
	if (!*place) {
		*place = br_alloc(sizeof(struct br_index_page));
		(*place)->device = facts->device;
		(*place)->number = number;
		index->page_count++;
		load(index, *place);
	}
	index->last = *place;
	return *place;
}

/* One lock for all that is read, instead of one for each page. */
void br_index_begin_look(struct br_index *index)
{
	if (index->database)
		(void)run(index->database, "BEGIN");
}

void br_index_end_look(struct br_index *index)
{
	if (index->database)
		(void)run(index->database, "COMMIT");
}

bool br_index_find(struct br_index *index, const struct br_file_facts *facts,
	uint8_t digest[BR_HASH_BYTES])
{
	const struct br_index_entry *entry =
		br_index_page_find(get_page(index, facts), facts->inode);

	if (!entry || !br_file_facts_are_equal(&entry->facts, facts))
		return false;
	memcpy(digest, entry->digest, BR_HASH_BYTES);
	return true;
}

void br_index_add(struct br_index *index, const struct br_file_facts *facts,
	int64_t looked_ns, const uint8_t digest[BR_HASH_BYTES])
{
	struct br_index_entry entry = { .facts = *facts, .is_new = true };

	if (!br_file_facts_are_settled(facts, looked_ns))
		return;
	memcpy(entry.digest, digest, BR_HASH_BYTES);
	br_index_page_put(get_page(index, facts), &entry);
}

/* Write a page, with what another build has put there meanwhile. */
static bool save_page(struct br_index *index, sqlite3_stmt *save,
	struct br_index_page *page, int64_t day)
{
	br_autobuf struct br_buf bytes = { 0 };

	load(index, page);
	br_index_page_encode(page, &bytes);
	(void)sqlite3_bind_int64(save, 1, (sqlite3_int64)page->device);
	(void)sqlite3_bind_int64(save, 2, (sqlite3_int64)page->number);
	(void)sqlite3_bind_int64(save, 3, day);
	(void)sqlite3_bind_blob(
		save, 4, bytes.data, (int)bytes.len, SQLITE_STATIC);

	bool is_saved = sqlite3_step(save) == SQLITE_DONE;
	(void)sqlite3_reset(save);
	(void)sqlite3_clear_bindings(save);
	return is_saved;
}

static bool is_due(const struct br_index_page *page, int64_t day)
{
	return page &&
		(page->is_changed ||
			(page->count > 0 && page->used_day < day - TOUCH_DAYS));
}

static bool save_pages(struct br_index *index, int64_t day)
{
	bool is_good = true;
	sqlite3_stmt *save = NULL;

	if (sqlite3_prepare_v2(index->database,
		    "INSERT OR REPLACE INTO pages VALUES(?1, ?2, ?3, ?4)", -1,
		    &save, NULL) != SQLITE_OK)
		return false;
	for (size_t i = 0; i < index->place_count && is_good; i++)
		if (is_due(index->places[i], day))
			is_good = save_page(index, save, index->places[i], day);
	(void)sqlite3_finalize(save);
	return is_good;
}

static bool forget_old(struct br_index *index, int64_t day)
{
	br_autofree char *sql = br_format("DELETE FROM pages WHERE used < %lld",
		(long long)(day - KEPT_DAYS));

	return run(index->database, sql) == SQLITE_OK;
}

static void mark_saved(struct br_index *index, int64_t day)
{
	for (size_t i = 0; i < index->place_count; i++) {
		struct br_index_page *page = index->places[i];

		if (!is_due(page, day))
			continue;
		page->is_changed = false;
		page->used_day = day;
		for (size_t at = 0; at < page->count; at++)
			page->entries[at].is_new = false;
	}
}

void br_index_save(struct br_index *index)
{
	int64_t day = today();

	if (!index->database ||
		run(index->database, "BEGIN IMMEDIATE") != SQLITE_OK)
		return;
	if (save_pages(index, day) && forget_old(index, day) &&
		run(index->database, "COMMIT") == SQLITE_OK)
		mark_saved(index, day);
	else
		(void)run(index->database, "ROLLBACK");
}
