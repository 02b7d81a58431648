/* SPDX-License-Identifier: MIT */
#include "checkout/repository.h"

#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"
#include "checkout/folder.h"

enum { FOLDER_MODE = 0755, FILE_MODE = 0644 };

static bool write_file(const char *folder, const char *name, const char *text,
	struct br_err *err)
{
	br_autofree char *path = br_path_join(folder, name);

	return br_file_save_new(path, FILE_MODE, text, strlen(text), err);
}

bool br_repository_make(const char *path, const char *config, const char *head,
	struct br_err *err)
{
	static const char *const folders[] = { "", "objects", "objects/pack",
		"objects/info", "refs", "refs/heads", "refs/tags" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		br_autofree char *folder = br_path_join(path, folders[i]);

		if (!br_folder_make(folder, FOLDER_MODE, err))
			return false;
	}
	return write_file(path, "config", config, err) &&
		write_file(path, "HEAD", head, err);
}

bool br_repository_is_made(const char *path)
{
	br_autofree char *head = br_path_join(path, "HEAD");

	return access(head, F_OK) == 0;
}

void br_repository_quote(struct br_buf *config, const char *text)
{
	br_buf_add_char(config, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			br_buf_add_char(config, '\\');
		br_buf_add_char(config, *text);
	}
	br_buf_add_char(config, '"');
}
