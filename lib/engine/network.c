/* SPDX-License-Identifier: MIT */
#include "engine/network.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "engine/container.h"
#include "engine/json.h"

/* Its rules for packets take the engine long where the machine is busy. */
enum { CALL_TIMEOUT_MS = 120 * 1000 };

/* The program whose command line makes and removes networks. */
static const char *tool(const struct br_http *http)
{
	return br_http_is_podman(http) ? "podman" : "docker";
}

static bool is_success(const struct br_http_answer *answer)
{
	return answer->status >= 200 && answer->status < 300;
}

bool br_network_is_missing(const char *message)
{
	/* "network x not found"; Podman ends with ": network not found". */
	return strstr(message, "network ") && strstr(message, " not found");
}

char *br_network_find_missing(const char *message)
{
	static const char before[] = "network ";
	const char *name = strstr(message, before);

	if (!name)
		return NULL;
	name += strlen(before);

	size_t len = strcspn(name, " ");
	if (len == 0 || strcmp(name + len, " not found") != 0)
		return NULL;
	return br_memdup(name, len);
}

bool br_network_fail_missing(
	const struct br_http *http, const char *name, struct br_err *err)
{
	return br_fail(err, BR_EINPUT,
		"there is no network '%.100s': make it with '%s network create %.100s', or name another",
		name, tool(http), name);
}

static bool check_texts(const struct br_network_spec *spec, struct br_err *err)
{
	const char *const texts[] = { spec->name, spec->build,
		spec->project_label, spec->owner };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!br_utf8_is_valid(texts[i], strlen(texts[i])))
			return br_fail(err, BR_EINPUT,
				"its name or a label is not UTF-8, which a request to the engine must be");
	return true;
}

/* Whether the engine has no addresses left, in the words of some of its versions. */
static bool is_exhausted(const char *message)
{
	static const char *const words[] = {
		"non-overlapping IPv4 address pool",
		"address pools have been fully subnetted",
		/* Podman's. */
		"could not find free subnet"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(message, words[i]))
			return true;
	return false;
}

static bool refuse(struct br_http *http, const struct br_http_answer *answer,
	struct br_err *err)
{
	br_autofree char *message = br_http_message(br_buf_str(&answer->body));

	if (answer->status == 409 || strstr(message, "already exists"))
		return br_fail(err, BR_EINPUT, "the engine says: %s", message);
	if (is_exhausted(message))
		return br_fail(err, BR_EUNAVAIL,
			"the engine has no addresses left for another network: remove some with 'buildr gc' and '%s network prune'",
			tool(http));
	return br_http_refuse(answer, err);
}

static bool ask_to_create(struct br_http *http,
	const struct br_network_spec *spec, struct br_err *err)
{
	br_autobuf struct br_buf json = { 0 };
	br_autoanswer struct br_http_answer answer = { 0 };

	br_buf_add_text(&json, "{\"Name\":");
	br_json_add_string(&json, br_str(spec->name));
	br_buf_add_text(
		&json, ",\"CheckDuplicate\":true,\"Driver\":\"bridge\",");
	br_labels_encode(spec->build, spec->project_label, spec->owner,
		spec->may_stay, &json);
	br_buf_add_char(&json, '}');
	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "POST",
			    .path = "/networks/create",
			    .body = json.data,
			    .body_len = json.len,
			    .content_type = "application/json",
			    .is_once = true,
			    .timeout_ms = CALL_TIMEOUT_MS,
		    },
		    &answer, err))
		return false;
	return is_success(&answer) || refuse(http, &answer, err);
}

bool br_network_create(struct br_http *http, const struct br_network_spec *spec,
	struct br_err *err)
{
	if (!check_texts(spec, err) || !ask_to_create(http, spec, err))
		return br_wrap(err, "create the network '%.100s'", spec->name);
	return true;
}

/* The path of a network; of what is done with it where `verb` is not "". */
static char *path_of(const char *network, const char *verb)
{
	struct br_buf path = { 0 };

	br_buf_add_text(&path, "/networks/");
	br_http_add_escaped(&path, network);
	br_buf_add_text(&path, verb);
	return br_buf_take(&path);
}

/* Post `json` to what `verb` says is to be done with the network. */
static bool post(struct br_http *http, const char *network, const char *verb,
	const struct br_buf *json, struct br_http_answer *answer,
	struct br_err *err)
{
	br_autofree char *path = path_of(network, verb);

	return br_http_call(http,
		&(struct br_http_request){
			.method = "POST",
			.path = path,
			.body = json->data,
			.body_len = json->len,
			.content_type = "application/json",
			.is_once = true,
			.timeout_ms = CALL_TIMEOUT_MS,
		},
		answer, err);
}

