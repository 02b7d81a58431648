/* SPDX-License-Identifier: MIT */
/*
 * What the result of a stage depends on, and what not.
 *
 * Planted bugs that these tests were seen to catch: a stage's name that counts, `shell` that does
 * not, a secret's value that stands unkeyed in the record, BUILDR_COMMIT that counts where no step
 * names it, what git is told of the project that counts, a skipped stage that hides what it
 * needs, an image whose new digest leaves identities as they were.
 */
#include <fcntl.h>
#include <unistd.h>

#include "cache/store.h"
#include "run/identity.h"
#include "tests/support/folder.h"
#include "tests/unit/planned.h"

#define HEAD "image: image:1\n"

struct fixture {
	char *home;
	char *project;
	int project_fd;
	struct br_store *store;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct br_err err = { 0 };

	fixture->home = folder_make();
	fixture->project = folder_make();
	fixture->project_fd = open(fixture->project, O_RDONLY | O_DIRECTORY);
	folder_write(fixture->project, "src/main.c", 0644, "int main;\n");
	folder_write(fixture->project, "out/main.o", 0644, "object");
	assert_true(br_store_open(fixture->home, &fixture->store, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	br_store_free(fixture->store);
	(void)close(fixture->project_fd);
	folder_remove(fixture->home);
	folder_remove(fixture->project);
	free(fixture);
	return 0;
}

/* What is asked for, and of what. */
struct question {
	const char *manifest;
	/* NULL: `one`. */
	const char *stage;
	/* -e. */
	const char *env;
	const char *only;
	/* NULL: as it was. */
	const char *digest;
};

/* Give the index of a stage. */
static size_t find_stage(const struct br_plan *plan, const char *name)
{
	size_t index = 0;

	while (index < plan->stage_count &&
		strcmp(plan->stages[index].name, name) != 0)
		index++;
	assert_int_not_equal(index, plan->stage_count);
	return index;
}

static void set_digests(struct br_identities *identities,
	const struct br_plan *plan, const char *digest)
{
	for (size_t i = 0; i < plan->stage_count; i++)
		br_identities_set_digest(
			identities, plan->stages[i].image, digest);
	for (size_t i = 0; i < plan->service_count; i++)
		br_identities_set_digest(
			identities, plan->services[i].image, digest);
}

/* Find the identity of a stage, after those of all before it, and its record. */
static void identify(const struct fixture *fixture,
	const struct question *question, uint8_t bytes[BR_HASH_BYTES],
	struct br_buf *record)
{
	static const uint8_t secret_key[BR_HASH_BYTES] = { 1 };
	const char *digest = question->digest ? question->digest : "sha256:1";
	const char *name = question->stage ? question->stage : "one";
	struct planned planned = { .project_dir = fixture->project };
	struct br_identities identities;
	struct br_err err = { 0 };

	planned.options.env = &question->env;
	planned.options.env_count = question->env != NULL;
	planned.options.selection.items = &name;
	planned.options.selection.count = question->only == NULL;
	planned.options.only.items = &question->only;
	planned.options.only.count = question->only != NULL;
	planned_must(&planned, question->manifest);

	size_t wanted = find_stage(planned.plan, name);
	br_identities_init(&identities, planned.plan, secret_key);
	set_digests(&identities, planned.plan, digest);
	for (size_t i = 0; i <= wanted; i++) {
		br_autokey struct br_cache_key key = { 0 };

		if (!planned.plan->stages[i].is_cached ||
			planned.plan->stages[i].skip != BR_SKIP_NOT)
			continue;
		assert_true(br_identities_find(&identities, i,
			fixture->project_fd, fixture->store, &key, &err));
		if (i == wanted && record)
			br_cache_key_record(&key, record);
	}
	assert_true(identities.stages[wanted].is_known);
	memcpy(bytes, identities.stages[wanted].bytes, BR_HASH_BYTES);
	br_identities_done(&identities);
	planned_done(&planned);
}

static bool is_same(const struct fixture *fixture, const struct question *a,
	const struct question *b)
{
	uint8_t left[BR_HASH_BYTES];
	uint8_t right[BR_HASH_BYTES];

	identify(fixture, a, left, NULL);
	identify(fixture, b, right, NULL);
	return memcmp(left, right, BR_HASH_BYTES) == 0;
}

/* The stage `one` of all tests. */
#define ONE(REST) HEAD "one: {inputs: [src/], script: [cc]" REST "}\n"

static void what_decides_how_it_runs_counts(void **state)
{
	static const char *const others[] = {
		ONE(", shell: bash"),
		ONE(", user: builder"),
		ONE(", workdir: src"),
		ONE(", tty: true"),
		ONE(", outputs: [out/]"),
		ONE(", environment: [A=b]"),
		ONE(", services: [db]"),
		ONE("") "network: host\n",
		HEAD "one: {inputs: [src/], script: [[cc]]}\n",
		HEAD "one: {inputs: [src/], script: [cc, 'true']}\n",
		HEAD "one: {inputs: [], script: [cc]}\n",
	};
	const struct question plain = { .manifest = ONE("") };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct question other = { .manifest = others[i] };

		if (is_same(*state, &plain, &other))
			fail_msg("as good as the same: %s", others[i]);
	}
	assert_false(is_same(*state, &plain,
		&(struct question){ ONE(""), .digest = "sha256:2" }));
}

static void what_does_not_change_the_result_does_not_count(void **state)
{
	static const char *const others[] = {
		"# a comment\n" ONE(""),
		HEAD "one:\n  script:\n    - cc\n  inputs:\n    - src/\n",
		ONE(", timeout: 1m, retry: 2, allow_failure: true"),
		ONE(", when: {status: always}"),
		ONE("") "limits: {memory: 1g}\n",
		ONE("") "other: {script: [ls]}\n",
		"image: other/name:7\none: {inputs: [src/], script: [cc]}\n",
		HEAD "one: {inputs: [src/main.c], script: [cc]}\n",
		HEAD "one: {inputs: ['*.c'], script: [cc]}\n",
	};
	const struct question plain = { .manifest = ONE("") };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct question other = { .manifest = others[i] };

		if (!is_same(*state, &plain, &other))
			fail_msg("not the same: %s", others[i]);
	}
	assert_true(is_same(*state, &plain,
		&(struct question){ HEAD
			"renamed: {inputs: [src/], script: [cc]}\n",
			.stage = "renamed" }));
}

