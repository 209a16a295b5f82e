/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/tree.h: compares whole trees with test/golden/pxe. Each rack NAME.cfg there is
 * rendered with the tiny image; NAME/LISTING has every path of the tree with its type,
 * mode, size or target, and NAME/ has every text file under its path. GOLDEN_UPDATE=1
 * writes them anew.
 */
#include "test-tree.h"

#include "builder/common/digest.h"
#include "lib/dir.h"
#include "lib/run.h"
#include "pxe/dhcp-server.h"
#include "pxe/image-check.h"
#include "pxe/secret.h"

#include <ftw.h>

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
/* printf report/node-1 | openssl dgst -sha256 -mac HMAC -macopt hexkey:SECRET */
#define TOKEN "e387ba867cbcc58dfec41982282e7b3ba05b74c9f0a170aaebd6761900891a01"

/* --- golden files ----------------------------------------------------------------- */

static char **walked; /* nftw(3) has no argument for its callback */
static size_t walk_skip;

static int on_path(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char target[256] = "";

	if (ftw->level == 0) {
		strv_addf(&walked, "./ %o", st->st_mode & 07777);
	} else if (type == FTW_SL) {
		ssize_t n = readlink(path, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		strv_addf(&walked, "%s -> %s", path + walk_skip, target);
	} else if (type == FTW_D) {
		strv_addf(&walked, "%s/ %o", path + walk_skip, st->st_mode & 07777);
	} else {
		strv_addf(&walked, "%s %o %lld", path + walk_skip, st->st_mode & 07777,
			  (long long)st->st_size);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Returns every path below `dir`, sorted. Owned by the caller. */
static char **listing(const char *dir)
{
	char **v;

	walk_skip = strlen(dir) + 1;
	assert_int_equal(nftw(dir, on_path, 16, FTW_PHYS), 0);
	v = TAKE_PTR(walked);
	qsort(v, strv_len(v), sizeof(*v), by_text);
	return v;
}

static void against_golden(const char *name, const char *path, const char *got)
{
	_cleanup_free_ char *golden = xasprintf(GOLDEN "/%s/%s", name, path);
	_cleanup_free_ char *want = NULL;

	if (getenv("GOLDEN_UPDATE")) {
		_cleanup_free_ char *dir =
			xstrndup(golden, (size_t)(strrchr(golden, '/') - golden));

		assert_int_equal(mkdir_p_at(AT_FDCWD, dir, 0755), 0);
		assert_int_equal(file_write_at(AT_FDCWD, golden, got, strlen(got), 0644),
				 0);
	}
	want = read_text(".", golden);
	if (!want)
		fail_msg("there is no %s", golden);
	if (!streq(want, got))
		print_error("%s differs\n", golden);
	assert_string_equal(got, want);
}

static char *cpio_member(const char *archive, const char *member)
{
	_cleanup_free_ char *file = xasprintf("--file=%s", archive);
	const char *const argv[] = {"cpio", "--extract", "--quiet", "--to-stdout",
				    file,   member,      NULL};
	struct err e = {0};
	char *out = NULL;

	if (run_capture(&(struct run){.argv = argv}, &out, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	return out;
}

/* Returns the host.cfg of an archive in the tree. */
static char *read_host_cfg(const char *dir, const char *path)
{
	_cleanup_free_ char *archive = xasprintf("%s/%s", dir, path);

	return cpio_member(archive, "rackstrap/host.cfg");
}

/* Compares the tree in SCRATCH/NAME with test/golden/pxe/NAME. */
static void compare(struct fixture *f, const char *name)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", f->scratch, name);
	_cleanup_strv_ char **paths = listing(dir);
	_cleanup_free_ char *list = strv_join(paths, "\n");
	_cleanup_free_ char *ended = xasprintf("%s\n", list);
	size_t texts = 0;

	against_golden(name, "LISTING", ended);
	for (size_t i = 0; paths[i]; i++) {
		_cleanup_free_ char *path = NULL, *text = NULL;

		if (strstr(paths[i], " -> ") || strchr(paths[i], ' ')[-1] == '/' ||
		    str_after(paths[i], "http/images/") || strstr(paths[i], ".kpxe ") ||
		    strstr(paths[i], ".efi "))
			continue;
		path = xstrndup(paths[i], strcspn(paths[i], " "));
		if (str_ends(path, ".cpio")) {
			_cleanup_free_ char *inside = xasprintf("%s.host.cfg", path);

			text = read_host_cfg(dir, path);
			against_golden(name, inside, text);
		} else {
			text = read_text(dir, path);
			assert_non_null(text);
			against_golden(name, path, text);
		}
		texts++;
	}
	assert_true(texts > 8);
}

static void plain_tree_matches_golden_files(void **state)
{
	struct tree_options o = {.secret = SECRET};
	struct err e = {0};

	if (render(*state, GOLDEN "/plain.cfg", "plain", o, &e) < 0)
		fail_msg("%s", e.msg);
	compare(*state, "plain");
}

/* Nothing in the tree of web servers is of a feature. */
static void tree_of_web_servers_names_no_feature(void **state)
{
	static const char *const words[] = {"cbr0",   "calico", "etcd",   "bgp",
					    "docker", "kube",   "master", "pod_network"};
	struct fixture *f = *state;
	struct tree_options o = {.secret = SECRET};
	_cleanup_free_ char *dir = xasprintf("%s/web", f->scratch);
	_cleanup_strv_ char **paths = NULL;
	struct err e = {0};

	if (render(f, GOLDEN "/web.cfg", "web", o, &e) < 0)
		fail_msg("%s", e.msg);
	compare(f, "web");
	paths = listing(dir);
	for (size_t i = 0; paths[i]; i++) {
		_cleanup_free_ char *path = xstrndup(paths[i], strcspn(paths[i], " "));
		_cleanup_free_ char *text = NULL;

		if (strstr(paths[i], " -> ") || str_ends(path, "/") ||
		    str_after(path, "http/images/"))
			continue;
		text = str_ends(path, ".cpio") ? read_host_cfg(dir, path)
					       : read_text(dir, path);
		for (size_t k = 0; text && k < ARRAY_SIZE(words); k++)
			if (strstr(text, words[k]))
				fail_msg("%s has %s", path, words[k]);
	}
}

static int setup_web(void **state)
{
	return setup_with(state, ROLES_WEB);
}

static void tagged_tree_matches_golden_files(void **state)
{
	struct tree_options o = {.interface = "eno1",
				 .http_port = 8080,
				 .router_advert = true,
				 .secret = SECRET};
	struct err e = {0};

	if (render(*state, GOLDEN "/tags.cfg", "tags", o, &e) < 0)
		fail_msg("%s", e.msg);
	compare(*state, "tags");
}

static void tree_of_kea_matches_golden_files(void **state)
{
	struct tree_options o = {.dhcp = dhcp_server_find("kea"),
				 .interface = "eno1",
				 .router_advert = true,
				 .secret = SECRET};
	struct err e = {0};

	if (render(*state, GOLDEN "/kea.cfg", "kea", o, &e) < 0)
		fail_msg("%s", e.msg);
	compare(*state, "kea");
}

static void proxy_tree_matches_golden_files(void **state)
{
	struct tree_options o = {.proxy_dhcp = true, .secret = SECRET};
	struct err e = {0};

	if (render(*state, GOLDEN "/proxy.cfg", "proxy", o, &e) < 0)
		fail_msg("%s", e.msg);
	compare(*state, "proxy");
}

static void tree_with_strangers_matches_golden_files(void **state)
{
	struct tree_options o = {.secret = SECRET};
	struct err e = {0};

	if (render(*state, GOLDEN "/strangers.cfg", "strangers", o, &e) < 0)
		fail_msg("%s", e.msg);
	compare(*state, "strangers");
}

static void pool_is_refused_with_proxy_dhcp(void **state)
{
	struct tree_options o = {.proxy_dhcp = true, .secret = SECRET};
	struct err e = {0};

	assert_int_equal(render(*state, GOLDEN "/strangers.cfg", "one", o, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg,
			    GOLDEN "/strangers.cfg:9: cluster: strangers: pool: with "
				   "--proxy-dhcp another DHCP server gives out the "
				   "addresses: leave it out");
}

/* --- the image -------------------------------------------------------------------- */

static void image_files_are_in_the_tree(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *kernel = image_file(f, "t", "vmlinuz");
	_cleanup_free_ char *initrd = image_file(f, "t", "initrd.img");
	_cleanup_free_ char *root = image_file(f, "t", "root.cpio");
	_cleanup_free_ char *k = NULL, *r = NULL, *i = NULL;
	struct err e = {0};
	size_t len = 0;

	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "t", (struct tree_options){0}, &e), 0);
	k = read_text("/", kernel);
	assert_string_equal(k, KERNEL_TEXT);
	r = cpio_member(root, "rackstrap/root.squashfs");
	assert_string_equal(r, ROOT_TEXT);
	assert_int_equal(file_read_at(AT_FDCWD, initrd, 4096, &i, &len), 0);
	assert_int_equal(len, 512);
	assert_string_equal(i, INITRD_TEXT); /* followed by NULs */
	for (size_t n = strlen(INITRD_TEXT); n < len; n++)
		assert_int_equal(i[n], 0);
}

/* --- rendering again -------------------------------------------------------------- */

static void second_rendering_is_the_same(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	_cleanup_free_ char *two = xasprintf("%s/two", f->scratch);
	_cleanup_free_ char *root = image_file(f, "one", "root.cpio"), *kept = NULL;
	const char *const diff[] = {"diff", "-r", one, two, NULL};
	const struct tree_options o = {.secret = SECRET};
	struct err e = {0};
	ino_t before;

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "two", o, &e), 0);
	if (run_argv(diff, &e) < 0)
		fail_msg("%s", e.msg);
	before = inode(root);
	write_text(one, "http/report/node-1.json", "a report\n");
	write_text(one, "run/access.log", "a line\n");
	write_text(one, "left.over", "from another version\n");
	assert_int_equal(render(f, GOLDEN "/proxy.cfg", "one",
				(struct tree_options){.proxy_dhcp = true}, &e),
			 0);
	assert_int_equal(inode(root), before); /* linked, not copied */
	kept = read_text(one, "http/report/node-1.json");
	assert_string_equal(kept, "a report\n");
	assert_null(read_text(one, "left.over"));
	assert_null(read_text(one, "http/hosts/52-54-00-25-00-1a.ipxe"));
	free(kept);
	kept = read_text(one, "run/access.log");
	assert_string_equal(kept, "a line\n");
}

/* Replaces that of the C library: with `links_max`, those of the image's files
 * fail as if there were too many. */
static bool links_max;

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	if (!links_max || !strstr(new, "http/images/"))
		return (int)syscall(SYS_linkat, from, old, to, new, flags);
	errno = EMLINK;
	return -1;
}

