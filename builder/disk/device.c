/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a disk's folder in sysfs. The file that has the serial number depends on the
 * driver:
 *
 *	NVMe, MMC, virtio	a file "serial" in the disk's folder or its device's
 *	SCSI, SATA, SAS		the unit serial number page, device/vpd_pg80 (SPC-4, 7.8)
 *	USB			"serial" of the USB device, some folders further up
 *
 * A serial number that is in none of them may be in udev's database.
 */
#include "builder/disk/device.h"

#include "builder/disk/device-line.h"
#include "lib/root.h"
#include "lib/str.h"

#define FACT_MAX 4096
#define SECTOR   512 /* unit of /sys/block/NAME/size for all disks */
#define USB_UP   8   /* at most so many folders from a disk up to its USB device */

static uint64_t read_number(int root, const char *name, const char *file)
{
	_cleanup_free_ char *s = device_line(root, "sys/block/%s/%s", name, file);
	uint64_t n = 0;

	return s && str_to_u64(s, UINT64_MAX, &n) == 0 ? n : 0;
}

/* --- udev -------------------------------------------------------------------------- */

/* Returns a property of the block device `number` ("8:16") in udev's database, or NULL;
 * owned. */
static char *udev_get(int root, const char *number, const char *key)
{
	_cleanup_free_ char *path = xasprintf("run/udev/data/b%s", number), *text = NULL;
	_cleanup_free_ char *want = xasprintf("E:%s=", key);
	_cleanup_strv_ char **lines = NULL;

	if (root_read(root, path, 1 << 20, &text, NULL) < 0)
		return NULL;
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		const char *value = str_after(lines[i], want);

		if (value && *value)
			return xstrdup(value);
	}
	return NULL;
}

static char *udev_of(int root, const char *name, const char *key)
{
	_cleanup_free_ char *number = device_line(root, "sys/block/%s/dev", name);

	return number ? udev_get(root, number, key) : NULL;
}

char *device_label(const struct device *d, int root, unsigned number)
{
	/* Partition 1 is "sda1", but "nvme0n1p1". */
	char last = d->name[strlen(d->name) - 1];
	_cleanup_free_ char *dev =
		device_line(root, "sys/block/%s/%s%s%u/dev", d->name, d->name,
			    last >= '0' && last <= '9' ? "p" : "", number);

	return dev ? udev_get(root, dev, "ID_FS_LABEL") : NULL;
}

/* --- facts ------------------------------------------------------------------------- */

/* Returns the bus of the first entry whose text is in the disk's path in the device tree,
 * or NULL. */
static const char *bus_of(int root, const char *name)
{
	static const struct {
		const char *part, *bus;
	} buses[] = {
		{"/virtual/block/loop", "loop"},
		{"/usb", "usb"},
		{"/nvme", "nvme"},
		{"/mmc", "mmc"},
		{"/virtio", "virtio"},
		{"/ata", "ata"},
		{"/host", "scsi"},
	};
	_cleanup_free_ char *path = xasprintf("sys/block/%s", name);
	_cleanup_free_ char *target = NULL;

	if (root_readlink(root, path, &target) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(buses); i++)
		if (strstr(target, buses[i].part))
			return buses[i].bus;
	return NULL;
}

static char *model_of(int root, const char *name)
{
	_cleanup_free_ char *vendor = NULL;
	char *model = device_line(root, "sys/block/%s/loop/backing_file", name);

	if (!model)
		model = device_line(root, "sys/block/%s/device/model", name);
	if (!model) /* MMC */
		return device_line(root, "sys/block/%s/device/name", name);
	vendor = device_line(root, "sys/block/%s/device/vendor", name);
	/* The vendor is "ATA" for all disks of libata and a number for virtio. */
	if (vendor && !streq(vendor, "ATA") && !str_after(vendor, "0x")) {
		char *both = xasprintf("%s %s", vendor, model);

		free(model);
		model = both;
	}
	return model;
}

/* Returns the text of the unit serial number page, or NULL; owned. The page has four
 * bytes of header, the last two its length, then the text (SPC-4 7.8.15). */
static char *vpd_serial(int root, const char *name)
{
	_cleanup_free_ char *path = xasprintf("sys/block/%s/device/vpd_pg80", name);
	_cleanup_free_ char *page = NULL;
	size_t len, n;

	if (root_read(root, path, FACT_MAX, &page, &len) < 0 || len <= 4)
		return NULL;
	n = (size_t)(uint8_t)page[2] << 8 | (uint8_t)page[3];
	if (n > len - 4)
		n = len - 4;
	page[4 + n] = '\0';
	return str_trimmed(page + 4, " ");
}

/* Returns the serial number of the USB device, which is the nearest folder upwards that
 * has idVendor; owned. */
static char *usb_serial(int root, const char *name)
{
	_cleanup_buf_ struct buf up = {0};

	buf_printf(&up, "sys/block/%s/device", name);
	for (unsigned i = 0; i < USB_UP; i++) {
		_cleanup_free_ char *vendor = device_line(root, "%s/idVendor", up.p);

		if (vendor)
			return device_line(root, "%s/serial", up.p);
		buf_puts(&up, "/..");
	}
	return NULL;
}

