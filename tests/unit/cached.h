/* SPDX-License-Identifier: MIT */
/* cached.h - a store and a project, for the tests of what the cache keeps. */
#pragma once

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "cache/store.h"
#include "tests/support/folder.h"

struct cached {
	/* XDG_CACHE_HOME, and the store's folder in it. */
	char *home;
	char *folder;
	int folder_fd;
	char *project;
	int project_fd;
	struct br_store *store;
};

static inline int cached_set_up(void **state)
{
	struct cached *cached = calloc(1, sizeof(*cached));
	struct br_err err = { 0 };

	cached->home = folder_make();
	cached->project = folder_make();
	cached->project_fd = open(cached->project, O_RDONLY | O_DIRECTORY);
	assert_int_equal(setenv("XDG_CACHE_HOME", cached->home, 1), 0);
	assert_true(br_store_find_folder(&cached->folder, &err));
	assert_true(br_store_open(cached->folder, &cached->store, &err));
	cached->folder_fd = open(cached->folder, O_RDONLY | O_DIRECTORY);
	*state = cached;
	return cached->project_fd < 0 || cached->folder_fd < 0;
}

static inline int cached_tear_down(void **state)
{
	struct cached *cached = *state;

	br_store_free(cached->store);
	(void)close(cached->project_fd);
	(void)close(cached->folder_fd);
	folder_remove(cached->home);
	folder_remove(cached->project);
	free(cached->folder);
	free(cached);
	return 0;
}

/* A test, and the two around it. */
#define CACHED_TEST(function) \
	cmocka_unit_test_setup_teardown( \
		function, cached_set_up, cached_tear_down)