static size_t count_descriptors(void)
{
	_cleanup_strv_ char **names = NULL;

	assert_int_equal(dir_names_at(AT_FDCWD, "/proc/self/fd", &names), 0);
	return strv_len(names);
}

/* Sets a digest of the image to that of its file's text. */
static void correct_digest(char *sha256, const char *text)
{
	char hex[DIGEST_HEX_MAX];

	strcpy(sha256, digest_text(DIGEST_SHA256, text, strlen(text), hex));
}

static void file_that_cannot_be_linked_is_copied(void **state)
{
	struct fixture *f = *state;
	const struct known_digests known = {.fd = -1, .digest = digest_range};
	const struct tree_options o = {.secret = SECRET};
	struct err e = {0};
	size_t before;

	correct_digest(f->image.kernel_sha256, KERNEL_TEXT);
	correct_digest(f->image.initrd_sha256, INITRD_TEXT);
	correct_digest(f->image.root_sha256, ROOT_TEXT);
	if (image_check(&f->image, &known, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "t", o, &e), 0);
	before = count_descriptors();
	links_max = true;
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "t", o, &e), 0);
	links_max = false;
	assert_int_equal(count_descriptors(), before);
}

static mode_t mode_of(const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Returns the token in the host.cfg of node-1. Owned by the caller. */
static char *node_token(const char *tree)
{
	_cleanup_free_ char *cpio =
		xasprintf("%s/http/hosts/52-54-00-25-00-1a.cpio", tree);
	_cleanup_free_ char *text = cpio_member(cpio, "rackstrap/host.cfg");
	const char *at = strstr(text, "\nreport_token = \"");

	assert_non_null(at);
	at = strchr(at, '"') + 1;
	return xstrndup(at, strcspn(at, "\""));
}

/* Returns the number of files below `dir` that have the text. */
static unsigned files_with(const char *dir, const char *text)
{
	const char *const argv[] = {"grep", "-rlF", "--", text, dir, NULL};
	_cleanup_strv_ char **lines = NULL;
	_cleanup_free_ char *out = NULL;
	struct err e = {0};

	if (run_capture(&(struct run){.argv = argv}, &out, NULL, &e) == 0)
		lines = strv_split(out, "\n");
	return (unsigned)strv_len(lines);
}

static void secret_is_made_once_and_kept(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	_cleanup_free_ char *two = xasprintf("%s/two", f->scratch);
	_cleanup_free_ char *http = xasprintf("%s/http", one);
	_cleanup_free_ char *made = NULL, *kept = NULL, *other = NULL, *token = NULL,
			    *kept_token = NULL, *conf = NULL;
	const struct tree_options o = {0};
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	made = read_text(one, TREE_SECRET);
	token = node_token(one);
	assert_int_equal(strlen(made), 65);
	assert_int_equal(strlen(token), 64);
	assert_int_equal(mode_of(one, TREE_SECRET), 0600);
	assert_int_equal(mode_of(one, TREE_NGINX_CONF), 0600);
	assert_int_equal(mode_of(one, TREE_HOSTS), 0750);
	/* The token is in the host's own host.cfg and in nginx.conf, and nowhere else. */
	assert_int_equal(files_with(one, token), 2);
	assert_int_equal(files_with(http, token), 1);
	conf = read_text(one, TREE_NGINX_CONF);
	assert_non_null(strstr(conf, token));
	made[64] = '\0';
	assert_int_equal(files_with(one, made), 1);
	made[64] = '\n';

	assert_int_equal(render(f, GOLDEN "/proxy.cfg", "one",
				(struct tree_options){.proxy_dhcp = true}, &e),
			 0);
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	kept = read_text(one, TREE_SECRET);
	kept_token = node_token(one);
	assert_string_equal(kept, made);
	assert_string_equal(kept_token, token);
	assert_int_equal(mode_of(one, TREE_SECRET), 0600);

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "two", o, &e), 0);
	other = read_text(two, TREE_SECRET);
	assert_string_not_equal(other, made);
}

