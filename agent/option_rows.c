/* SPDX-License-Identifier: MIT */
#include "agent/option_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "cache/remote_place.h"

enum {
	LIST_MAX = 256,
	LABELS_MAX = 6,
	JOBS_MAX = 256,
	/* It is part of routing keys. */
	NAME_MAX_BYTES = 128,
};

/* A list as it grows: in the arena, NULL-terminated. NULL empties it. */
static bool add(struct options *options, const char *const **items,
	size_t *count, const char *value, struct br_err *err)
{
	const char **list = NULL;

	if (!value) {
		*items = NULL;
		*count = 0;
		return true;
	}
	if (*count == LIST_MAX)
		return br_fail(err, BR_EINPUT, "more than %d values", LIST_MAX);
	/* What is dropped here is freed with the rest at the end. */
	list = br_arena_array(&options->arena, *count + 2, sizeof(*list));
	for (size_t i = 0; i < *count; i++)
		list[i] = (*items)[i];
	list[(*count)++] = value;
	*items = list;
	return true;
}

#define SETTER(function, member) \
	static bool function(struct options *options, const char *value, \
		struct br_err *err) \
	{ \
		(void)err; \
		options->agent.member = value; \
		return true; \
	}

SETTER(set_broker, broker)
SETTER(set_queue, queue)
SETTER(set_work_dir, work_dir)
SETTER(set_docker_sock, docker_sock)
SETTER(set_ca_file, ca_file)
SETTER(set_cert_file, cert_file)
SETTER(set_key_file, key_file)
SETTER(set_listen, listen)
SETTER(set_remote_cache_ca, cache.ca_file)

static bool set_name(
	struct options *options, const char *value, struct br_err *err)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] <= ' ')
			len = 0;
	if (len == 0 || len > NAME_MAX_BYTES)
		return br_fail(err, BR_EINPUT,
			"--name '%s' is no name: no blanks, at most %d bytes",
			value, NAME_MAX_BYTES);
	options->agent.name = value;
	return true;
}

static bool set_jobs(
	struct options *options, const char *value, struct br_err *err)
{
	int64_t jobs = 0;

	if (!br_parse_int(value, 1, JOBS_MAX, &jobs, err))
		return br_wrap(err, "--jobs");
	options->agent.jobs = (unsigned)jobs;
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static bool set_label(
	struct options *options, const char *value, struct br_err *err)
{
	struct job_texts *labels = &options->agent.labels;
	const char *const *items = labels->items;

	if (!value) {
		*labels = (struct job_texts){ 0 };
		return true;
	}
	for (size_t i = 0; i < labels->count; i++)
		if (strcmp(labels->items[i], value) == 0)
			return true;
	if (!job_is_label(value))
		return br_fail(err, BR_EINPUT,
			"--label '%s' is no label: letters, digits and "
			"_.:/=-, at most 64 bytes",
			value);
	if (labels->count == LABELS_MAX)
		return br_fail(
			err, BR_EINPUT, "more than %d labels", LABELS_MAX);
	if (!add(options, &items, &labels->count, value, err))
		return false;

