/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for files in the image as it will be: of the layer, or of the base and not
 * dropped. A program counts in any folder of the PATH that systemd gives to units. A unit
 * counts as enabled when a folder x.wants or x.requires has an entry of its name.
 */
#include "builder/root/host-needs.h"

#include "builder/common/unit-dirs.h"
#include "firstboot/model/feature.h"

/* Programs that an image with roles runs. */
struct need {
	const char *program;
	const char *why;
	const char *package;
};

static const struct need needs[] = {
	{"init", "the kernel starts it", "systemd-sysv"},
	{"systemctl", "firstboot starts units with it", "systemd"},
	{"curl", "firstboot fetches settings and sends reports with it", "curl"},
};

static const char *const program_dirs[] = {
	"usr/local/sbin/", "usr/local/bin/", "usr/sbin/", "usr/bin/", "sbin/", "bin/",
};

/* Services that configure a network. */
static const char *const network_units[] = {
	RECIPE_NETWORKD,   "NetworkManager.service", "networking.service",
	"connman.service", "dhcpcd.service",         "wicked.service",
};

static const char *const ssh_units[] = {
	"ssh.service",
	"sshd.service",
	"ssh.socket",
	"sshd.socket",
};

/* Returns true when the image has the path, which is not a folder. */
static bool have(const struct layer *l, const struct index *base, const char *path)
{
	_cleanup_free_ char *real = index_resolve(base, path, false);
	const struct layer_item *ours = real ? layer_find(l, real) : NULL;
	const struct index_entry *entry = real ? index_find(base, real) : NULL;

	if (ours)
		return ours->type != ENTRY_DIR;
	return entry && !entry->dropped && entry->type != ENTRY_DIR;
}

static bool have_program(const struct layer *l, const struct index *base,
			 const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(program_dirs); i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", program_dirs[i], name);

		if (have(l, base, path))
			return true;
	}
	return false;
}

/* Returns true for ".../systemd/system/x.wants/UNIT" and ".../x.requires/UNIT". */
static bool starts_unit(const char *path, const char *unit)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash ? (size_t)(slash - path) : 0;

	return slash && streq(slash + 1, unit) && strstr(path, "systemd/system/") &&
	       ((dir > 6 && strncmp(path + dir - 6, ".wants", 6) == 0) ||
		(dir > 9 && strncmp(path + dir - 9, ".requires", 9) == 0));
}

static bool is_enabled(const struct layer *l, const struct index *base, const char *unit)
{
	for (size_t i = 0; i < l->n; i++)
		if (starts_unit(l->v[i].path, unit))
			return true;
	for (size_t i = 0; i < base->n; i++)
		if (!base->v[i].dropped && starts_unit(base->v[i].path, unit))
			return true;
	return false;
}

static const char *first_enabled(const struct layer *l, const struct index *base,
				 const char *const *units, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_enabled(l, base, units[i]))
			return units[i];
	return NULL;
}

/* Checks if a forecast of the base has the package. A program may be a link that
 * update-alternatives(1) makes when the package is installed. */
static bool have_package(const struct index *base, const char *package)
{
	_cleanup_free_ char *list = xasprintf("var/lib/dpkg/info/%s.list", package);

	return index_find(base, list) != NULL;
}

static void check_program(const struct layer *l, const struct index *base,
			  const struct recipe *r, bool forecast, const struct need *n)
{
	if (have_program(l, base, n->program) ||
	    (forecast && have_package(base, n->package)))
		return;
	diag_add(l->d,
		 "%s: roles: the image has no program '%s', but %s: add the package %s "
		 "to the base (%s), and do not exclude it",
		 r->roles_where, n->program, n->why, n->package, r->base.where);
}

static void check_programs(const struct layer *l, const struct index *base,
			   const struct recipe *r, bool forecast)
{
	const uint32_t set = roles_features(&r->roles);

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		check_program(l, base, r, forecast, &needs[i]);
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct feature *f = features[i];
		_cleanup_free_ char *why =
			xasprintf("feature '%s' runs it on every host", f->name);
		const struct need n = {f->program, why, f->package};

		if (set & FEATURE_BIT(i) && f->program)
			check_program(l, base, r, forecast, &n);
	}
}

/* The boot script runs in the initrd, whose shell and tools busybox has. It counts
 * although the root image may leave it out. */
static void check_busybox(const struct index *base, const struct recipe *r,
			  struct diag *d)
{
	static const char *const paths[] = {"bin/busybox", "usr/bin/busybox",
					    "usr/lib/initramfs-tools/bin/busybox"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_free_ char *real = index_resolve(base, paths[i], false);

		if (real && index_find(base, real))
			return;
	}
	diag_add(d,
		 "%s: base: has no busybox, which the boot script in the initrd needs: "
		 "add "
		 "the package busybox to 'packages'",
		 r->base.where);
}

/* Checks if the recipe enables systemd-networkd: then unit_links() has complained if it
 * is not there. */
static bool enables_networkd(const struct recipe *r)
{
	for (size_t i = 0; i < r->enable.n; i++)
		if (streq(r->enable.v[i].unit, RECIPE_NETWORKD))
			return true;
	return false;
}

static void check_units(const struct layer *l, const struct index *base,
			const struct recipe *r)
{
	const char *ssh = first_enabled(l, base, ssh_units, ARRAY_SIZE(ssh_units));

	if (!enables_networkd(r) &&
	    !first_enabled(l, base, network_units, ARRAY_SIZE(network_units)))
		diag_add(l->d,
			 "%s: roles: no service that configures the network is enabled: "
			 "do not disable or mask '" RECIPE_NETWORKD
			 "', or enable another",
			 r->roles_where);
	if (ssh && !is_enabled(l, base, RECIPE_SSH_KEYS))
		diag_add(l->d,
			 "%s: roles: '%s' is enabled, but not '" RECIPE_SSH_KEYS
			 "', which makes the host's key: sshd would not start; a unit of "
			 "this name in 'units' replaces it",
			 r->roles_where, ssh);
}

static void check_containers(const struct layer *l, const struct index *base,
			     const struct recipe *r)
{
	for (size_t i = 0; i < UNIT_DIRS; i++) {
		_cleanup_free_ char *path = xasprintf("%sdocker.service", unit_dirs[i]);

		if (r->n_containers == 0 || have(l, base, path))
			return;
	}
	diag_add(l->d,
		 "%s: container %s: the image has no unit 'docker.service', and so no "
		 "Docker to load it into",
		 r->containers[0].where, r->containers[0].image);
}

/* Checks if a file of the base is kept, or the recipe itself adds one. */
static bool have_file(const struct layer *l, const struct index *base)
{
	for (size_t i = 0; i < base->n; i++)
		if (!base->v[i].dropped &&
		    (base->v[i].type == ENTRY_FILE || base->v[i].type == ENTRY_HARDLINK))
			return true;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type == ENTRY_FILE && !streq(l->v[i].where, RECIPE_OWN))
			return true;
	return false;
}

void host_needs_check(const struct layer *l, const struct index *base,
		      const struct recipe *r, bool forecast)
{
	if (!have_file(l, base)) {
		diag_add(l->d,
			 "%s: exclude: no file of the base is left, and the recipe adds "
			 "none: the root image would be empty",
			 r->exclude ? r->exclude_where : r->base.where);
		return;
	}
	if (r->roles.n == 0)
		return;
	check_programs(l, base, r, forecast);
	check_busybox(base, r, l->d);
	check_units(l, base, r);
	check_containers(l, base, r);
}