static void token_is_an_hmac(void **state)
{
	struct secret s;
	char token[DIGEST_LEN];

	(void)state;
	assert_int_equal(secret_parse(SECRET, &s), 0);
	assert_string_equal(secret_token(&s, "node-1", token), TOKEN);
	assert_int_equal(secret_parse(SECRET "\n", &s), 0);
	assert_int_equal(secret_parse(SECRET "0", &s), -EINVAL);
	assert_int_equal(secret_parse(SECRET " \n", &s), -EINVAL);
	assert_int_equal(secret_parse("", &s), -EINVAL);
	assert_int_equal(secret_parse("0G" SECRET, &s), -EINVAL);
}

static void damaged_secret_is_not_replaced(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	_cleanup_free_ char *path = xasprintf("%s/" TREE_SECRET, one), *kept = NULL;
	_cleanup_free_ char *text = xasprintf(
		"%s: is not 64 hex digits: remove it, and every host gets a new token "
		"when it boots",
		path);
	_cleanup_free_ char *link = xasprintf(
		"%s: is a symbolic link: remove it, and every host gets a new token when "
		"it boots",
		path);
	const struct tree_options o = {0};
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	write_text(one, TREE_SECRET, "0123");
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), -1);
	assert_string_equal(e.msg, text);
	kept = read_text(one, TREE_SECRET);
	assert_string_equal(kept, "0123");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("tree.cfg", path), 0);
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), -1);
	assert_string_equal(e.msg, link);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
}

