/* SPDX-License-Identifier: MIT */
/* doctor_machine.c - the checks of what is on this machine, and of the broker. */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beside.h"
#include "base/clean.h"
#include "base/program.h"
#include "cmd/commands.h"
#include "cmd/doctor/doctor.h"
#include "cmd/options/option_sources.h"
#include "session/private.h"

enum {
	/* Programs that are asked something answer at once. */
	ASK_MS = 10 * 1000,
	/* buildr-farm gives up on a broker by itself. */
	BROKER_MS = 60 * 1000,
	ANSWER_BYTES = 4096,
	MIN_FREE_BYTES = 256 * 1024 * 1024,
	MIB = 1024 * 1024,
};

static void check_config(struct doctor *doctor)
{
	br_autofree char *path = option_file_path();

	if (doctor->options->file_err.code != BR_OK)
		doctor_wrong(doctor, "config",
			br_arena_format(
				&doctor->arena, "${EDITOR:-vi} '%s'", path),
			"%s", doctor->options->file_err.text);
	else if (!path)
		doctor_ok(doctor, "config",
			"none: neither HOME nor XDG_CONFIG_HOME is set");
	else
		doctor_ok(doctor, "config", "%s%s", path,
			access(path, F_OK) == 0 ? "" : ", which is not there");
}

static void check_init(struct doctor *doctor)
{
	br_autofree char *path = NULL;
	struct br_err err = { 0 };

	if (br_private_find_init(&path, &err))
		doctor_ok(doctor, "init", "%s", path);
	else
		doctor_wrong(doctor, "init", "meson install -C build", "%s",
			err.text);
}

/* For editors; a build takes none of it. */
static void check_schema(struct doctor *doctor)
{
	static const char *const places[] = { BUILDR_SCHEMA_PATH };
	br_autofree char *path = NULL;

	if (br_beside_find(places, 1, &path)) {
		br_autofree char *real = realpath(path, NULL);

		doctor_ok(doctor, "schema", "%s, for editors",
			real ? real : path);
	} else {
		doctor_ok(doctor, "schema",
			"not installed; editors can do without");
	}
}

static void check_git(struct doctor *doctor)
{
	static const char *const command[] = { "git", "--version", NULL };
	br_autobuf struct br_buf answer = { 0 };
	struct br_process_result result = { 0 };
	struct br_err err = { 0 };
	const char *mend = access("/etc/debian_version", F_OK) == 0
		? "sudo apt-get install git"
		: "install git with this system's packages";

	if (!br_process_run(
		    command, "", ASK_MS, ANSWER_BYTES, &answer, &result, &err))
		doctor_wrong(
			doctor, "git", mend, "git --version: %s", err.text);
	else if (result.status != 0)
		doctor_wrong(doctor, "git", mend,
			"it does not run: builds know no commit, branch or "
			"changes");
	else
		doctor_ok(doctor, "git", "%.*s",
			(int)strcspn(br_buf_text(&answer), "\n"),
			br_buf_text(&answer));
}

void doctor_room(struct doctor *doctor, const char *folder, const char *what,
	const char *mend)
{
	struct statvfs space;

	if (statvfs(folder, &space) < 0)
		return;

	unsigned long long free_bytes =
		(unsigned long long)space.f_bavail * space.f_frsize;
	bool has_files = space.f_files == 0 || space.f_favail > 1000;
	if (free_bytes >= MIN_FREE_BYTES && has_files)
		doctor_ok(doctor, "disk", "%llu MiB are free in %s, %s",
			free_bytes / MIB, folder, what);
	else
		doctor_wrong(doctor, "disk", mend,
			"%llu MiB and %llu files are free in %s, %s",
			free_bytes / MIB, (unsigned long long)space.f_favail,
			folder, what);
}

void doctor_machine(struct doctor *doctor)
{
	const char *path = doctor->options->path;
	br_autofree char *project = realpath(path ? path : ".", NULL);

	check_config(doctor);
	check_init(doctor);
	check_schema(doctor);
	check_git(doctor);
	if (project)
		doctor_room(doctor, project, "the project",
			"make room there: 'du -xh . | sort -h' tells where it "
			"went");
	else
		doctor_wrong(doctor, "disk", NULL, "there is no directory '%s'",
			path ? path : ".");
}

/* buildr-farm reads the same arguments, and says one line. */
static bool ask_farm(struct doctor *doctor, struct br_buf *answer, int *status,
	struct br_err *err)
{
	br_autofree char *program = NULL;
	size_t count = 0;

	while (doctor->argv[count])
		count++;
	const char **argv =
		br_arena_array(&doctor->arena, count + 1, sizeof(*argv));
	const struct br_program what = { .argv = argv };
	const struct br_process_limits limits = {
		.timeout_ms = BROKER_MS,
		.max_bytes = ANSWER_BYTES,
		.cancel_fd = -1,
	};

	if (!farm_find(&program, err))
		return false;
	for (size_t i = 1; i < count; i++)
		argv[i] = doctor->argv[i];
	argv[0] = program;
	return br_program_run(&what, &limits, answer, status, err);
}

void doctor_broker(struct doctor *doctor)
{
	br_autobuf struct br_buf answer = { 0 };
	struct br_err err = { 0 };
	int status = 0;
	const char *mend = "look at BUILDR_BROKER, 'broker' in the "
			   "configuration, and whether RabbitMQ runs there";

	if (!doctor->options->broker) {
		doctor_ok(doctor, "broker",
			"none is named, and only builds on agents need one");
		return;
	}
	if (!ask_farm(doctor, &answer, &status, &err))
		doctor_wrong(doctor, "broker", mend, "%s", err.text);
	else if (status != STATUS_PASS)
		doctor_wrong(
			doctor, "broker", mend, "%s", br_buf_text(&answer));
	else
		doctor_ok(doctor, "broker", "%.*s",
			(int)strcspn(br_buf_text(&answer), "\n"),
			br_buf_text(&answer));
}
