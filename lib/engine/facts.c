/* SPDX-License-Identifier: MIT */
#include "engine/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/http.h"
#include "engine/json.h"
#include "engine/rootless.h"

void br_facts_done(struct br_facts *facts)
{
	free(facts->api_oldest);
	free(facts->api_newest);
	free(facts->root_dir);
	free(facts->image);
	*facts = (struct br_facts){ 0 };
}

/* The first name of an image; "" where it has none. */
static const char *name_of(const struct cJSON *image)
{
	const char *name =
		br_json_text(br_json_first(br_json_find(image, "RepoTags")));

	return !strncmp(name, "<none>", strlen("<none>")) ? "" : name;
}

static bool find_image(struct br_http *http, char **name, struct br_err *err)
{
	br_autojson struct cJSON *images = NULL;
	const char *found = NULL;
	int64_t least = INT64_MAX;

	if (!br_http_ask_json(http, "/images/json", &images, err))
		return false;
	for (const struct cJSON *image = br_json_first(images); image;
		image = br_json_next(image)) {
		int64_t size =
			br_json_int(br_json_find(image, "Size"), INT64_MAX - 1);

		if (name_of(image)[0] == '\0' || size >= least)
			continue;
		found = name_of(image);
		least = size;
	}
	*name = found ? br_strdup(found) : NULL;
	return true;
}

bool br_facts_find(
	struct br_http *http, struct br_facts *facts, struct br_err *err)
{
	br_autojson struct cJSON *version = NULL;
	br_autojson struct cJSON *info = NULL;
	struct br_rootless rootless = { 0 };
	char *image = NULL;

	if (!br_http_ask_json(http, "/version", &version, err) ||
		!br_http_ask_json(http, "/info", &info, err) ||
		!br_rootless_find(http, &rootless, err) ||
		!find_image(http, &image, err))
		return false;
	*facts = (struct br_facts){
		.is_podman = br_http_is_podman(http),
		.api_oldest =
			br_strdup(br_json_find_text(version, "MinAPIVersion")),
		.api_newest =
			br_strdup(br_json_find_text(version, "ApiVersion")),
		.is_rootless = rootless.is_rootless,
		.is_unlimited = rootless.is_unlimited,
		.root_dir = br_strdup(br_json_find_text(info, "DockerRootDir")),
		.image = image,
	};
	return true;
}
