/* SPDX-License-Identifier: MIT */
#include "plan/ask.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/program.h"

/* `git rev-parse --local-env-vars` without configuration; and of pathspecs. */
static const char *const misleading[] = {
	"GIT_ALTERNATE_OBJECT_DIRECTORIES",
	"GIT_COMMON_DIR",
	"GIT_DIR",
	"GIT_GLOB_PATHSPECS",
	"GIT_GRAFT_FILE",
	"GIT_ICASE_PATHSPECS",
	"GIT_IMPLICIT_WORK_TREE",
	"GIT_INDEX_FILE",
	"GIT_LITERAL_PATHSPECS",
	"GIT_NAMESPACE",
	"GIT_NOGLOB_PATHSPECS",
	"GIT_NO_REPLACE_OBJECTS",
	"GIT_OBJECT_DIRECTORY",
	"GIT_PREFIX",
	"GIT_REPLACE_REF_BASE",
	"GIT_SHALLOW_FILE",
	"GIT_WORK_TREE",
};

static bool is_misleading(const char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < sizeof(misleading) / sizeof(misleading[0]); i++)
		if (strlen(misleading[i]) == len &&
			memcmp(variable, misleading[i], len) == 0)
			return true;
	return false;
}

/* What git gets. The caller frees the list, not what is in it. */
static const char **environment_for_git(void)
{
	size_t count = 0;
	size_t kept = 0;

	while (environ && environ[count])
		count++;

	const char **list = br_alloc_array(count + 1, sizeof(*list));
	for (size_t i = 0; i < count; i++)
		if (!is_misleading(environ[i]))
			list[kept++] = environ[i];
	return list;
}

bool br_ask_git_about(const char *const *argv, struct br_str input,
	int64_t timeout_ms, size_t max_bytes, struct br_buf *answer,
	int *status)
{
	br_autofree const char **environment = environment_for_git();
	const struct br_program program = {
		.argv = argv,
		.input = input.data,
		.input_len = input.len,
	};
	const struct br_process_limits limits = {
		.timeout_ms = timeout_ms,
		.max_bytes = max_bytes,
		.cancel_fd = -1,
		.environment = environment,
	};
	struct br_err ignored = { 0 };

	return br_program_run(&program, &limits, answer, status, &ignored);
}

bool br_ask_git(const char *const *argv, int64_t timeout_ms, size_t max_bytes,
	struct br_buf *answer)
{
	int status = -1;

	return br_ask_git_about(argv, br_str(""), timeout_ms, max_bytes, answer,
		       &status) &&
		status == 0;
}
