/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index finds the host of a line without a walk over all hosts. dnsmasq's log has
 * local times without a year: lines that it has when the tracker is opened are taken for
 * the last twelve months', those that come later for the present.
 *
 * nginx writes a line when a request has ended; tracker-flows.c has what is loaded
 * meanwhile.
 */
#include "pxe/tracker-parts.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "pxe/loaders.h"

#define TURN_BYTES   (64 * 1024) /* of each log */
#define TURN_REPORTS 64
#define TURN_LOOKS   512 /* at files of reports */

/* --- hosts ------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
	const struct tracker_key *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static bool find_key(const struct tracker_key *keys, size_t n, uint64_t key, size_t *ret)
{
	const struct tracker_key want = {.key = key};
	const struct tracker_key *k = bsearch(&want, keys, n, sizeof(*keys), by_key);

	if (k)
		*ret = k->host;
	return k;
}

static uint64_t mac_key(struct mac mac)
{
	uint64_t key = 0;

	for (size_t i = 0; i < sizeof(mac.b); i++)
		key = key << 8 | mac.b[i];
	return key;
}

static bool host_by_mac(const struct tracker *t, struct mac mac, size_t *ret)
{
	return find_key(t->by_mac, t->status.n, mac_key(mac), ret);
}

bool tracker_find_address(struct tracker *t, uint32_t address, size_t *ret)
{
	size_t n = t->status.n;

	if (t->addresses_changed) {
		for (size_t i = 0; i < n; i++)
			t->by_address[i] = (struct tracker_key){t->boots[i].address, i};
		qsort(t->by_address, n, sizeof(*t->by_address), by_key);
		t->addresses_changed = false;
	}
	return address && find_key(t->by_address, n, address, ret);
}

static bool host_by_name(const struct tracker *t, const char *name, size_t len,
			 size_t *ret)
{
	_cleanup_free_ char *text = xstrndup(name, len);

	return intern_find(&t->names, text, ret);
}

/* --- reports ---------------------------------------------------------------------- */

static void load_report(struct tracker *t, size_t i)
{
	struct status_host *h = &t->status.hosts[i];

	status_host_done(h);
	status_load_host(h, t->dir, &t->info->hosts[i], 0);
	t->changes++;
}

static void queue_report(struct tracker *t, size_t i)
{
	if (t->boots[i].due)
		return;
	t->boots[i].due = true;
	t->queue[(t->first + t->queued++) % t->status.n] = i;
}

/* Reads reports that are due, and looks at the files of some other hosts. */
static void read_reports(struct tracker *t)
{
	size_t n = t->status.n;

	for (size_t k = 0; k < TURN_LOOKS && k < n; k++) {
		struct report_id id = t->boots[t->next].known;

		if (report_changed(&id, t->dir, t->info->hosts[t->next].name))
			queue_report(t, t->next);
		t->next = (t->next + 1) % n;
	}
	for (size_t k = 0; k < TURN_REPORTS && t->queued > 0; k++) {
		size_t i = t->queue[t->first];

		t->first = (t->first + 1) % n;
		t->queued--;
		t->boots[i].due = false;
		if (report_changed(&t->boots[i].known, t->dir, t->info->hosts[i].name))
			load_report(t, i);
	}
}

/* --- the access log --------------------------------------------------------------- */

static bool is_image_file(const char *name)
{
	for (size_t i = 0; i < TREE_IMAGE_FILES; i++)
		if (streq(name, tree_image_files[i]))
			return true;
	return false;
}

/* Sets *ret to the id in "/images/ID/FILE" and returns FILE, or NULL if the path is not
 * that of a file that hosts load: it is what a machine asked for, and may have "..". *ret
 * is owned by the caller. */
static const char *image_file(const char *path, char **ret)
{
	const char *id = str_after(path, "/images/");
	size_t n = id ? strspn(id, "0123456789abcdef-") : 0;

	if (n == 0 || id[n] != '/' || !is_image_file(id + n + 1))
		return NULL;
	*ret = xstrndup(id, n);
	return id + n + 1;
}

static uint64_t file_size(const struct tracker *t, const char *id, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/http/images/%s/%s", t->dir, id, name);
	struct stat st;

	return lstat(path, &st) < 0 || st.st_size < 0 ? 0 : (uint64_t)st.st_size;
}

