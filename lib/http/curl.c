/* SPDX-License-Identifier: MIT */
#include "http/curl.h"

#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct symbol {
	const char *name;
	size_t offset;
};

#define SYMBOL(member) \
	{ \
		.name = "curl_" #member, \
		.offset = offsetof(struct br_curl, member), \
	}

static const struct symbol symbols[] = {
	SYMBOL(global_init),
	SYMBOL(global_cleanup),
	SYMBOL(easy_init),
	SYMBOL(easy_setopt),
	SYMBOL(easy_getinfo),
	SYMBOL(easy_strerror),
	SYMBOL(easy_reset),
	SYMBOL(easy_cleanup),
	SYMBOL(easy_recv),
	SYMBOL(easy_send),
	SYMBOL(multi_init),
	SYMBOL(multi_setopt),
	SYMBOL(multi_add_handle),
	SYMBOL(multi_remove_handle),
	SYMBOL(multi_perform),
	SYMBOL(multi_poll),
	SYMBOL(multi_info_read),
	SYMBOL(multi_cleanup),
	SYMBOL(slist_append),
	SYMBOL(slist_free_all),
};

static bool find_symbols(struct br_curl *curl, struct br_err *err)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *found = dlsym(curl->library, symbols[i].name);

		if (!found)
			return br_fail(err, BR_ESYSTEM,
				"load libcurl: it has no %s", symbols[i].name);
		/* POSIX: a function's address may be kept in a void pointer. */
		memcpy((char *)curl + symbols[i].offset, &found, sizeof(found));
	}
	return true;
}

static void on_abort(int number)
{
	(void)number;
	br_out_of_memory();
}

static bool start(struct br_curl *curl, bool is_tls, struct br_err *err)
{
	/* NODELETE: libraries under it do not survive being unloaded. */
	curl->library =
		dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (!curl->library)
		return br_fail(err, BR_ESYSTEM, "load libcurl: %s", dlerror());
	if (!find_symbols(curl, err)) {
		curl->global_cleanup = NULL;
		return false;
	}
	if (curl->global_init(
		    is_tls ? CURL_GLOBAL_DEFAULT : CURL_GLOBAL_NOTHING)) {
		curl->global_cleanup = NULL;
		return br_fail(err, BR_ESYSTEM, "load libcurl: no start");
	}
	return true;
}

bool br_curl_load(bool is_tls, struct br_curl **curl, struct br_err *err)
{
	br_auto(br_curl) struct br_curl *loaded = br_alloc(sizeof(*loaded));
	const struct sigaction action = { .sa_handler = on_abort };
	struct sigaction before = { 0 };

	/* Libraries under it abort where they find no memory at their start. */
	(void)sigaction(SIGABRT, &action, &before);
	bool is_started = start(loaded, is_tls, err);
	(void)sigaction(SIGABRT, &before, NULL);
	if (!is_started)
		return false;
	*curl = br_take_ptr(&loaded);
	return true;
}

void br_curl_free(struct br_curl *curl)
{
	if (!curl)
		return;
	if (curl->global_cleanup)
		curl->global_cleanup();
	if (curl->library)
		(void)dlclose(curl->library);
	free(curl);
}
