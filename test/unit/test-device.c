/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises disks of other machines in copies of their /sys and /proc, and finds out
 * what uses them. */
#include "builder/disk/device.h"
#include "lib/file.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *root_path;
static int root = -1;

static void write_file(const char *path, const char *text)
{
	_cleanup_free_ char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(mkdir_p_at(root, dir, 0755), 0);
	assert_int_equal(file_write_at(root, path, text, strlen(text), 0644), 0);
}

static void add_symlink(const char *path, const char *target)
{
	_cleanup_free_ char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(mkdir_p_at(root, dir, 0755), 0);
	assert_int_equal(symlinkat(target, root, path), 0);
}

/* Writes a disk's files at `where` below /sys/devices; for "NAME/...", only the first
 * part is the disk's name. */
static void add_disk(const char *name, const char *where, const char *number,
		     const char *size)
{
	_cleanup_free_ char *dir = xasprintf("sys/devices/%s/block/%s", where, name);
	_cleanup_free_ char *in_block = xasprintf("sys/block/%s", name);
	_cleanup_free_ char *by_number = xasprintf("sys/dev/block/%s", number);
	_cleanup_free_ char *target = xasprintf("../devices/%s/block/%s", where, name);
	_cleanup_free_ char *target2 =
		xasprintf("../../devices/%s/block/%s", where, name);
	static const char *const files[] = {"dev", "size"};
	const char *const texts[] = {number, size};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, files[i]);
		_cleanup_free_ char *text = xasprintf("%s\n", texts[i]);

		write_file(path, text);
	}
	add_symlink(in_block, target);
	add_symlink(by_number, target2);
}

static void add_part(const char *disk, const char *where, const char *name,
		     const char *number)
{
	_cleanup_free_ char *dir =
		xasprintf("sys/devices/%s/block/%s/%s", where, disk, name);
	_cleanup_free_ char *dev = xasprintf("%s/dev", dir);
	_cleanup_free_ char *part = xasprintf("%s/partition", dir);
	_cleanup_free_ char *text = xasprintf("%s\n", number);
	_cleanup_free_ char *by_number = xasprintf("sys/dev/block/%s", number);
	_cleanup_free_ char *target =
		xasprintf("../../devices/%s/block/%s/%s", where, disk, name);

	write_file(dev, text);
	write_file(part, "1\n");
	add_symlink(by_number, target);
}

#define SATA "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0"
#define USB  "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0"

static int setup(_unused_ void **state)
{
	assert_int_equal(tempdir_make("/tmp", "rackstrap-test", &root_path), 0);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);

	add_disk("sda", SATA, "8:0", "1000215216");
	write_file("sys/devices/" SATA "/vendor", "ATA     \n");
	write_file("sys/devices/" SATA "/model", "Samsung SSD 860 \n");
	write_file("sys/devices/" SATA "/block/sda/queue/logical_block_size", "512\n");
	add_symlink("sys/devices/" SATA "/block/sda/device", "../../../0:0:0:0");
	add_part("sda", SATA, "sda1", "8:1");
	add_part("sda", SATA, "sda2", "8:2");
	add_part("sda", SATA, "sda3", "8:3");

	add_disk("sdb", USB, "8:16", "60062500");
	write_file("sys/devices/" USB "/vendor", "SanDisk \n");
	write_file("sys/devices/" USB "/model", "Ultra\n");
	write_file("sys/devices/" USB "/block/sdb/removable", "1\n");
	write_file("sys/devices/" USB "/block/sdb/ro", "0\n");
	add_symlink("sys/devices/" USB "/block/sdb/device", "../../../6:0:0:0");
	write_file("sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/idVendor", "0781\n");
	write_file("sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/serial", "4C5300\n");
	add_part("sdb", USB, "sdb1", "8:17");

	add_disk("nvme0n1", "pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1", "259:0",
		 "3907029168");
	write_file("sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1/block/nvme0n1/"
		   "device/"
		   "serial",
		   "S4EV        \n");
	write_file("sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1/block/nvme0n1/"
		   "queue/"
		   "logical_block_size",
		   "4096\n");
	add_part("nvme0n1", "pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1", "nvme0n1p2",
		 "259:2");

	add_disk("zram0", "virtual", "253:0", "100");
	add_disk("loop0", "virtual", "7:0", "0");
	add_disk("sr0", "pci0000:00/ata2", "11:0", "1000");
	add_disk("dm-0", "virtual", "254:0", "1000");
	add_disk("dm-1", "virtual", "254:1", "1000");
	add_disk("md0", "virtual", "9:0", "1000");
	write_file("sys/devices/virtual/block/dm-0/dm/name", "luks\n");
	write_file("sys/devices/virtual/block/dm-1/dm/name", "vg-root\n");
	write_file("sys/devices/virtual/block/md0/md/level", "raid1\n");
	return 0;
}

