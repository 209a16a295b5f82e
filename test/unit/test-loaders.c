/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/loaders.h: each row of the table is complete, and the watcher of the access log
 * knows each row's per-host file. test-tree.c tests the files that are rendered from the
 * rows.
 */
#include "pxe/dhcp-server.h"
#include "pxe/loaders.h"

#include "lib/file.h"
#include "pxe/watch.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct mac node_mac = {{0x52, 0x54, 0x00, 0x25, 0x00, 0x1a}};
static const struct mac stranger = {{0x52, 0x54, 0x00, 0x25, 0x00, 0x77}};

static bool in_tree(const char *path)
{
	return str_after(path, "http/") || str_after(path, "tftp/");
}

static void each_row_is_complete(void **state)
{
	(void)state;
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++) {
		print_message("# %s\n", l->name);
		assert_true(*l->name);
		assert_true(in_tree(l->entry_path));
		assert_true(in_tree(l->host_file.before));
		assert_non_null(l->host_file.after);
		assert_non_null(l->entry);
		assert_non_null(strstr(l->entry, "@rack@"));
		assert_non_null(l->host);
		assert_int_equal(strstr(l->host, "@host@") != NULL, !l->shares);
		assert_int_equal(strstr(l->host, "@mac@") != NULL, !l->shares);
		assert_true(!l->strangers == !l->strangers_path);
		if (l->strangers) {
			assert_non_null(strstr(l->strangers, "@policy@"));
			assert_true(pxe_url_is_strangers(tree_url(l->strangers_path)));
		}
		if (!l->programs)
			continue;
		assert_non_null(l->dir);
		assert_non_null(l->package);
		assert_non_null(l->dhcp_tag);
		assert_non_null(l->dhcp_option);
		assert_non_null(tree_url(l->entry_path));
	}
}

static void other_files_are_not_for_strangers(void **state)
{
	(void)state;
	assert_false(pxe_url_is_strangers("/boot.ipxe"));
	assert_false(pxe_url_is_strangers("/strangers.ipxe2"));
	assert_false(pxe_url_is_strangers("http/strangers.ipxe"));
	assert_false(pxe_url_is_strangers(""));
}

static void each_row_has_files_of_its_own(void **state)
{
	_cleanup_intern_ struct intern seen = {0};
	bool is_new;

	(void)state;
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++) {
		_cleanup_free_ char *path = host_file_path(&l->host_file, node_mac, '-');
		const char *const own[] = {l->name, l->entry_path, path};

		for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
			intern(&seen, own[i], &is_new);
			if (!is_new)
				fail_msg("%s occurs twice", own[i]);
		}
	}
}

/* If two rows had the same architecture, dnsmasq would offer only one of their
 * programs. */
static void each_architecture_has_one_program(void **state)
{
	_cleanup_intern_ struct intern seen = {0};
	bool is_new;

	(void)state;
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++)
		for (const struct pxe_program *f = l->programs; f && f->file; f++) {
			assert_non_null(f->archs[0]);
			for (size_t i = 0; f->archs[i]; i++) {
				intern(&seen, f->archs[i], &is_new);
				assert_true(is_new);
			}
			for (size_t i = 0; f->services[i]; i++) {
				intern(&seen, f->services[i], &is_new);
				assert_true(is_new);
			}
		}
}

static void only_urls_of_hosts_match(void **state)
{
	static const char *const foreign[] = {
		"/hosts/52-54-00-25-00-1a",
		"/hosts/52-54-00-25-00-1a.cfg",
		"/hosts/52-54-00-25-00-1a.ipxe.ipxe",
		"/hosts/52-54-00-25-00.ipxe",
		"/hosts/.ipxe",
		"/hosts/52-54-00-25-00-1g.ipxe",
		"/hosts52-54-00-25-00-1a.ipxe",
		"hosts/52-54-00-25-00-1a.ipxe",
		"http/hosts/52-54-00-25-00-1a.ipxe",
		"/hosts/52-54-00-25-00-1a.cpio",
		"/boot.ipxe",
		"",
	};
	struct mac mac;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (pxe_loader_by_url(foreign[i], &mac))
			fail_msg("'%s' is no host's boot script", foreign[i]);
	assert_string_equal(
		pxe_loader_by_url("/hosts/52-54-00-25-00-1a.ipxe", &mac)->name, "iPXE");
	assert_memory_equal(mac.b, node_mac.b, sizeof(mac.b));
	assert_string_equal(
		pxe_loader_by_url("/hosts/52:54:00:25:00:1a.grub", &mac)->name, "GRUB");
	assert_memory_equal(mac.b, node_mac.b, sizeof(mac.b));
	assert_true(
		host_file_match(&host_cpio_file, "/hosts/52:54:00:25:00:1a.cpio", &mac));
	assert_false(
		host_file_match(&host_cpio_file, "/hosts/52-54-00-25-00-1a.ipxe", &mac));
}