/* Returns the bytes that a host loads of this image. */
static uint64_t image_bytes(struct tracker *t, const char *id)
{
	if (t->image && streq(t->image, id))
		return t->image_bytes;
	free(t->image);
	t->image = xstrdup(id);
	t->image_bytes = 0;
	for (size_t i = 0; i < TREE_IMAGE_FILES; i++)
		t->image_bytes += file_size(t, id, tree_image_files[i]);
	return t->image_bytes;
}

static void heard(struct tracker *t, struct tracker_boot *b, uint64_t ms)
{
	b->heard_ms = ms > b->heard_ms ? ms : b->heard_ms;
	t->changes++;
}

static void note_script(struct tracker *t, const struct access *a, struct mac mac)
{
	struct tracker_boot *b;
	size_t i;

	if (a->status != 200 || !host_by_mac(t, mac, &i))
		return;
	b = &t->boots[i];
	t->addresses_changed |= b->address != a->address;
	b->address = a->address;
	b->asked_ms = a->end_ms;
	b->loaded_ms = b->bytes = b->total = b->sent = 0;
	heard(t, b, a->end_ms);
}

static void note_host_file(struct tracker *t, const struct access *a, struct mac mac)
{
	size_t i;

	if (a->status == 200 && host_by_mac(t, mac, &i))
		heard(t, &t->boots[i], a->end_ms);
}

/* Handles that a kernel was loaded, the first file of every boot, and again when a loader
 * repeats a boot that failed. The boot script of some loaders is in no log. */
static void note_kernel(struct tracker *t, const struct access *a, size_t host)
{
	enum tracker_state state = tracker_state(t, host);
	struct tracker_boot *b = &t->boots[host];
	uint64_t began = a->end_ms > a->took_ms ? a->end_ms - a->took_ms : 0;

	if (state != TRACKER_ASKED && state != TRACKER_LOADING && began > b->asked_ms)
		b->asked_ms = began;
	if (b->bytes > 0) /* else `sent` has this file, or will have it */
		b->sent = 0;
	b->loaded_ms = b->bytes = 0;
}

static void note_image(struct tracker *t, const struct access *a, const char *id,
		       const char *file)
{
	struct tracker_boot *b;
	size_t i;

	if (a->status != 200 || !tracker_find_address(t, a->address, &i))
		return;
	if (streq(file, "vmlinuz"))
		note_kernel(t, a, i);
	b = &t->boots[i];
	b->total = image_bytes(t, id);
	b->bytes += a->bytes;
	if (streq(file, "root.cpio") && a->bytes >= file_size(t, id, file))
		b->loaded_ms = a->end_ms;
	heard(t, b, a->end_ms);
}

static void note_report(struct tracker *t, const struct access *a, const char *file)
{
	struct tracker_boot *b;
	size_t i;

	if (a->status / 100 != 2 || !str_ends(file, ".json") ||
	    !host_by_name(t, file, strlen(file) - strlen(".json"), &i))
		return;
	b = &t->boots[i];
	if (b->asked_ms > a->end_ms) { /* the clock was set back after it had asked */
		b->asked_ms = 0;
		b->heard_ms = a->end_ms;
	}
	queue_report(t, i);
}

/* Handles a line of the access log. Returns its kind, or -1 for one that is not used. */
static int note_access(struct tracker *t, const struct access *a)
{
	_cleanup_free_ char *id = NULL;
	const char *file = str_after(a->path, "/report/");
	struct mac mac;

	if (streq(a->method, "PUT") && file) {
		note_report(t, a, file);
		return TRACKER_REPORT;
	}
	if (!streq(a->method, "GET"))
		return -1;
	if (pxe_loader_by_url(a->path, &mac)) {
		note_script(t, a, mac);
		return TRACKER_SCRIPT;
	}
	if (host_file_match(&host_cpio_file, a->path, &mac) ||
	    host_file_match(&host_rack_file, a->path, &mac)) {
		note_host_file(t, a, mac);
		return TRACKER_HOST_FILE;
	}
	file = image_file(a->path, &id);
	if (!file)
		return -1;
	note_image(t, a, id, file);
	return TRACKER_IMAGE;
}