/* Checks that `s` is printable ASCII without blanks: the operator has to type it. */
static bool can_be_typed(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

static char *serial_of(int root, const char *name, const char *bus)
{
	char *s = device_line(root, "sys/block/%s/serial", name);

	if (!s)
		s = device_line(root, "sys/block/%s/device/serial", name);
	if (!s)
		s = vpd_serial(root, name);
	if (!s && bus && streq(bus, "usb"))
		s = usb_serial(root, name);
	if (!s)
		s = udev_of(root, name, "ID_SERIAL_SHORT");
	if (s && !can_be_typed(s)) {
		free(s);
		return NULL;
	}
	return s;
}

int device_read(struct device *ret, int root, const char *name, struct err *e)
{
	_cleanup_device_ struct device d = {0};
	_cleanup_free_ char *size = device_line(root, "sys/block/%s/size", name);
	uint64_t sectors;

	if (!size || str_to_u64(size, UINT64_MAX / SECTOR, &sectors) < 0)
		return err_set(e, ERR_FAILED,
			       "/dev/%s: /sys/block/%s/size is missing or not a number",
			       name, name);
	d.name = xstrdup(name);
	d.path = xasprintf("/dev/%s", name);
	for (char *s = d.path; *s; s++) /* "cciss!c0d0" is /dev/cciss/c0d0 */
		if (*s == '!')
			*s = '/';
	d.size = sectors * SECTOR;
	d.sector = (unsigned)read_number(root, name, "queue/logical_block_size");
	if (d.sector == 0)
		d.sector = SECTOR;
	d.read_only = read_number(root, name, "ro") != 0;
	d.removable = read_number(root, name, "removable") != 0;
	d.bus = bus_of(root, name);
	d.model = model_of(root, name);
	d.serial = serial_of(root, name, d.bus);
	device_find_uses(&d, root);
	*ret = d;
	d = (struct device){0};
	return 0;
}

void device_done(struct device *d)
{
	free(d->name);
	free(d->path);
	free(d->model);
	free(d->serial);
	strv_free(d->uses);
	*d = (struct device){0};
}

const char *device_token(const struct device *d)
{
	return d->serial ? d->serial : d->name;
}

/* --- names and lists --------------------------------------------------------------- */

int device_name(int root, unsigned major, unsigned minor, const char *path, char **ret,
		struct err *e)
{
	_cleanup_free_ char *link = xasprintf("sys/dev/block/%u:%u", major, minor);
	_cleanup_free_ char *number = NULL;
	_cleanup_free_ char *target = NULL;
	int r = root_readlink(root, link, &target);
	char *slash;

	if (r < 0)
		return err_errno(e, r, "%s: /%s", path, link);
	slash = strrchr(target, '/');
	if (!slash)
		return err_set(e, ERR_FAILED, "%s: /%s is not a link to a disk", path,
			       link);
	number = device_line(root, "%s/partition", link);
	if (number) {
		*slash = '\0';
		slash = strrchr(target, '/');
		return err_set(e, ERR_FAILED,
			       "%s: is a partition; an image goes to the whole disk, "
			       "/dev/%s",
			       path, slash ? slash + 1 : target);
	}
	*ret = xstrdup(slash + 1);
	return 0;
}

/* Returns false for RAM disks, devices made of other disks, and drives for CDs, floppies
 * and flash chips. */
static bool is_disk(const char *name)
{
	static const char *const others[] = {"ram", "zram", "dm-", "md",
					     "nbd", "sr",   "fd",  "mtdblock"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		const char *rest = str_after(name, others[i]);

		if (rest && *rest >= '0' && *rest <= '9')
			return false;
	}
	return name[0] != '.';
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct device *)a)->name,
			  ((const struct device *)b)->name);
}

int devices_read(struct devices *ret, int root, struct err *e)
{
	_cleanup_devices_ struct devices all = {0};
	_cleanup_strv_ char **names = NULL;
	int r = root_names(root, "sys/block", &names);

	if (r < 0)
		return err_errno(e, r, "/sys/block");
	for (size_t i = 0; names && names[i]; i++) {
		struct device one = {0};

		if (!is_disk(names[i]))
			continue;
		/* An error here is a disk that was just removed. */
		if (device_read(&one, root, names[i], NULL) < 0 || one.size == 0) {
			device_done(&one);
			continue;
		}
		all.v = xgrow(all.v, all.n, sizeof(*all.v));
		all.v[all.n++] = one;
	}
	if (all.n > 0)
		qsort(all.v, all.n, sizeof(*all.v), by_name);
	*ret = all;
	all = (struct devices){0};
	return 0;
}

void devices_done(struct devices *d)
{
	for (size_t i = 0; i < d->n; i++)
		device_done(&d->v[i]);
	free(d->v);
	*d = (struct devices){0};
}
