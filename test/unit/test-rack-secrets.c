/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/rack-secrets.h and the archives of a boot tree: which host gets which secret, and
 * where its bytes are. test/should-fail has each message.
 */
#include "test-tree.h"

#include "firstboot/model/sha256.h"
#include "lib/run.h"
#include "pxe/rack-image.h"

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

#define MUNGE "munge-bytes-4kq2"
#define TLS   "tls-bytes-9wz7"
#define OWN   "own-bytes-1xv5"

static void write_key(const char *dir, const char *name, const char *bytes)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(file_write_at(AT_FDCWD, path, bytes, strlen(bytes), 0600), 0);
}

/* Writes a rack with the files of its secrets into SCRATCH/rack. Returns the path of the
 * rack file, owned. */
static char *write_rack(struct fixture *f)
{
	static const char text[] =
		"cluster : { name = \"c\"; node_network = \"10.0.0.0/16\";\n"
		"  boot_server = \"10.0.0.1\"; gateway = \"10.0.0.1\"; master = \"m\";\n"
		"  secrets = (\n"
		"    { file = \"munge.key\"; owner = \"munge\"; },\n"
		"    { name = \"tls\"; file = \"pki/tls\"; owner = \"www:tls\";\n"
		"      mode = \"440\"; roles = [ \"master\" ]; } ); };\n"
		"hosts = (\n"
		"  { name = \"m\"; role = \"master\"; mac = \"52:54:00:00:00:01\";\n"
		"    address = \"10.0.0.10\"; },\n"
		"  { name = \"n\"; role = \"node\"; mac = \"52:54:00:00:00:02\";\n"
		"    address = \"10.0.0.11\"; cbr0 = \"192.168.1.1/24\";\n"
		"    secrets = ( { name = \"munge.key\"; file = \"pki/own\"; },\n"
		"                { name = \"more\"; file = \"pki/own\"; } ); },\n"
		"  { name = \"o\"; role = \"node\"; mac = \"52:54:00:00:00:03\";\n"
		"    address = \"10.0.0.12\"; cbr0 = \"192.168.2.1/24\"; } );\n";
	_cleanup_free_ char *dir = xasprintf("%s/rack", f->scratch);
	_cleanup_free_ char *pki = xasprintf("%s/rack/pki", f->scratch);

	if (mkdir(dir, 0755) == 0) {
		assert_int_equal(mkdir(pki, 0755), 0);
		write_text(dir, "rack.cfg", text);
		write_key(dir, "munge.key", MUNGE);
		write_key(pki, "tls", TLS);
		write_key(pki, "own", OWN);
	}
	return xasprintf("%s/rack.cfg", dir);
}

static void expect_secrets(const struct rack_host *h, const char *want)
{
	_cleanup_free_ char *text = host_show(&h->host, HOST_SECRETS);

	assert_string_equal(text, want);
	assert_int_equal(strv_len(h->host.secrets), h->n_secrets);
}

static void secrets_go_to_roles_and_hosts(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = write_rack(f), *want = NULL;
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};
	const struct rack_secret *own;
	char where[256];

	assert_int_equal(rack_load(&r, path, &f->image.roles, &d), 0);
	expect_secrets(&r.hosts[0], "munge.key munge 0400, tls www:tls 0440");
	expect_secrets(&r.hosts[1], "munge.key root 0400, more root 0400");
	expect_secrets(&r.hosts[2], "munge.key munge 0400");
	own = &r.secrets.v[r.hosts[1].secrets[0]];
	assert_int_equal(own->len, strlen(OWN));
	assert_memory_equal(own->data, OWN, own->len);
	want = xasprintf("%s:12", path);
	assert_string_equal(
		host_where(&r.hosts[1].host, HOST_SECRETS, where, sizeof(where)), want);
	/* The same bytes for all, read once. */
	assert_int_equal(r.hosts[0].secrets[0], r.hosts[2].secrets[0]);
}

static void a_text_is_read_without_files(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = write_rack(f), *text = NULL;
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};
	size_t len;

	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 16, &text, &len), 0);
	assert_int_equal(rack_parse(&r, text, len, "absent/rack.cfg", CONF_NO_INCLUDE,
				    &f->image.roles, &d),
			 0);
	expect_secrets(&r.hosts[2], "munge.key munge 0400");
	assert_null(r.secrets.v[0].data);
}

/* Returns the names of the files in the tree that have the text, sorted, with blanks
 * between them. Owned by the caller. */
static char *files_with(struct fixture *f, const char *text)
{
	_cleanup_free_ char *tree = xasprintf("%s/tree", f->scratch);
	const char *const argv[] = {"grep", "-rlF", "--", text, ".", NULL};
	_cleanup_free_ char *out = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct err e = {0};

	if (run_capture(&(struct run){.argv = argv, .cwd = tree}, &out, NULL, &e) < 0)
		return xstrdup("");
	lines = strv_split(out, "\n");
	strv_sort(lines);
	return strv_join(lines, " ");
}

static void expect_files(struct fixture *f, const char *text, const char *want)
{
	_cleanup_free_ char *files = files_with(f, text);

	assert_string_equal(files, want);
}

/* Returns what cpio(1) lists of the archive of the host whose MAC address ends in
 * `last`. Owned by the caller. */
