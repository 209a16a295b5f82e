/* SPDX-License-Identifier: Apache-2.0 */
/* builder/root/container.h: converts archives of docker save that the test makes. */
#include "builder/root/container.h"

#include "builder/common/archive.h"
#include "lib/file.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#define LAYER "a layer, which nobody here unpacks"

static void add_file(struct archive_out *out, const char *path, const void *data,
		     size_t len)
{
	struct entry entry = {
		.type = ENTRY_FILE, .path = path, .mode = 0644, .size = len};

	assert_int_equal(archive_out_entry(out, &entry, NULL), 0);
	assert_int_equal(archive_out_data(out, data, len, NULL), 0);
}

/* Returns a memfd with a saved image of one layer and this configuration. */
static int saved_image(const char *config, size_t len)
{
	static const char manifest[] = "[{\"Config\": \"c.json\", "
				       "\"RepoTags\": [\"calico/node:v1\"], "
				       "\"Layers\": [\"layer.tar\"]}]";
	_cleanup_archive_out_ struct archive_out *out = NULL;
	int fd = memfd_create("saved", MFD_CLOEXEC);

	assert_true(fd >= 0);
	out = archive_out_new(fd, "saved");
	add_file(out, "manifest.json", manifest, strlen(manifest));
	add_file(out, "c.json", config, len);
	add_file(out, "layer.tar", LAYER, strlen(LAYER));
	assert_int_equal(archive_out_end(out, NULL), 0);
	return fd;
}

static char *config_text(void)
{
	char hex[DIGEST_HEX_MAX];

	digest_text(DIGEST_SHA256, LAYER, strlen(LAYER), hex);
	return xasprintf("{\"rootfs\": {\"diff_ids\": [\"sha256:%s\"]}}", hex);
}

static int convert(int fd, struct container_archive *c, struct err *e)
{
	_cleanup_close_ int scratch = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char image[] = "calico/node:v1";
	struct container_name as;

	assert_int_equal(container_name_parse(image, &as), 0);
	return container_convert(c, &(struct container_source){.fd = fd, .name = "saved"},
				 &as, 1435622400, scratch, e);
}

static void the_configuration_keeps_its_digest(void **state)
{
	_cleanup_free_ char *config = config_text();
	_cleanup_close_ int fd = saved_image(config, strlen(config));
	char hex[DIGEST_HEX_MAX];
	struct container_archive c = {0};
	struct err e = {0};

	(void)state;
	digest_text(DIGEST_SHA256, config, strlen(config), hex);
	assert_int_equal(convert(fd, &c, &e), 0);
	assert_string_equal(c.config, hex);
	close(c.fd);
}

/* The digest covers the bytes after the NUL, but the archive would not contain them. */
static void a_nul_byte_in_the_configuration_is_refused(void **state)
{
	_cleanup_free_ char *config = config_text();
	_cleanup_buf_ struct buf b = {0};
	_cleanup_close_ int fd = -1;
	struct container_archive c = {0};
	struct err e = {0};

	(void)state;
	buf_puts(&b, config);
	buf_add(&b, "\0more", 5);
	fd = saved_image(b.p, b.len);
	assert_int_equal(convert(fd, &c, &e), -1);
	assert_string_equal(e.msg, "saved: c.json: has a NUL byte in it");
}

static void an_empty_list_of_repositories_is_refused(void **state)
{
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_close_ int fd = memfd_create("saved", MFD_CLOEXEC);
	struct container_archive c = {0};
	struct err e = {0};

	(void)state;
	out = archive_out_new(fd, "saved");
	add_file(out, "repositories", "", 0);
	assert_int_equal(archive_out_end(out, NULL), 0);
	assert_int_equal(convert(fd, &c, &e), -1);
	assert_non_null(str_after(e.msg, "saved: repositories: line 1: "));
}

/* The layer is there three times; so often it is written and counted. */
static void a_repeated_layer_counts_each_time(void **state)
{
	static const char manifest[] =
		"[{\"Config\": \"c.json\", \"RepoTags\": [\"calico/node:v1\"], "
		"\"Layers\": [\"layer.tar\", \"layer.tar\", \"layer.tar\"]}]";
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_close_ int fd = memfd_create("saved", MFD_CLOEXEC);
	char hex[DIGEST_HEX_MAX], image[] = "calico/node:v1";
	_cleanup_close_ int scratch = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *config = NULL;
	struct container_archive c = {0};
	struct container_source from = {.fd = fd, .name = "saved"};
	struct container_name as;
	struct err e = {0};

	(void)state;
	digest_text(DIGEST_SHA256, LAYER, strlen(LAYER), hex);
	config = xasprintf("{\"rootfs\": {\"diff_ids\": [\"sha256:%s\", \"sha256:%s\", "
			   "\"sha256:%s\"]}}",
			   hex, hex, hex);
	out = archive_out_new(fd, "saved");
	add_file(out, "layer.tar", LAYER, strlen(LAYER));
	add_file(out, "c.json", config, strlen(config));
	add_file(out, "manifest.json", manifest, strlen(manifest));
	assert_int_equal(archive_out_end(out, NULL), 0);
	assert_int_equal(container_name_parse(image, &as), 0);
	from.limit = 3 * strlen(LAYER);
	assert_int_equal(container_convert(&c, &from, &as, 1435622400, scratch, &e), 0);
	assert_true(c.size > 3 * strlen(LAYER));
	close(c.fd);
	from.limit--;
	assert_int_equal(container_convert(&c, &from, &as, 1435622400, scratch, &e), -1);
	assert_string_equal(e.msg,
			    "saved: layer layer.tar: unpacks to more than the limit of "
			    "101 B: refused (key 'limit' of the container raises the "
			    "limit)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_configuration_keeps_its_digest),
		cmocka_unit_test(a_nul_byte_in_the_configuration_is_refused),
		cmocka_unit_test(a_repeated_layer_counts_each_time),
		cmocka_unit_test(an_empty_list_of_repositories_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
