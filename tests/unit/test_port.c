/* SPDX-License-Identifier: MIT */
/* Who serves a port, by tables as the kernel writes them. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "init/port.h"
#include "tests/support/folder.h"

enum { PORT = 5432, ESTABLISHED = 1, LISTEN = 10 };

/* One row of a table; its address is printed as the kernel prints it. */
struct row {
	const char *address;
	unsigned port;
	unsigned state;
};

static void add_row(struct br_buf *table, int family, const struct row *row)
{
	uint32_t words[4] = { 0 };

	assert_int_equal(inet_pton(family, row->address, words), 1);
	br_buf_add_text(table, "   0: ");
	for (int i = 0; i < (family == AF_INET ? 1 : 4); i++)
		br_buf_addf(table, "%08X", words[i]);
	br_buf_addf(table,
		":%04X %s:0000 %02X 00000000:00000000 00:00000000 00000000  "
		"   0        0 12345 1 0000000000000000 100 0 0 10 0\n",
		row->port,
		family == AF_INET ? "00000000"
				  : "00000000000000000000000000000000",
		row->state);
}

static void save_table(const char *folder, const char *name, int family,
	const struct row *rows)
{
	br_autofree char *path = br_path_join(folder, name);
	br_autobuf struct br_buf table = { 0 };
	struct br_err err = { 0 };

	br_buf_add_text(&table,
		"  sl  local_address rem_address   st tx_queue rx_queue tr "
		"tm->when retrnsmt   uid  timeout inode\n");
	for (; rows->address; rows++)
		add_row(&table, family, rows);
	if (!br_file_save_new(path, 0644, table.data, table.len, &err))
		fail_msg("%s", err.text);
}

/* Look for PORT where IPv4 and IPv6 have one row each behind a few others. */
static void expect(
	struct row row4, struct row row6, bool is_served, bool is_served_local)
{
	const struct row rows4[] = { { "0.0.0.0", 22, LISTEN },
		{ "172.17.0.2", PORT, ESTABLISHED },
		{ "127.0.0.11", 40123, LISTEN }, row4, { NULL } };
	const struct row rows6[] = { { "::", 22, LISTEN }, row6, { NULL } };
	char *folder = folder_make();

	save_table(folder, "tcp", AF_INET, rows4);
	save_table(folder, "tcp6", AF_INET6, rows6);
	assert_int_equal(port_is_served(folder, PORT, false), is_served);
	assert_int_equal(port_is_served(folder, PORT, true), is_served_local);
	folder_remove(folder);
}

static const struct row none = { NULL };

static void finds_who_listens_on_any_address(void **state)
{
	(void)state;
	expect((struct row){ "0.0.0.0", PORT, LISTEN }, none, true, true);
	expect((struct row){ "172.17.0.2", PORT, LISTEN }, none, true, true);
	expect(none, (struct row){ "::", PORT, LISTEN }, true, true);
	expect(none, (struct row){ "::2", PORT, LISTEN }, true, true);
	expect(none, (struct row){ "::ffff:172.17.0.2", PORT, LISTEN }, true,
		true);
}

static void counts_a_loopback_address_only_where_it_is_told_to(void **state)
{
	(void)state;
	expect((struct row){ "127.0.0.1", PORT, LISTEN }, none, false, true);
	expect((struct row){ "127.1.2.3", PORT, LISTEN }, none, false, true);
	expect(none, (struct row){ "::1", PORT, LISTEN }, false, true);
	expect(none, (struct row){ "::ffff:127.0.0.1", PORT, LISTEN }, false,
		true);
}

static void finds_nobody_on_another_port_or_in_another_state(void **state)
{
	(void)state;
	expect(none, none, false, false);
	expect((struct row){ "0.0.0.0", PORT + 1, LISTEN },
		(struct row){ "::", PORT, ESTABLISHED }, false, false);
}

static void finds_nobody_where_there_are_no_tables(void **state)
{
	char *folder = folder_make();

	(void)state;
	assert_false(port_is_served(folder, PORT, true));
	folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_who_listens_on_any_address),
		cmocka_unit_test(
			counts_a_loopback_address_only_where_it_is_told_to),
		cmocka_unit_test(
			finds_nobody_on_another_port_or_in_another_state),
		cmocka_unit_test(finds_nobody_where_there_are_no_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
