/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clean.h"
#include "checkout/address.h"
#include "checkout/ref.h"
#include "checkout/repo.h"
#include "checkout/verdict.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void tells_whose_fault_a_complaint_of_gits_is(void **state)
{
	static const struct {
		const char *complaint;
		enum br_code code;
		const char *text;
	} cases[] = {
		{ "fatal: couldn't find remote ref refs/heads/x\n",
			BR_ENOTFOUND,
			"git: couldn't find remote ref refs/heads/x" },
		{ "warning: x\nremote: Repository not found.\n"
		  "fatal: repository 'https://h/x/' not found\n",
			BR_ENOTFOUND, "git: Repository not found." },
		{ "git@h: Permission denied (publickey).\n"
		  "fatal: Could not read from remote repository.\n",
			BR_ENOTFOUND,
			"git: git@h: Permission denied (publickey)." },
		{ "kex_exchange: reset\n"
		  "fatal: Could not read from remote repository.\n",
			BR_EUNAVAIL,
			"git: Could not read from remote repository." },
		{ "fatal: unable to access 'https://u:p@h/x': Could not "
		  "resolve host: h\n",
			BR_EUNAVAIL,
			"git: unable to access 'https://h/x': Could not "
			"resolve host: h" },
		/* What is wrong here comes first, whatever a server says. */
		{ "remote: Repository not found\n"
		  "fatal: write error: No space left on device\n",
			BR_ESYSTEM,
			"git: write error: No space left on device" },
		{ "warning: a\nerror: b\nfatal: c\n", BR_EPROTO, "git: c" },
		{ "only \x1b[31mthis\xff", BR_EPROTO, "git: only ?[31mthis?" },
		{ "", BR_EPROTO, "git: " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct br_err err = { 0 };

		assert_false(br_verdict(cases[i].complaint, &err));
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.code, cases[i].code);
	}
}

static void takes_the_login_out_of_an_address(void **state)
{
	br_autorepo struct br_repo repo = { 0 };
	br_autorepo struct br_repo again = { 0 };
	br_autorepo struct br_repo other = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_repo_parse(
		"https://me:p%40%2fw%@[::1]:8443/x?y", NULL, &repo, &err));
	assert_string_equal(repo.address, "https://[::1]:8443/x?y");
	assert_string_equal(repo.protocol, "https");
	assert_string_equal(repo.server, "https://[::1]:8443");
	assert_string_equal(repo.user, "me");
	assert_string_equal(repo.password, "p@/w%");
	/* Whoever it is for, the mirror is the same. */
	assert_true(br_repo_parse(
		"https://you@[::1]:8443/x?y", NULL, &again, &err));
	assert_null(again.password);
	assert_string_equal(again.user, "you");
	assert_string_equal(again.key, repo.key);
	assert_true(br_repo_parse("git@h:x", NULL, &other, &err));
	assert_null(other.server);
	assert_string_equal(other.address, "git@h:x");
	assert_string_equal(other.protocol, "ssh");
	assert_string_not_equal(other.key, repo.key);
}

static void knows_what_is_a_url_and_what_is_not(void **state)
{
	static const struct {
		const char *text;
		enum br_address_form form;
		const char *protocol;
		const char *host;
		const char *path;
	} cases[] = {
		{ "ssh://u@h:1/p", BR_ADDRESS_URL, "ssh", "h", "/p" },
		{ "h:p", BR_ADDRESS_SCP, "ssh", "h", "p" },
		{ "u@[::1]:p:q", BR_ADDRESS_SCP, "ssh", "[::1]", "p:q" },
		{ "a/b:c", BR_ADDRESS_PATH, "file", "", "a/b:c" },
		{ "/a:b", BR_ADDRESS_PATH, "file", "", "/a:b" },
		{ "a::b", BR_ADDRESS_HELPER, "a", "", "b" },
		{ "::b", BR_ADDRESS_HELPER, "", "", "b" },
		{ "1://h/x", BR_ADDRESS_SCP, "ssh", "1", "//h/x" },
		{ "http://h", BR_ADDRESS_URL, "http", "h", "" },
		{ "http://h?x", BR_ADDRESS_URL, "http", "h", "?x" },
		{ "", BR_ADDRESS_PATH, "file", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct br_address address;

		br_address_split(cases[i].text, &address);
		assert_int_equal(address.form, cases[i].form);
		assert_true(br_str_is(address.protocol, cases[i].protocol));
		assert_true(br_str_is(address.host, cases[i].host));
		assert_true(br_str_is(address.path, cases[i].path));
	}
}

static void allows_more_protocols_when_told(void **state)
{
	static const char *const more[] = { "file", "ext", NULL };
	static const char *const addresses[] = { "/x", "file:///x", "ext::x" };
	br_autofree char *list = br_repo_protocols(more);
	struct br_err err = { 0 };

	(void)state;
	assert_string_equal(list, "https:http:ssh:git:file:ext");
	for (size_t i = 0; i < COUNT(addresses); i++) {
		br_autorepo struct br_repo repo = { 0 };

		assert_false(br_repo_parse(addresses[i], NULL, &repo, &err));
		assert_int_equal(err.code, BR_EINPUT);
		assert_true(br_repo_parse(addresses[i], more, &repo, &err));
	}
}

static void reads_what_a_job_calls_its_branch(void **state)
{
	struct br_ref ref;
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_ref_parse("refs/tags/v1", &ref, &err));
	assert_int_equal(ref.kind, BR_REF_TAG);
	assert_string_equal(ref.name, "v1");
	assert_true(br_ref_parse("refs/x", &ref, &err));
	assert_int_equal(ref.kind, BR_REF_ANY);
	assert_string_equal(ref.name, "refs/x");
	assert_true(br_ref_parse(NULL, &ref, &err));
	assert_int_equal(ref.kind, BR_REF_HEAD);
	/* The text is one line of UTF-8 whatever the name is. */
	assert_false(br_ref_parse("\xff\n..", &ref, &err));
	assert_string_equal(err.text, "branch '??..' is none that git takes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_whose_fault_a_complaint_of_gits_is),
		cmocka_unit_test(takes_the_login_out_of_an_address),
		cmocka_unit_test(knows_what_is_a_url_and_what_is_not),
		cmocka_unit_test(allows_more_protocols_when_told),
		cmocka_unit_test(reads_what_a_job_calls_its_branch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