/* --- the watcher ------------------------------------------------------------------- */

static void append_request(const char *log, const char *url, unsigned status)
{
	FILE *f = fopen(log, "ae");

	assert_non_null(f);
	fprintf(f, "1450000000.000 172.25.0.11 \"GET %s HTTP/1.1\" %u 100 0.001\n", url,
		status);
	assert_int_equal(fclose(f), 0);
}

static void expect(struct watch *w, const char *want)
{
	_cleanup_free_ char *line = watch_next(w);

	assert_string_equal(line ? line : "(nothing)", want ? want : "(nothing)");
}

static char *url_of(const struct pxe_loader *l, struct mac mac, char separator)
{
	_cleanup_free_ char *path = host_file_path(&l->host_file, mac, separator);
	const char *url = tree_url(path);

	/* Files served over TFTP are not in the access log. */
	if (!url)
		assert_non_null(str_after(path, "tftp/"));
	return xstrdup(url);
}

static void check_row(struct watch *w, const char *log, const struct pxe_loader *l)
{
	_cleanup_free_ char *url = url_of(l, node_mac, '-');
	_cleanup_free_ char *colons = url_of(l, node_mac, ':');

	if (!url)
		return;
	append_request(log, url, 200);
	expect(w, "node-1: asks for its boot script (52:54:00:25:00:1a, 172.25.0.11)");
	append_request(log, colons, 200); /* GRUB's spelling */
	expect(w, "node-1: asks for its boot script (52:54:00:25:00:1a, 172.25.0.11)");
	append_request(log, url, 404);
	expect(w, "52:54:00:25:00:1a asks for a boot script and is not in the rack (from "
		  "172.25.0.11)");
	expect(w, NULL);
}

static void watch_knows_each_row(void **state)
{
	_cleanup_rm_rf_ char *dir = make_scratch();
	_cleanup_free_ char *run = xasprintf("%s/run", dir);
	_cleanup_free_ char *log = xasprintf("%s/" TREE_ACCESS_LOG, dir);
	_cleanup_free_ char *dnsmasq = xasprintf("%s/run/dnsmasq.log", dir);
	struct tree_host host = {.name = (char *)"node-1", .mac = node_mac};
	struct serve s = {.dir = dir,
			  .info = {.dhcp = dhcp_servers, .hosts = &host, .n_hosts = 1}};
	size_t n = 0;

	(void)state;
	s.dnsmasq.log = dnsmasq;
	assert_int_equal(mkdir(run, 0755), 0);
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++, n++) {
		_cleanup_watch_ struct watch w = {0};

		watch_open(&w, &s);
		check_row(&w, log, l);
		assert_int_equal(unlink(log) < 0 && errno != ENOENT, 0);
	}
	assert_true(n >= 3);
}

static void watch_reports_each_unknown_machine_once(void **state)
{
	_cleanup_rm_rf_ char *dir = make_scratch();
	_cleanup_free_ char *run = xasprintf("%s/run", dir);
	_cleanup_free_ char *log = xasprintf("%s/" TREE_ACCESS_LOG, dir);
	_cleanup_free_ char *dnsmasq = xasprintf("%s/run/dnsmasq.log", dir);
	_cleanup_watch_ struct watch w = {0};
	struct serve s = {.dir = dir, .info = {.dhcp = dhcp_servers}};
	bool expected = true;

	(void)state;
	s.dnsmasq.log = dnsmasq;
	assert_int_equal(mkdir(run, 0755), 0);
	watch_open(&w, &s);
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++) {
		_cleanup_free_ char *url = url_of(l, stranger, '-');

		if (!url)
			continue;
		append_request(log, url, 404);
		expect(&w, expected ? "52:54:00:25:00:77 asks for a boot script and is "
				      "not in the rack (from 172.25.0.11)"
				    : NULL);
		expected = false;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_complete),
		cmocka_unit_test(other_files_are_not_for_strangers),
		cmocka_unit_test(each_row_has_files_of_its_own),
		cmocka_unit_test(each_architecture_has_one_program),
		cmocka_unit_test(only_urls_of_hosts_match),
		cmocka_unit_test(watch_knows_each_row),
		cmocka_unit_test(watch_reports_each_unknown_machine_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
