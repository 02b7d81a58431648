/* SPDX-License-Identifier: MIT */
/* A request that asks for a value. */
#include "engine/http.h"
#include "engine/json.h"

enum { ASK_TIMEOUT_MS = 30 * 1000 };

bool br_http_ask_json(struct br_http *http, const char *path,
	struct cJSON **value, struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };

	if (!br_http_want(http,
		    &(struct br_http_request){
			    .method = "GET",
			    .path = path,
			    .timeout_ms = ASK_TIMEOUT_MS,
		    },
		    &answer, err))
		return false;
	return br_json_parse(br_buf_str(&answer.body), value, err) ||
		br_wrap(err, "the engine's answer to %s", path);
}
