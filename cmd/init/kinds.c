/* SPDX-License-Identifier: MIT */
#include "cmd/init/kinds.h"

#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"
#include "cmd/init/details.h"

const struct kind kinds[KINDS] = {
	{ "cargo", "Rust with Cargo", { "Cargo.toml" }, .look = look_at_cargo },
	{ "go", "Go", { "go.mod" }, .look = look_at_go },
	{ "maven", "Java with Maven", { "pom.xml" }, .family = "jvm",
		.look = look_at_maven },
	{ "gradle", "Java or Kotlin with Gradle",
		{ "build.gradle", "build.gradle.kts", "settings.gradle",
			"settings.gradle.kts" },
		.family = "jvm", .look = look_at_gradle },
	{ "sbt", "Scala with sbt", { "build.sbt" }, .family = "jvm",
		.look = look_at_sbt },
	{ "python", "Python",
		{ "pyproject.toml", "setup.py", "setup.cfg",
			"requirements.txt" },
		.look = look_at_python },
	{ "npm", "Node.js with npm, yarn or pnpm", { "package.json" },
		.look = look_at_npm },
	{ "meson", "C, C++ and others with Meson", { "meson.build" },
		.family = "native" },
	{ "cmake", "C or C++ with CMake", { "CMakeLists.txt" },
		.family = "native" },
	{ "make", "anything with a Makefile",
		{ "GNUmakefile", "makefile", "Makefile" },
		.is_last_resort = true, .look = look_at_make },
};

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

const char *kind_file(const struct kind *kind, const char *folder)
{
	for (size_t i = 0; i < KIND_FILES && kind->files[i]; i++) {
		br_autofree char *path = br_path_join(folder, kind->files[i]);

		if (access(path, F_OK) == 0)
			return kind->files[i];
	}
	return NULL;
}

static bool has_family(
	const struct kind *const *found, size_t count, const char *family)
{
	for (size_t i = 0; family && i < count; i++)
		if (found[i]->family && !strcmp(found[i]->family, family))
			return true;
	return false;
}

size_t kinds_detect(const char *folder, const struct kind *found[KINDS])
{
	size_t count = 0;

	for (size_t i = 0; i < KINDS; i++) {
		const struct kind *kind = &kinds[i];

		if (kind_file(kind, folder) &&
			!has_family(found, count, kind->family) &&
			!(kind->is_last_resort && count > 0))
			found[count++] = kind;
	}
	return count;
}