static char *archive_list(struct fixture *f, unsigned last)
{
	_cleanup_free_ char *file = xasprintf(
		"--file=%s/tree/http/hosts/52-54-00-00-00-%02u.cpio", f->scratch, last);
	const char *const argv[] = {"cpio", "--list", "--verbose", "--quiet", file, NULL};
	_cleanup_free_ char *out = NULL;
	_cleanup_strv_ char **lines = NULL;
	_cleanup_buf_ struct buf b = {0};
	struct err e = {0};

	if (run_capture(&(struct run){.argv = argv}, &out, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	lines = strv_split(out, "\n");
	for (size_t i = 0; lines && lines[i]; i++)
		buf_printf(&b, "%.10s %s\n", lines[i], strrchr(lines[i], ' ') + 1);
	return buf_take(&b);
}

static void bytes_are_only_in_the_archives(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = write_rack(f), *list = NULL;
	struct tree_options o = {.secret = SECRET};
	struct err e = {0};
	char sum[DIGEST_LEN];

	if (render(f, path, "tree", o, &e) < 0)
		fail_msg("%s", e.msg);
	expect_files(f, MUNGE,
		     "./http/hosts/52-54-00-00-00-01.cpio "
		     "./http/hosts/52-54-00-00-00-03.cpio");
	expect_files(f, TLS, "./http/hosts/52-54-00-00-00-01.cpio");
	expect_files(f, OWN, "./http/hosts/52-54-00-00-00-02.cpio");
	expect_files(f, "munge.key munge 0400",
		     "./http/hosts/52-54-00-00-00-01.cpio "
		     "./http/hosts/52-54-00-00-00-03.cpio");
	digest_sha256(MUNGE, strlen(MUNGE), sum);
	expect_files(f, sum, "");
	list = archive_list(f, 1);
	assert_string_equal(list, "drwxr-xr-x rackstrap\n"
				  "drwx------ rackstrap/secrets\n"
				  "-r-------- rackstrap/secrets/munge.key\n"
				  "-r-------- rackstrap/secrets/tls\n"
				  "-rw------- rackstrap/host.cfg\n");
	/* A tree that is made again has the new bytes only. */
	write_key(f->scratch, "rack/munge.key", OWN);
	if (render(f, path, "tree", o, &e) < 0)
		fail_msg("%s", e.msg);
	expect_files(f, MUNGE, "");
	write_key(f->scratch, "rack/munge.key", MUNGE);
}

static void proxy_dhcp_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = write_rack(f), *want = NULL;
	struct tree_options o = {.secret = SECRET, .proxy_dhcp = true};
	struct err e = {0};

	assert_int_equal(render(f, path, "proxy", o, &e), -1);
	want = xasprintf(
		"%s:3: host 'm': secrets cannot be given with --proxy-dhcp: every "
		"machine of the rack's networks could read them, because the "
		"hosts' addresses are not known",
		path);
	assert_string_equal(e.msg, want);
}

/* Expects the complaints about the rack of write_rack() and an image with these names. */
static void expect_complaints(struct fixture *f, const char *users, const char *groups,
			      bool has_accounts, const char *want)
{
	_cleanup_free_ char *path = write_rack(f);
	_cleanup_strv_ char **user_names = users ? strv_split(users, " ") : NULL;
	_cleanup_strv_ char **group_names = groups ? strv_split(groups, " ") : NULL;
	struct image image = {.name = f->image.name,
			      .has_accounts = has_accounts,
			      .users = user_names,
			      .groups = group_names};
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf b = {0};

	assert_int_equal(rack_load(&r, path, &f->image.roles, &d), 0);
	assert_int_equal(rack_check_image(&r, &image, &d), *want ? -1 : 0);
	for (size_t i = 0; i < d.n; i++)
		buf_printf(&b, "%s\n", strstr(d.lines[i], "cfg:"));
	assert_string_equal(b.p ? b.p : "", want);
}

static void the_image_has_the_owners(void **state)
{
	struct fixture *f = *state;

	expect_complaints(f, "root munge www", "root tls", true, "");
	expect_complaints(f, "root mung www", "root tlsx", true,
			  "cfg:4: secrets: 'munge.key': the image has no user 'munge' "
			  "(did you mean 'mung'?)\n"
			  "cfg:5: secrets: 'tls': the image has no group 'tls' (did you "
			  "mean 'tlsx'?)\n");
	expect_complaints(f, NULL, NULL, true, "");
	expect_complaints(f, NULL, NULL, false,
			  "cfg:4: secrets: 'munge.key': image 'tiny' was built by a "
			  "rackstrap without secrets, and its hosts would refuse them: "
			  "build it again\n");
}

static void the_manifest_has_names(void **state)
{
	static const char *const cases[][2] = {
		{"\"users\": [\"root\", \"munge\"], \"groups\": null", "munge"},
		{"\"users\": null, \"groups\": [ ]", NULL},
	};
	struct fixture *f = *state;
	_cleanup_free_ char *text = read_text(f->image_dir, "manifest.json");
	struct err e;

	assert_false(f->image.has_accounts);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *with = xasprintf("{%s, %s", cases[i][0], text + 1);
		_cleanup_image_ struct image image = {0};

		if (image_parse(&image, NULL, with, strlen(with), &e) < 0)
			fail_msg("%s", e.msg);
		assert_true(image.has_accounts);
		assert_int_equal(image.users != NULL, cases[i][1] != NULL);
		assert_true(!image.users || strv_has(image.users, cases[i][1]));
		assert_null(image.groups);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_go_to_roles_and_hosts),
		cmocka_unit_test(a_text_is_read_without_files),
		cmocka_unit_test(bytes_are_only_in_the_archives),
		cmocka_unit_test(proxy_dhcp_is_refused),
		cmocka_unit_test(the_image_has_the_owners),
		cmocka_unit_test(the_manifest_has_names),
	};

	return cmocka_run_group_tests_name("rack-secrets", tests, setup, teardown);
}