static void its_own_outputs_are_no_inputs(void **state)
{
	const struct fixture *fixture = *state;
	static const char *const manifests[] = {
		HEAD "one: {inputs: ['**'], outputs: [out/], script: [cc]}\n",
		HEAD "one: {inputs: ['**'], outputs: ['out/*', '!out/keep'], "
		     "script: [cc]}\n",
	};

	for (size_t i = 0; i < sizeof(manifests) / sizeof(manifests[0]); i++) {
		const struct question question = { .manifest = manifests[i] };
		uint8_t before[BR_HASH_BYTES];
		uint8_t after[BR_HASH_BYTES];

		folder_write(fixture->project, "out/keep", 0644, "a");
		identify(fixture, &question, before, NULL);
		folder_write(fixture->project, "out/main.o", 0644, "b");
		identify(fixture, &question, after, NULL);
		assert_memory_equal(before, after, BR_HASH_BYTES);
		folder_write(fixture->project, "out/keep", 0644, "b");
		identify(fixture, &question, after, NULL);
		/* With `!` it is none of the outputs. */
		assert_int_equal(
			memcmp(before, after, BR_HASH_BYTES) != 0, i == 1);
	}
}

static void services_count_with_their_image(void **state)
{
#define SERVICE(TEXT) ONE(", services: [{image: db:1, alias: db" TEXT "}]")
	const struct question plain = { .manifest = SERVICE("") };

	assert_false(is_same(*state, &plain,
		&(struct question){ SERVICE(", command: [serve]") }));
	assert_false(is_same(*state, &plain,
		&(struct question){ SERVICE(", environment: [A=b]") }));
	assert_false(is_same(*state, &plain,
		&(struct question){ SERVICE(", ready: {port: 80}") }));
	assert_false(is_same(*state, &plain,
		&(struct question){ SERVICE(""), .digest = "sha256:2" }));
	assert_true(is_same(*state, &plain,
		&(struct question){ SERVICE(", timeout: 9s") }));
#undef SERVICE
}