static int teardown(_unused_ void **state)
{
	close(root);
	root = -1;
	rm_rf_p(&root_path);
	root_path = NULL;
	return 0;
}

static char *uses_of(const char *name)
{
	_cleanup_device_ struct device d = {0};
	struct err e;

	assert_int_equal(device_read(&d, root, name, &e), 0);
	return strv_join(d.uses, "; ");
}

#define assert_uses(name, want)                                                          \
	do {                                                                             \
		_cleanup_free_ char *got_ = uses_of(name);                               \
		assert_string_equal(got_, want);                                         \
	} while (0)

/* --- properties of disks ------------------------------------------------------------ */

static void test_properties_are_read(void **state)
{
	_cleanup_device_ struct device sda = {0}, sdb = {0}, nvme = {0};
	struct err e;

	(void)state;
	assert_int_equal(device_read(&sda, root, "sda", &e), 0);
	assert_string_equal(sda.path, "/dev/sda");
	assert_string_equal(sda.model, "Samsung SSD 860");
	assert_string_equal(sda.bus, "ata");
	assert_true(sda.size == 1000215216ull * 512 && sda.sector == 512);
	assert_false(sda.removable || sda.read_only);
	assert_null(sda.serial);
	assert_string_equal(device_token(&sda), "sda");
	assert_int_equal(device_read(&sdb, root, "sdb", &e), 0);
	assert_string_equal(sdb.model, "SanDisk Ultra");
	assert_string_equal(sdb.bus, "usb");
	assert_string_equal(sdb.serial, "4C5300");
	assert_string_equal(device_token(&sdb), "4C5300");
	assert_true(sdb.removable);
	assert_int_equal(device_read(&nvme, root, "nvme0n1", &e), 0);
	assert_string_equal(nvme.serial, "S4EV");
	assert_string_equal(nvme.bus, "nvme");
	assert_int_equal(nvme.sector, 4096);
	assert_int_equal(device_read(&sda, root, "sdz", &e), -1);
	assert_string_equal(e.msg,
			    "/dev/sdz: /sys/block/sdz/size is missing or not a number");
}

/* Page 0x80 has its length in bytes 3 and 4 and blanks around the serial number. */
static void test_serial_is_read_from_scsi_page(void **state)
{
	static const char page[] = "\0\x80\0\x0c  S3YJNB0K  X";
	_cleanup_device_ struct device d = {0};
	struct err e;

	(void)state;
	assert_int_equal(file_write_at(root, "sys/devices/" SATA "/vpd_pg80", page,
				       sizeof(page) - 1, 0444),
			 0);
	assert_int_equal(device_read(&d, root, "sda", &e), 0);
	assert_string_equal(d.serial, "S3YJNB0K");
}

static void test_serial_is_read_from_udev(void **state)
{
	_cleanup_device_ struct device d = {0}, bad = {0};
	_cleanup_free_ char *label = NULL;
	struct err e;

	(void)state;
	write_file("run/udev/data/b8:0", "I:1\nE:ID_SERIAL_SHORT=WD-1\nE:ID_BUS=ata\n");
	write_file("run/udev/data/b259:2", "E:ID_FS_LABEL=backup\n");
	assert_int_equal(device_read(&d, root, "sda", &e), 0);
	assert_string_equal(d.serial, "WD-1");
	assert_null(device_label(&d, root, 1));
	device_done(&d);
	assert_int_equal(device_read(&d, root, "nvme0n1", &e), 0);
	label = device_label(&d, root, 2);
	assert_string_equal(label, "backup");
	/* A serial number that cannot be typed does not count. */
	write_file("sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/serial", "\x01\x02 z\n");
	assert_int_equal(device_read(&bad, root, "sdb", &e), 0);
	assert_null(bad.serial);
}

static void test_disks_are_listed(void **state)
{
	_cleanup_devices_ struct devices all = {0};
	struct err e;

	(void)state;
	assert_int_equal(devices_read(&all, root, &e), 0);
	assert_int_equal(all.n, 3);
	assert_string_equal(all.v[0].name, "nvme0n1");
	assert_string_equal(all.v[1].name, "sda");
	assert_string_equal(all.v[2].name, "sdb");
}

