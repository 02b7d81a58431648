/* SPDX-License-Identifier: MIT */
/*
 * build_tool.c - what a build says to the stage cache, without a build: no engine.
 *
 *	build_tool FOLDER ENGINE [WORD...]
 *
 * For the project at hand, with the store in FOLDER and the address of an engine whose images
 * all have one digest. Each stage with `inputs` is looked up in the plan's order, which is a
 * line `STAGE hit` or `STAGE miss: WHY`. One that is missed runs and passes unless a WORD
 * says otherwise: `look:STAGE` is looked up and no more, as in a build that ends then;
 * `fail:STAGE` fails; `touch:STAGE` gets another `touched` while it runs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "run/cache_work.h"
#include "run/outlook.h"

enum { EXIT_USAGE = 2, EXIT_BROKEN = 3 };

struct tool {
	const struct br_plan *plan;
	struct br_cache_work *work;
	char **words;
};

static bool has_word(const struct tool *tool, const char *verb, size_t stage)
{
	br_autofree char *word =
		br_format("%s:%s", verb, tool->plan->stages[stage].name);

	for (char **at = tool->words; *at; at++)
		if (strcmp(*at, word) == 0)
			return true;
	return false;
}

static struct br_cache_answer ask(
	const struct tool *tool, enum br_cache_question question, size_t stage)
{
	struct br_cache_request request = {
		.question = question,
		.stage = stage,
		.digest = "sha256:"
			  "0123456789abcdef0123456789abcdef"
			  "0123456789abcdef0123456789abcdef",
	};
	struct br_cache_answer answer = { .stage = stage };
	br_autoclose int tape_fd = memfd_create("tape", MFD_CLOEXEC);

	(void)snprintf(request.image, sizeof(request.image), "%s",
		tool->plan->stages[stage].image);
	br_cache_work_do(tool->work, &request, tape_fd, &answer);
	return answer;
}

static void touch(void)
{
	br_autoclose int fd = open(
		"touched", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct br_err ignored = { 0 };

	(void)!br_file_write(fd, "x", 1, &ignored);
}

static void run_stage(const struct tool *tool, size_t stage)
{
	const char *name = tool->plan->stages[stage].name;
	struct br_cache_answer answer;

	(void)ask(tool, BR_CACHE_DIGEST, stage);
	answer = ask(tool, BR_CACHE_LOOK, stage);
	if (answer.finding == BR_CACHE_HIT) {
		(void)printf("%s hit\n", name);
		return;
	}
	(void)printf("%s miss: %s\n", name, answer.text);
	if (has_word(tool, "look", stage))
		return;
	(void)ask(tool, BR_CACHE_RUN, stage);
	if (has_word(tool, "touch", stage))
		touch();
	if (!has_word(tool, "fail", stage))
		(void)ask(tool, BR_CACHE_KEEP, stage);
}

static bool make_plan(struct br_plan **plan, struct br_err *err)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	const struct br_plan_options options = {
		.environment = (const char *const *)environ,
	};
	struct br_diags diags = { 0 };

	return br_manifest_open(NULL, NULL, &manifest, &diags, err) &&
		manifest &&
		br_plan_build(manifest, &options, &diags, plan, err) && *plan;
}

int main(int argc, char **argv)
{
	struct br_plan *plan = NULL;
	struct tool tool = { 0 };
	struct br_err err = { 0 };

	if (argc < 3) {
		(void)fprintf(stderr, "wrong arguments: see the source\n");
		return EXIT_USAGE;
	}
	if (!make_plan(&plan, &err)) {
		(void)fprintf(stderr, "no plan: %s\n", err.text);
		return EXIT_BROKEN;
	}

	const struct br_cache_worker_options options = {
		.plan = plan,
		.store_folder = argv[1],
		.project = plan->project_dir,
		.engine = argv[2],
	};
	tool.plan = plan;
	tool.words = argv + 3;
	if (!br_cache_work_open(&options, &tool.work, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return EXIT_BROKEN;
	}
	for (size_t i = 0; i < plan->stage_count; i++)
		if (br_outlook_is_cached(&plan->stages[i]))
			run_stage(&tool, i);
	/* As the child of a build does, whose memory goes with it. */
	(void)fflush(stdout);
	_exit(EXIT_SUCCESS);
}
