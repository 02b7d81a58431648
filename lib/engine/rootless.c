/* SPDX-License-Identifier: MIT */
#include "engine/rootless.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clean.h"
#include "engine/http.h"
#include "engine/json.h"

/* Whether root is at the other end of the socket (who made it, unix(7)). */
static bool is_roots_socket(const struct br_address *address)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);
	const char *path = address->socket_path;

	if (!path)
		return false;

	br_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(name.sun_path, path, strnlen(path, sizeof(name.sun_path) - 1));
	return fd >= 0 &&
		connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 &&
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		peer.uid == 0;
}

/* Docker lists it among the security options, Podman has a member for it. */
static bool says_rootless(const struct cJSON *info)
{
	const struct cJSON *options = br_json_find(info, "SecurityOptions");

	for (const struct cJSON *entry = br_json_first(options); entry;
		entry = br_json_next(entry))
		if (strstr(br_json_text(entry), "name=rootless"))
			return true;
	return br_json_is_true(br_json_find(info, "Rootless"));
}

bool br_rootless_find(
	struct br_http *http, struct br_rootless *found, struct br_err *err)
{
	br_autojson struct cJSON *info = NULL;

	*found = (struct br_rootless){ 0 };
	if (is_roots_socket(br_http_address(http)))
		return true;
	if (!br_http_ask_json(http, "/info", &info, err))
		return false;
	found->is_rootless = says_rootless(info);
	/* The first version's cgroups are root's alone. */
	found->is_unlimited = found->is_rootless &&
		!strcmp(br_json_find_text(info, "CgroupVersion"), "1");
	return true;
}