static void test_disk_is_found_by_number(void **state)
{
	_cleanup_free_ char *name = NULL;
	struct err e;

	(void)state;
	assert_int_equal(device_name(root, 8, 16, "/dev/x", &name, &e), 0);
	assert_string_equal(name, "sdb");
	assert_int_equal(device_name(root, 8, 17, "/dev/x1", &name, &e), -1);
	assert_string_equal(e.msg, "/dev/x1: is a partition; an image goes to the whole "
				   "disk, /dev/sdb");
	assert_int_equal(device_name(root, 1, 1, "/dev/y", &name, &e), -1);
	assert_string_equal(e.msg,
			    "/dev/y: /sys/dev/block/1:1: No such file or directory");
}

/* --- use of disks ------------------------------------------------------------------- */

static void test_mounts_are_reported(void **state)
{
	(void)state;
	assert_uses("sdb", "");
	write_file("proc/self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\n"
					  "25 1 8:17 / /media/my\\040stick rw,nosuid "
					  "shared:1 - vfat /dev/sdb1 rw\n");
	assert_uses("sdb", "sdb1 is mounted on /media/my stick");
	assert_uses("sda", "");
	/* The whole disk is mounted, without partitions. */
	write_file("proc/self/mountinfo", "25 1 8:16 / /mnt rw - ext4 /dev/sdb rw\n");
	assert_uses("sdb", "sdb is mounted on /mnt");
	/* btrfs has a device number of its own; its device is named after the dash. */
	write_file("proc/self/mountinfo",
		   "25 1 0:44 /@ /srv rw shared:1 - btrfs /dev/sdb1 rw\n");
	assert_uses("sdb", "sdb1 is mounted on /srv");
	/* sdb1 is not sdb12. */
	write_file("proc/self/mountinfo",
		   "25 1 0:44 /@ /srv rw shared:1 - btrfs /dev/sdb12 rw\n");
	assert_uses("sdb", "");
}

static void test_swap_is_reported(void **state)
{
	(void)state;
	write_file("proc/swaps",
		   "Filename\tType\tSize\tUsed\tPriority\n"
		   "/dev/sda3                               partition\t1\t0\t-2\n"
		   "/dev/zram0                              partition\t1\t0\t100\n");
	assert_uses("sda", "sda3 is swap space");
	assert_uses("sdb", "");
}

static void test_holders_are_reported(void **state)
{
	(void)state;
	write_file("sys/devices/" USB "/block/sdb/sdb1/holders/md0/x", "");
	assert_uses("sdb", "sdb1 is part of md0, an md raid1");
	write_file("sys/devices/" SATA "/block/sda/holders/dm-0/x", "");
	assert_uses("sda", "sda is part of dm-0, device mapper's 'luks'");
}

static void test_system_disk_is_reported(void **state)
{
	(void)state;
	write_file("proc/self/mountinfo",
		   "22 1 8:2 / / rw - ext4 /dev/root rw\n"
		   "23 22 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n");
	assert_uses("sda", "this system runs from it (/boot/efi is on sda1)");
	write_file("proc/self/mountinfo", "22 1 8:2 / / rw - ext4 /dev/root rw\n");
	assert_uses("sda", "this system runs from it (/ is on sda2)");
	/* Through LUKS and LVM. */
	write_file("proc/self/mountinfo",
		   "22 1 254:1 / / rw - ext4 /dev/mapper/vg-root rw\n");
	write_file("sys/devices/" SATA "/block/sda/sda3/holders/dm-0/x", "");
	write_file("sys/devices/virtual/block/dm-0/holders/dm-1/x", "");
	assert_uses("sda",
		    "sda3 is part of dm-0, device mapper's 'luks'; dm-0 is part of "
		    "dm-1, device mapper's 'vg-root'; this system runs from it (/ "
		    "is on dm-1)");
}

/* A loop of holders cannot occur, but must not hang the program either. */
static void test_loop_of_holders_ends(void **state)
{
	_cleanup_free_ char *uses = NULL;

	(void)state;
	write_file("sys/devices/" USB "/block/sdb/holders/dm-0/x", "");
	write_file("sys/devices/virtual/block/dm-0/holders/dm-0/x", "");
	uses = uses_of("sdb");
	assert_non_null(strstr(uses, "sdb is part of dm-0"));
}

#define device_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(test_properties_are_read),
		device_test(test_serial_is_read_from_scsi_page),
		device_test(test_serial_is_read_from_udev),
		device_test(test_disks_are_listed),
		device_test(test_disk_is_found_by_number),
		device_test(test_mounts_are_reported),
		device_test(test_swap_is_reported),
		device_test(test_holders_are_reported),
		device_test(test_system_disk_is_reported),
		device_test(test_loop_of_holders_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