static void count(struct tracker_count *c, const struct access *a)
{
	if (a->status < 400)
		c->ok++;
	else
		c->refused++;
	c->bytes += a->bytes;
}

/* --- the DHCP servers' logs ------------------------------------------------------- */

static void note_dhcp(struct tracker *t, const struct dhcp_line *l, uint64_t ms)
{
	struct tracker_boot *b;
	size_t i;

	if (!ms || !l->asked || !host_by_mac(t, l->mac, &i))
		return;
	b = &t->boots[i];
	if (b->total || b->loaded_ms || t->status.hosts[i].verdict != STATUS_SILENT)
		return;
	b->asked_ms = ms > b->asked_ms ? ms : b->asked_ms;
	heard(t, b, ms);
}

/* --- the whole -------------------------------------------------------------------- */

static void read_logs(struct tracker *t, uint64_t now_ms, bool first)
{
	struct dhcp_line line;
	struct access a;

	while (access_next(&t->access, &a)) {
		int kind = note_access(t, &a);

		if (kind >= 0 && !first)
			count(&t->counts[kind], &a);
	}
	while (dhcp_logs_next(&t->dhcp, (time_t)(now_ms / 1000), &line))
		note_dhcp(t, &line, first ? line.ms : now_ms);
}

/* Chooses the image of hosts that have not loaded a whole file yet, if there is one. */
static void find_image(struct tracker *t)
{
	_cleanup_free_ char *path = xasprintf("%s/http/images", t->dir);
	_cleanup_strv_ char **ids = NULL;

	if (dir_names_at(AT_FDCWD, path, &ids) == 0 && strv_len(ids) == 1)
		(void)image_bytes(t, ids[0]);
}

static void add_hosts(struct tracker *t)
{
	size_t n = t->info->n_hosts;

	t->status.rack = xstrdup(t->info->name);
	t->status.n = n;
	t->status.hosts = xcalloc(n + 1, sizeof(*t->status.hosts));
	t->boots = xcalloc(n + 1, sizeof(*t->boots));
	t->by_mac = xcalloc(n + 1, sizeof(*t->by_mac));
	t->by_address = xcalloc(n + 1, sizeof(*t->by_address));
	t->queue = xcalloc(n + 1, sizeof(*t->queue));
	for (size_t i = 0; i < n; i++) {
		const struct tree_host *h = &t->info->hosts[i];

		t->by_mac[i] = (struct tracker_key){mac_key(h->mac), i};
		t->boots[i].address = h->address.prefix ? h->address.addr : 0;
		intern(&t->names, h->name, NULL);
		(void)report_changed(&t->boots[i].known, t->dir, h->name);
		load_report(t, i);
	}
	qsort(t->by_mac, n, sizeof(*t->by_mac), by_key);
	t->addresses_changed = true;
}

void tracker_open(struct tracker *ret, const char *dir, const struct tree_info *info,
		  uint64_t now_ms)
{
	_cleanup_free_ char *access = xasprintf("%s/" TREE_ACCESS_LOG, dir);

	*ret = (struct tracker){.dir = xstrdup(dir), .info = info, .opened_ms = now_ms};
	add_hosts(ret);
	find_image(ret);
	tail_open(&ret->access, access, false);
	dhcp_logs_open(&ret->dhcp, dir, false, false);
	read_logs(ret, now_ms, true);
}

bool tracker_turn(struct tracker *t, uint64_t now_ms)
{
	(void)tail_turn(&t->access, TURN_BYTES);
	(void)dhcp_logs_turn(&t->dhcp, TURN_BYTES);
	read_logs(t, now_ms, false);
	tracker_look_at_flows(t, now_ms);
	if (t->status.n > 0)
		read_reports(t);
	return t->access.left == 0 || dhcp_logs_have_more(&t->dhcp) || t->queued > 0;
}

void tracker_done(struct tracker *t)
{
	status_done(&t->status);
	tail_done(&t->access);
	dhcp_logs_done(&t->dhcp);
	intern_done(&t->names);
	free(t->dir);
	free(t->boots);
	free(t->by_mac);
	free(t->by_address);
	free(t->queue);
	free(t->image);
	free(t->flows);
	*t = (struct tracker){0};
}
