/* SPDX-License-Identifier: MIT */
/*
 * limits.h - every cap on what comes from outside, with its reason.
 *
 * Allocation cannot fail in this code (alloc.h), so each amount that a file, a
 * peer or a user decides has a maximum, and all of them stand here.
 */
#pragma once

enum {
	/* A manifest is written by hand; manifest.md states these three. */
	BR_LIMIT_MANIFEST_BYTES = 1024 * 1024,
	BR_LIMIT_MANIFEST_DEPTH = 64,
	BR_LIMIT_MANIFEST_NODES = 100000,

	/* libyaml takes time that grows with the square of these. */
	BR_LIMIT_MANIFEST_DIRECTIVES = 32,

	/* More mistakes than anybody reads; the rest is counted. */
	BR_LIMIT_DIAGS = 100,

	/* A name is a table column, an event field and part of a command. */
	BR_LIMIT_STAGE_NAME_BYTES = 100,
	BR_LIMIT_STAGES = 10000,
	/* With the values of its matrix. */
	BR_LIMIT_FULL_NAME_BYTES = 500,

	/* Each combination is a stage; its values are part of the stage's name. */
	BR_LIMIT_MATRIX_COMBINATIONS = 1000,
	BR_LIMIT_MATRIX_NAMES = 32,
	BR_LIMIT_MATRIX_VALUE_BYTES = 100,

	/* Of one stage; each is a container. */
	BR_LIMIT_SERVICES = 100,

	/* A dotenv file holds settings, not data. */
	BR_LIMIT_DOTENV_BYTES = 1024 * 1024,

	/* execve() takes 128 KiB for one argument or variable (MAX_ARG_STRLEN). */
	BR_LIMIT_ENV_ENTRY_BYTES = 128 * 1024 - 1,

	/* A file of options: one with a list of thousands of repositories fits. */
	BR_LIMIT_SETTINGS_BYTES = 1024 * 1024,

	/* docker's config.json and context files: a few KiB in practice. */
	BR_LIMIT_DOCKER_CONFIG_BYTES = 4 * 1024 * 1024,

	/* A JSON answer of the engine that is kept whole (lists, inspect). */
	BR_LIMIT_ENGINE_ANSWER_BYTES = 16 * 1024 * 1024,

	/* One line of the engine's progress stream. */
	BR_LIMIT_ENGINE_LINE_BYTES = 1024 * 1024,

	/* Layers whose progress is summed up; overlayfs takes 500. */
	BR_LIMIT_IMAGE_LAYERS = 1000,

	/*
	 * One event as JSON: the command of a step may be nearly the whole manifest,
	 * twice as long with its escapes, and results of 10,000 stages are 1.2 MB.
	 */
	BR_LIMIT_EVENT_BYTES = 4 * 1024 * 1024,

	/*
	 * What is read of one log, at its end, and of all together: that of a build
	 * with 10,000 stages is 8 MB, and one such log tells enough.
	 */
	BR_LIMIT_LOG_BYTES = 16 * 1024 * 1024,
	BR_LIMIT_LOGS_BYTES = 4 * 1024 * 1024,

	/* Output is handed on in pieces of at most this. */
	BR_LIMIT_OUTPUT_BYTES = 64 * 1024,

	/* A secret that is longer is not a secret but a file. */
	BR_LIMIT_SECRET_BYTES = 64 * 1024,

	/* HEAD or a reference of git is one line; packed-refs has one for each. */
	BR_LIMIT_GIT_FILE_BYTES = 64 * 1024,
	BR_LIMIT_GIT_REFS_BYTES = 64 * 1024 * 1024,

	/* What RabbitMQ 4 takes at most unless told otherwise. */
	BR_LIMIT_MESSAGE_BYTES = 16 * 1024 * 1024,

	/* The longest path that Linux has; git keeps a branch in a file below others. */
	BR_LIMIT_REPO_BYTES = 4096,
	BR_LIMIT_BRANCH_BYTES = 1024,
	/* With theirs; large projects have some hundred. */
	BR_LIMIT_SUBMODULES = 1000,

	/* Paths that change at once, or while watching; more is a lot of everything. */
	BR_LIMIT_WATCH_PATHS = 100000,
	/* Content is compared of what is quickly read: 0.1 s. */
	BR_LIMIT_WATCH_HASH_BYTES = 16 * 1024 * 1024,
	/* What stages read and write: Linux has 80,000 files, and this takes 0.5 GB. */
	BR_LIMIT_LISTED_FILES = 1000000,
	/* Of a glob: how far it has come at a path is a bit for each, and one for none. */
	BR_LIMIT_GLOB_FOLDERS = 60,
	/* PATH_MAX: no longer path is taken or given by a system call. */
	BR_LIMIT_PATH_BYTES = 4096,

	/* What a stage left, as it is stored: 150 bytes for a file with a short path. */
	BR_LIMIT_RESULT_BYTES = 256 * 1024 * 1024,
	/*
	 * The log of a stage, which is put out again when it need not run: it is read as a
	 * whole then.
	 */
	BR_LIMIT_STORED_LOG_BYTES = 64 * 1024 * 1024,
	/* Which stages have had a result: a hundred with long names. */
	BR_LIMIT_USERS_BYTES = 64 * 1024,
	/* All that a result in a remote cache names: 64 GiB, as much as a disk might have. */
	BR_LIMIT_REMOTE_MIB = 64 * 1024,
	/* A stored folder that is empty has its mode and nothing else. */
	BR_LIMIT_STORED_TREE_BYTES = 1024,

	/* sun_path of a unix socket, with its NUL (unix(7)). */
	BR_LIMIT_SOCKET_PATH_BYTES = 108,
};