	const char **sorted = br_arena_array(
		&options->arena, labels->count + 1, sizeof(*sorted));
	memcpy(sorted, items, labels->count * sizeof(*sorted));
	qsort(sorted, labels->count, sizeof(*sorted), compare_texts);
	labels->items = sorted;
	return true;
}

static bool set_switch(
	const char *name, const char *value, bool *is_on, struct br_err *err)
{
	static const char *const words[][2] = {
		{ "false", "true" },
		{ "no", "yes" },
		{ "off", "on" },
		{ "0", "1" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (size_t on = 0; on < 2; on++)
			if (strcmp(value, words[i][on]) == 0) {
				*is_on = on == 1;
				return true;
			}
	return br_fail(err, BR_EINPUT, "--%s '%s' is neither true nor false",
		name, value);
}

static bool set_docker_socket(
	struct options *options, const char *value, struct br_err *err)
{
	return set_switch("docker-socket", value,
		&options->agent.policy.has_docker_socket, err);
}

static bool set_no_network(
	struct options *options, const char *value, struct br_err *err)
{
	return set_switch("no-network", value,
		&options->agent.policy.has_no_network, err);
}

static bool set_repo(
	struct options *options, const char *value, struct br_err *err)
{
	struct policy *policy = &options->agent.policy;

	return add(options, &policy->repos, &policy->repo_count, value, err);
}

static bool set_image(
	struct options *options, const char *value, struct br_err *err)
{
	struct policy *policy = &options->agent.policy;

	return add(options, &policy->images, &policy->image_count, value, err);
}

static bool set_protocol(
	struct options *options, const char *value, struct br_err *err)
{
	struct policy *policy = &options->agent.policy;
	size_t count = 0;

	if (!value) {
		policy->protocols = NULL;
		return true;
	}
	while (policy->protocols && policy->protocols[count])
		count++;
	return add(options, &policy->protocols, &count, value, err);
}

static bool set_memory(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_size(value, &options->agent.policy.memory_bytes, err) ||
		br_wrap(err, "--memory");
}

static bool set_cpus(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_nano(value, &options->agent.policy.cpus_nano, err) ||
		br_wrap(err, "--cpus");
}

static bool set_pids(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_int(
		       value, 1, 4194304, &options->agent.policy.pids, err) ||
		br_wrap(err, "--pids");
}

static bool set_timeout(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_duration(
		       value, &options->agent.policy.timeout_ms, err) ||
		br_wrap(err, "--timeout");
}

static bool set_min_free(
	struct options *options, const char *value, struct br_err *err)
{
	/* br_parse_size() knows no size of nothing. */
	if (strcmp(value, "0") == 0) {
		options->agent.min_free_bytes = 0;
		return true;
	}
	return br_parse_size(value, &options->agent.min_free_bytes, err) ||
		br_wrap(err, "--min-free");
}

static bool set_mirror_max_age(
	struct options *options, const char *value, struct br_err *err)
{
	/* br_parse_duration() knows none that is no time. */
	if (strcmp(value, "0") == 0) {
		options->agent.mirror_max_age_ms = 0;
		return true;
	}
	return br_parse_duration(
		       value, &options->agent.mirror_max_age_ms, err) ||
		br_wrap(err, "--mirror-max-age");
}

static bool set_mirror_max_size(
	struct options *options, const char *value, struct br_err *err)
{
	if (strcmp(value, "0") == 0) {
		options->agent.mirror_max_bytes = 0;
		return true;
	}
	return br_parse_size(value, &options->agent.mirror_max_bytes, err) ||
		br_wrap(err, "--mirror-max-size");
}

static bool set_no_cache(
	struct options *options, const char *value, struct br_err *err)
{
	return set_switch("no-cache", value, &options->agent.cache.is_off, err);
}

static bool set_cache_size(
	struct options *options, const char *value, struct br_err *err)
{
	struct worker_cache *cache = &options->agent.cache;
	bool is_unlimited = strcmp(value, "unlimited") == 0;

	if (is_unlimited || strcmp(value, "0") == 0) {
		cache->size_bytes = is_unlimited ? -1 : 0;
		return true;
	}
	return br_parse_size(value, &cache->size_bytes, err) ||
		br_wrap(err, "--cache-size");
}

static bool set_cache_age(
	struct options *options, const char *value, struct br_err *err)
{
	if (strcmp(value, "unlimited") == 0) {
		options->agent.cache.age_ms = -1;
		return true;
	}
	return br_parse_duration(value, &options->agent.cache.age_ms, err) ||
		br_wrap(err, "--cache-age");
}

static bool set_remote_cache(
	struct options *options, const char *value, struct br_err *err)
{
	if (value[0] != '\0' && !br_remote_check_url(value, err))
		return br_wrap(err, "--remote-cache");
	options->agent.cache.remote = value[0] != '\0' ? value : NULL;
	return true;
}

static bool set_remote_cache_token(
	struct options *options, const char *value, struct br_err *err)
{
	if (!br_remote_check_token(value, err))
		return br_wrap(err, "--remote-cache-token");
	options->agent.cache.token = value;
	return true;
}

static bool set_remote_cache_read_only(
	struct options *options, const char *value, struct br_err *err)
{
	return set_switch("remote-cache-read-only", value,
		&options->agent.cache.is_read_only, err);
}

static bool set_log(
	struct options *options, const char *value, struct br_err *err)
{
	bool is_json = strcmp(value, "json") == 0;

	if (!is_json && strcmp(value, "text") != 0)
		return br_fail(err, BR_EINPUT,
			"--log '%s' is neither text nor json", value);
	options->agent.log = is_json ? DIARY_JSON : DIARY_TEXT;
	return true;
}

static bool set_config(
	struct options *options, const char *value, struct br_err *err)
{
	(void)err;
	options->config = value;
	return true;
}

static bool set_check(
	struct options *options, const char *value, struct br_err *err)
{
	return set_switch("check", value, &options->is_check, err);
}

static bool set_help(
	struct options *options, const char *value, struct br_err *err)
{
	return set_switch("help", value, &options->is_help, err);
}

static bool set_version(
	struct options *options, const char *value, struct br_err *err)
{
	return set_switch("version", value, &options->is_version, err);
}

const struct option_row option_rows[OPTION_ROWS] = {
	{ "broker", '\0', "URL", false, OPTION_ANYWHERE, set_broker,
		"amqp[s]://user:password@host:port/vhost; better in "
		"BUILDR_BROKER" },
	{ "queue", '\0', "NAME", false, OPTION_ANYWHERE, set_queue,
		"where jobs come from; default build_queue" },
	{ "jobs", 'j', "N", false, OPTION_ANYWHERE, set_jobs,
		"jobs at once; default: the processors" },
	{ "label", '\0', "NAME", true, OPTION_ANYWHERE, set_label,
		"also take jobs that ask for it; up to 6" },
	{ "name", '\0', "NAME", false, OPTION_ANYWHERE, set_name,
		"what events call this agent; default: the host's name" },
	{ "work-dir", '\0', "DIR", false, OPTION_ANYWHERE, set_work_dir,
		"for mirrors and work trees; default /var/lib/buildr" },
	{ "docker-sock", 'H', "ADDRESS", false, OPTION_ANYWHERE,
		set_docker_sock,
		"the engine: unix:///path or tcp://host:port" },
	{ "docker-socket", '\0', NULL, false, OPTION_ANYWHERE,
		set_docker_socket,
		"builds may have the engine's socket, and are root here then" },
	{ "allow-repo", '\0', "GLOB", true, OPTION_ANYWHERE, set_repo,
		"build only these repositories" },
	{ "allow-image", '\0', "GLOB", true, OPTION_ANYWHERE, set_image,
		"run only these images" },
	{ "allow-protocol", '\0', "NAME", true, OPTION_ANYWHERE, set_protocol,
		"beside https, http, ssh and git" },
	{ "memory", '\0', "SIZE", false, OPTION_ANYWHERE, set_memory,
		"the most that a build's container gets" },
	{ "cpus", '\0', "NUMBER", false, OPTION_ANYWHERE, set_cpus,
		"the most processors that it gets" },
	{ "pids", '\0', "N", false, OPTION_ANYWHERE, set_pids,
		"the most processes that it has" },
	{ "timeout", '\0', "DURATION", false, OPTION_ANYWHERE, set_timeout,
		"the longest that a build takes" },
	{ "no-network", '\0', NULL, false, OPTION_ANYWHERE, set_no_network,
		"no network in builds" },
	{ "ca-file", '\0', "FILE", false, OPTION_ANYWHERE, set_ca_file,
		"authorities for amqps, as PEM" },
	{ "cert-file", '\0', "FILE", false, OPTION_ANYWHERE, set_cert_file,
		"our certificate for amqps, as PEM" },
	{ "key-file", '\0', "FILE", false, OPTION_ANYWHERE, set_key_file,
		"and its key" },
	{ "mirror-max-age", '\0', "DURATION", false, OPTION_ANYWHERE,
		set_mirror_max_age,
		"remove mirrors that no job has used for so long; default 30d" },
	{ "mirror-max-size", '\0', "SIZE", false, OPTION_ANYWHERE,
		set_mirror_max_size,
		"remove those used longest ago while all take more" },
	{ "min-free", '\0', "SIZE", false, OPTION_ANYWHERE, set_min_free,
		"rest while --work-dir has less; default 256m" },
	{ "no-cache", '\0', NULL, false, OPTION_ANYWHERE, set_no_cache,
		"ignore and do not write the stage cache" },
	{ "cache-size", '\0', "SIZE", false, OPTION_ANYWHERE, set_cache_size,
		"keep so much of it; default 10g" },
	{ "cache-age", '\0', "DURATION", false, OPTION_ANYWHERE, set_cache_age,
		"and only what was used in that time; default 30d" },
	{ "remote-cache", '\0', "URL", false, OPTION_ANYWHERE, set_remote_cache,
		"another one: http[s]://[user:password@]host[:port][/path]" },
	{ "remote-cache-token", '\0', "TOKEN", false, OPTION_ANYWHERE,
		set_remote_cache_token,
		"what it wants to hear; better in BUILDR_REMOTE_CACHE_TOKEN" },
	{ "remote-cache-ca", '\0', "FILE", false, OPTION_ANYWHERE,
		set_remote_cache_ca,
		"its authorities, as PEM; default: the system's" },
	{ "remote-cache-read-only", '\0', NULL, false, OPTION_ANYWHERE,
		set_remote_cache_read_only,
		"take results from it, and send none" },
	{ "listen", '\0', "ADDRESS:PORT", false, OPTION_ANYWHERE, set_listen,
		"answer /healthz and /metrics there" },
	{ "log", '\0', "FORM", false, OPTION_ANYWHERE, set_log,
		"text (key=value) or json" },
	{ "config", '\0', "FILE", false, OPTION_NOT_IN_FILE, set_config,
		"options, one a line; SIGHUP reads it again" },
	{ "check", '\0', NULL, false, OPTION_NOWHERE_ELSE, set_check,
		"look whether all that jobs take is there; take none" },
	{ "help", 'h', NULL, false, OPTION_NOWHERE_ELSE, set_help,
		"this text" },
	{ "version", '\0', NULL, false, OPTION_NOWHERE_ELSE, set_version,
		"the version" },
};