static void secrets_count_and_cannot_be_tried_out(void **state)
{
#define SECRET \
	ONE(", environment: [KEY]") \
	"environment: {secrets: [KEY]}\n"
	const struct question first = { SECRET, .env = "KEY=first" };
	br_autobuf struct br_buf record = { 0 };
	br_autobuf struct br_buf plain = { 0 };
	char text[BR_HASH_TEXT_BYTES];
	uint8_t digest[BR_HASH_BYTES];
	uint8_t ignored[BR_HASH_BYTES];

	assert_false(is_same(*state, &first,
		&(struct question){ SECRET, .env = "KEY=second" }));
	identify(*state, &first, ignored, &record);
	assert_non_null(strstr(br_buf_text(&record), "\nsecret "));
	assert_null(strstr(br_buf_text(&record), "\nvariable "));
	br_hash_bytes("first", strlen("first"), digest);
	br_hash_format(digest, text);
	assert_null(strstr(br_buf_text(&record), text));
	assert_null(strstr(br_buf_text(&record), "first"));
	/* What is none is seen for what it is. */
	identify(*state,
		&(struct question){ ONE(", environment: [KEY=first]") },
		ignored, &plain);
	assert_non_null(strstr(br_buf_text(&plain), text));
#undef SECRET
}

static void needs_count_by_their_identities(void **state)
{
#define NEED(SCRIPT) \
	ONE(", needs: [zero]") \
	"zero: {script: [" SCRIPT "]}\n"
	const struct question plain = { .manifest = NEED("echo") };

	assert_false(
		is_same(*state, &plain, &(struct question){ NEED("echo 2") }));
	assert_false(is_same(*state, &plain, &(struct question){ ONE("") }));
	assert_true(is_same(*state, &plain,
		&(struct question){ ONE(", needs: [nil]") "nil: {script: "
							  "[echo]}\n" }));
	/* `prepare` counts in the build's container, and only there. */
	assert_false(is_same(*state, &(struct question){ ONE("") },
		&(struct question){
			ONE("") "prepare: {script: [apk add cc]}\n" }));
	assert_true(is_same(*state, &(struct question){ ONE(", image: own:1") },
		&(struct question){ ONE(", image: own:1") "prepare: {script: "
							  "[apk add]}\n" }));
#undef NEED
}

static void a_skipped_stage_stands_for_what_it_needs(void **state)
{
#define BETWEEN(WHEN, SCRIPT) \
	ONE(", needs: [between]") \
	"between: {needs: [zero], when: {env: {X: " WHEN "}}, script: [ls]}\n" \
	"zero: {script: [" SCRIPT "]}\n"
	const struct question skipped = { .manifest = BETWEEN("y", "echo") };

	assert_false(is_same(*state, &skipped,
		&(struct question){ BETWEEN("y", "echo 2") }));
	assert_false(is_same(*state, &skipped,
		&(struct question){ BETWEEN("'*'", "echo") }));
	assert_true(is_same(*state, &skipped,
		&(struct question){
			ONE(", needs: [zero]") "zero: {script: [echo]}\n" }));
#undef BETWEEN
}