/* Another server must not get the token: the host 'far' reports elsewhere. */
static void token_is_for_our_own_url(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *cpio =
		xasprintf("%s/tags/http/hosts/02-00-00-00-00-03.cpio", f->scratch);
	_cleanup_free_ char *dir = xasprintf("%s/tags", f->scratch);
	_cleanup_free_ char *text = NULL, *conf = NULL;
	struct err e = {0};

	assert_int_equal(
		render(f, GOLDEN "/tags.cfg", "tags", (struct tree_options){0}, &e), 0);
	text = cpio_member(cpio, "rackstrap/host.cfg");
	assert_non_null(strstr(text, "report = \"http://reports.example/far\""));
	assert_null(strstr(text, "report_token"));
	conf = read_text(dir, TREE_NGINX_CONF);
	assert_non_null(strstr(conf, "\"10.8.0.11 /report/far.json\" 1;"));
	assert_int_equal(files_with(dir, " /report/far.json"), 1);
}

/* A host that another server gives its address has no line with an address. */
static void dhcp_host_reports_by_its_token(void **state)
{
	static const char rack[] =
		"cluster : { name = \"d\"; boot_server = \"172.25.0.1\";\n"
		"node_network = \"172.25.0.0/24\"; };\n"
		"hosts = ( { name = \"guest\"; role = \"guest\";\n"
		"mac = \"52:54:00:25:00:1b\"; address = \"dhcp\"; } );\n";
	struct fixture *f = *state;
	struct roles *r = &f->image.roles;
	_cleanup_free_ char *file = xasprintf("%s/d.cfg", f->scratch);
	_cleanup_free_ char *dir = xasprintf("%s/d", f->scratch), *conf = NULL;
	struct err e = {0};

	write_text(f->scratch, "d.cfg", rack);
	r->v = xrealloc(r->v, (r->n + 1) * sizeof(*r->v));
	r->v[r->n++] = (struct role){.name = xstrdup("guest")};
	if (render(f, file, "d", (struct tree_options){.proxy_dhcp = true}, &e) < 0)
		fail_msg("%s", e.msg);
	conf = read_text(dir, TREE_NGINX_CONF);
	assert_non_null(strstr(conf, " /report/guest.json\" 1;"));
	assert_null(strstr(conf, "\"0.0.0.0"));
	assert_int_equal(files_with(dir, " /report/guest.json\" 1;"), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(plain_tree_matches_golden_files),
		T(tagged_tree_matches_golden_files),
		T(tree_of_kea_matches_golden_files),
		T(proxy_tree_matches_golden_files),
		T(tree_with_strangers_matches_golden_files),
		T(pool_is_refused_with_proxy_dhcp),
		cmocka_unit_test_setup_teardown(tree_of_web_servers_names_no_feature,
						setup_web, teardown),
		T(image_files_are_in_the_tree),
		T(second_rendering_is_the_same),
		T(file_that_cannot_be_linked_is_copied),
		T(secret_is_made_once_and_kept),
		cmocka_unit_test(token_is_an_hmac),
		T(damaged_secret_is_not_replaced),
		T(token_is_for_our_own_url),
		T(dhcp_host_reports_by_its_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