static bool refuse_connect(struct br_http *http, const char *name,
	const struct br_http_answer *answer, struct br_err *err)
{
	br_autofree char *message = br_http_message(br_buf_str(&answer->body));

	if (br_network_is_missing(message))
		return br_network_fail_missing(http, name, err);
	return br_http_refuse(answer, err);
}

bool br_network_connect(struct br_http *http, const char *name, const char *id,
	struct br_err *err)
{
	br_autobuf struct br_buf json = { 0 };
	br_autoanswer struct br_http_answer answer = { 0 };

	br_buf_addf(&json, "{\"Container\":\"%s\"}", id);
	if (!post(http, name, "/connect", &json, &answer, err) ||
		(!is_success(&answer) &&
			!refuse_connect(http, name, &answer, err)))
		return br_wrap(err, "connect it to the network '%.100s'", name);
	return true;
}

/* Ask for its removal. Gives !*is_removed where it is in use. */
static bool ask_to_remove(struct br_http *http, const char *network,
	bool *is_removed, struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autofree char *path = path_of(network, "");

	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "DELETE",
			    .path = path,
			    .timeout_ms = CALL_TIMEOUT_MS,
		    },
		    &answer, err))
		return false;
	*is_removed = answer.status == 404 || is_success(&answer);
	/* Docker's words, and Podman's. */
	return *is_removed ||
		strstr(br_buf_text(&answer.body), "active endpoints") ||
		strstr(br_buf_text(&answer.body), "network is being used") ||
		br_http_refuse(&answer, err);
}

/* Take what a container that is gone has left out of a network. */
static bool disconnect(struct br_http *http, const char *network,
	const char *name, struct br_err *err)
{
	br_autobuf struct br_buf json = { 0 };
	br_autoanswer struct br_http_answer answer = { 0 };

	br_buf_add_text(&json, "{\"Force\":true,\"Container\":");
	br_json_add_string(&json, br_str(name));
	br_buf_add_char(&json, '}');
	if (!post(http, network, "/disconnect", &json, &answer, err))
		return false;
	/* 404: by now it has left by itself. */
	return is_success(&answer) || answer.status == 404 ||
		br_http_refuse(&answer, err);
}

/*
 * Take `member` of a network's list of containers out of it where there is no such
 * container any more: an engine that was killed may keep its endpoint, and knows that
 * by its name only.
 */
static bool evict(struct br_http *http, const char *network,
	const struct cJSON *member, struct br_err *err)
{
	const char *container = br_json_name(member);
	struct br_container_state state = { 0 };
	/* Else the engine itself does not know whose it is: `ep-<endpoint>`. */
	bool is_id = container[0] != '\0' &&
		strspn(container, "0123456789abcdef") == strlen(container);

	if (is_id && !br_container_inspect(http, container, &state, err))
		return false;
	return state.exists ||
		disconnect(
			http, network, br_json_find_text(member, "Name"), err);
}

/* Take all out of it that are gone. */
static bool evict_all(
	struct br_http *http, const char *network, struct br_err *err)
{
	br_autojson struct cJSON *found = NULL;
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autofree char *path = path_of(network, "");

	if (!br_http_call(http,
		    &(struct br_http_request){
			    .method = "GET",
			    .path = path,
			    .timeout_ms = CALL_TIMEOUT_MS,
		    },
		    &answer, err))
		return false;
	/* Another sweep was faster. */
	if (answer.status == 404)
		return true;
	if (!is_success(&answer))
		return br_http_refuse(&answer, err);
	if (!br_json_parse(br_buf_str(&answer.body), &found, err))
		return br_wrap(err, "the engine's description of it");

	const struct cJSON *members = br_json_find(found, "Containers");
	for (const struct cJSON *member = br_json_first(members); member;
		member = br_json_next(member))
		if (!evict(http, network, member, err))
			return false;
	return true;
}

bool br_network_remove(struct br_http *http, const char *id, const char *name,
	bool *is_removed, struct br_err *err)
{
	/* By its id Podman removes one under the containers that run in it. */
	const char *network = br_http_is_podman(http) ? name : id;
	bool is_gone = false;

	if (!ask_to_remove(http, network, &is_gone, err) ||
		(!is_gone &&
			(!evict_all(http, network, err) ||
				!ask_to_remove(http, network, &is_gone, err))))
		return br_wrap(err, "remove a network");
	*is_removed = is_gone;
	return true;
}