/* Of one that is left out its outputs count, whoever made them. */
static void a_stage_that_is_left_out_counts_by_its_outputs(void **state)
{
	const struct fixture *fixture = *state;
	const struct question question = {
		ONE(", needs: [zero]") "zero: {inputs: [src/], outputs: [out/], "
				       "script: [cc]}\n",
		.only = "one",
	};
	uint8_t before[BR_HASH_BYTES];
	uint8_t after[BR_HASH_BYTES];

	identify(fixture, &question, before, NULL);
	folder_write(fixture->project, "elsewhere", 0644, "b");
	identify(fixture, &question, after, NULL);
	assert_memory_equal(before, after, BR_HASH_BYTES);
	folder_write(fixture->project, "out/main.o", 0644, "another object");
	identify(fixture, &question, after, NULL);
	assert_memory_not_equal(before, after, BR_HASH_BYTES);
}

static void of_what_is_built_in_only_git_counts_and_where_it_is_named(
	void **state)
{
	static const char *const built_in[] = { "CI=true", "BUILDR=1",
		"BUILDR_STAGE=x", "BUILDR_PROJECT_DIR=/x", "BUILDR_COMMIT=1",
		"BUILDR_TAG=v1", "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*" };
#define NAMED HEAD "one: {inputs: [src/], script: [echo $BUILDR_TAG]}\n"

	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		assert_true(is_same(*state, &(struct question){ ONE("") },
			&(struct question){ ONE(""), .env = built_in[i] }));
	assert_false(is_same(*state, &(struct question){ ONE("") },
		&(struct question){ ONE(""), .env = "GIT_CONFIG_COUNT=2" }));
	assert_false(is_same(*state, &(struct question){ NAMED },
		&(struct question){ NAMED, .env = "BUILDR_TAG=v1" }));
#undef NAMED
}

static void without_an_image_or_a_need_there_is_none(void **state)
{
	static const uint8_t secret_key[BR_HASH_BYTES] = { 1 };
	const struct fixture *fixture = *state;
	struct planned planned = { .project_dir = fixture->project };
	br_autokey struct br_cache_key key = { 0 };
	struct br_identities identities;
	struct br_err err = { 0 };

	planned_must(&planned,
		HEAD "zero: {inputs: [src/], script: [ls]}\n"
		     "one: {inputs: [src/], needs: [zero], script: [ls]}\n"
		     "stages: [zero, one]\n");
	br_identities_init(&identities, planned.plan, secret_key);
	assert_false(br_identities_find(&identities, 0, fixture->project_fd,
		fixture->store, &key, &err));
	assert_int_equal(err.code, BR_EUNAVAIL);
	br_cache_key_done(&key);
	br_identities_set_digest(&identities, "image:1", "sha256:1");
	assert_false(br_identities_find(&identities, 1, fixture->project_fd,
		fixture->store, &key, &err));
	assert_string_equal(
		err.text, "stage 'zero', which it needs, has no identity");
	br_cache_key_done(&key);
	assert_true(br_identities_find(&identities, 0, fixture->project_fd,
		fixture->store, &key, &err));
	br_cache_key_done(&key);
	assert_true(br_identities_find(&identities, 1, fixture->project_fd,
		fixture->store, &key, &err));
	/* The same again changes nothing, another one all. */
	br_identities_set_digest(&identities, "image:1", "sha256:1");
	assert_true(identities.stages[0].is_known);
	br_identities_set_digest(&identities, "image:1", "sha256:2");
	assert_false(identities.stages[0].is_known);
	assert_false(identities.stages[1].is_known);
	br_identities_done(&identities);
	planned_done(&planned);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_decides_how_it_runs_counts),
		TEST(what_does_not_change_the_result_does_not_count),
		TEST(its_own_outputs_are_no_inputs),
		TEST(services_count_with_their_image),
		TEST(secrets_count_and_cannot_be_tried_out),
		TEST(needs_count_by_their_identities),
		TEST(a_skipped_stage_stands_for_what_it_needs),
		TEST(a_stage_that_is_left_out_counts_by_its_outputs),
		TEST(of_what_is_built_in_only_git_counts_and_where_it_is_named),
		TEST(without_an_image_or_a_need_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
