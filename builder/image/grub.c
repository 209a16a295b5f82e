/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The offsets in boot.img and in a core image are those of GRUB 2.06:
 * include/grub/i386/pc/boot.h and grub-core/boot/i386/pc/{boot,diskboot}.S. grub-install
 * writes the same bytes (util/setup.c), but needs a device and root.
 */
#include "builder/image/grub.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <endian.h>

#define GRUB_DIR    "/usr/lib/grub"
#define BOOT_IMG    GRUB_DIR "/i386-pc/boot.img"
#define SECTOR      512
#define CODE_LEN    440   /* of the MBR; then disk signature and partitions */
#define KERNEL_LBA  0x5c  /* boot.img: first sector of the core, 64 bits */
#define DRIVE_CHECK 0x66  /* boot.img: two NOPs correct a wrong drive number */
#define BLOCKLIST   0x1f4 /* core: first sector of its rest, 64 bits */
#define CORE_MAX    (4U << 20)

const struct tool grub_tools[] = {{"grub-mkimage", "grub-common"}, {NULL, NULL}};

static const char *const common[] = {
	"part_gpt",     "part_msdos", "fat",     "iso9660",
	"normal",       "linux",      "search",  "search_fs_file",
	"search_label", "configfile", "test",    "echo",
	"serial",       "terminal",   "loadenv", "sleep",
	"reboot",       "minicmd",    "ls",      "cat",
	"halt",         "all_video",  "gzio",    NULL,
};
static const char *const bios[] = {"biosdisk", NULL};
static const char *const efi[] = {"efi_gop", "efi_uga", NULL};

static const struct platform {
	const char *format, *dir, *package, *prefix;
	const char *const *more; /* modules */
} platforms[] = {
	[GRUB_BIOS_DISK] = {"i386-pc", GRUB_DIR "/i386-pc", "grub-pc-bin",
			    "(,gpt2)/boot/grub", bios},
	[GRUB_BIOS_ISO] = {"i386-pc-eltorito", GRUB_DIR "/i386-pc", "grub-pc-bin",
			   "/boot/grub", bios},
	[GRUB_EFI] = {"x86_64-efi", GRUB_DIR "/x86_64-efi", "grub-efi-amd64-bin",
		      "/boot/grub", efi},
};

int grub_core(enum grub_platform p, const char *path, struct err *e)
{
	const struct platform *t = &platforms[p];
	_cleanup_strv_ char **argv = NULL;

	if (access(t->dir, R_OK) < 0)
		return err_set(e, ERR_FAILED, "%s: not found; it is in the package %s",
			       t->dir, t->package);
	strv_add(&argv, "grub-mkimage");
	strv_add(&argv, "--format");
	strv_add(&argv, t->format);
	strv_add(&argv, "--directory");
	strv_add(&argv, t->dir);
	strv_add(&argv, "--prefix");
	strv_add(&argv, t->prefix);
	strv_add(&argv, "--output");
	strv_add(&argv, path);
	strv_extend(&argv, (char *const *)common);
	strv_extend(&argv, (char *const *)t->more);
	return run_argv((const char *const *)argv, e);
}

static void write_le64(char *at, uint64_t n)
{
	n = htole64(n);
	memcpy(at, &n, sizeof(n));
}

static int write_at(int fd, const char *data, size_t len, uint64_t at, struct err *e)
{
	if (lseek(fd, (off_t)at, SEEK_SET) < 0)
		return err_errno(e, errno, "GRUB");
	int r = write_all(fd, data, len);

	return r < 0 ? err_errno(e, r, "GRUB") : 0;
}

int grub_install(int fd, const char *core, uint64_t at, uint64_t room, struct err *e)
{
	_cleanup_free_ char *boot = NULL, *text = NULL;
	size_t boot_len = 0, len = 0;
	int r = file_read_regular_at(AT_FDCWD, BOOT_IMG, CORE_MAX, &boot, &boot_len);

	if (r < 0)
		return err_errno(e, r, BOOT_IMG);
	r = file_read_foreign_at(AT_FDCWD, core, CORE_MAX, &text, &len);
	if (r < 0)
		return err_errno(e, r, "%s", core);
	if (boot_len != SECTOR || len < SECTOR || len > room)
		return err_set(
			e, ERR_FAILED,
			"GRUB: boot.img has %zu bytes and the core image %zu, which "
			"does not fit",
			boot_len, len);
	write_le64(boot + KERNEL_LBA, at / SECTOR);
	memset(boot + DRIVE_CHECK, 0x90, 2);
	write_le64(text + BLOCKLIST, at / SECTOR + 1);
	if (write_at(fd, boot, CODE_LEN, 0, e) < 0)
		return -1;
	return write_at(fd, text, len, at, e);
}

void grub_append_state(struct buf *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++) {
		_cleanup_close_ int dir =
			open(platforms[i].dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		_cleanup_strv_ char **names = NULL;
		struct stat st;

		if (dir < 0 || dir_names_at(dir, ".", &names) < 0)
			continue;
		for (size_t k = 0; names && names[k]; k++)
			if (fstatat(dir, names[k], &st, 0) == 0)
				buf_printf(b, "%s/%s %lld %lld.%09ld\n", platforms[i].dir,
					   names[k], (long long)st.st_size,
					   (long long)st.st_ctim.tv_sec,
					   st.st_ctim.tv_nsec);
	}
}
