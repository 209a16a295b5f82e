/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile program of a foreign root filesystem, for test/build/hostile.sh: it leaves
 * its chroot and tries to read and change the machine that bakes. It takes the place of
 * update-initramfs and of a package's maintainer script. The file /hostile.cfg of the
 * tree has three words: the folder with the machine's files, the port of a server on
 * the machine's loopback, and the name of an abstract UNIX socket. The report, a line
 * for each attack that succeeded, is /hostile-NAME.txt of the tree.
 */
#include "lib/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static FILE *report;
static char machine[512], socket_name[64];
static unsigned port;

static bool can_read(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 1;
}

static void try_read(const char *path)
{
	if (can_read(path))
		fprintf(report, "read %s\n", path);
}

/* Makes a file without a name, of which nothing is left. */
static void try_write(const char *folder)
{
	_cleanup_close_ int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0)
		fprintf(report, "wrote to %s\n", folder);
}

static void try_unlink(const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", machine, name);
	if (unlink(path) == 0)
		fprintf(report, "removed %s\n", path);
}

/* Tries the root folder of every process. */
static void try_processes(void)
{
	DIR *proc = opendir("/proc");
	char path[1024];

	for (struct dirent *d; proc && (d = readdir(proc));) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/root%s/public", d->d_name,
			 machine);
		try_read(path);
	}
	if (proc)
		closedir(proc);
}

static void try_device(void)
{
	struct stat st;

	if (stat("/usr", &st) < 0 || mknod("/tmp/disk", S_IFBLK | 0600, st.st_dev) < 0)
		return;
	try_read("/tmp/disk");
	unlink("/tmp/disk");
}

static void try_connect(int family, const void *address, socklen_t len, const char *what)
{
	_cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, address, len) == 0)
		fprintf(report, "connected to %s\n", what);
}

static void try_network(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path + 1, socket_name, strlen(socket_name));
	try_connect(AF_INET, &in, sizeof(in), "a port of the machine");
	try_connect(AF_UNIX, &un,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				strlen(socket_name)),
		    "a socket of the machine");
}

/* Becomes independent of the chroot: chroot(2), NOTES. */
static void leave_chroot(void)
{
	mkdir("/hostile.d", 0700);
	if (chroot("/hostile.d") < 0)
		return;
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return;
	if (chroot(".") == 0)
		fprintf(report, "left the chroot\n");
}

/* Makes the initrd that the caller of update-initramfs expects. */
static void make_initrd(int argc, char **argv)
{
	char path[256];
	FILE *f;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "-k") != 0)
			continue;
		snprintf(path, sizeof(path), "/boot/initrd.img-%s", argv[i + 1]);
		f = fopen(path, "we");
		if (f) {
			fputs("an initrd", f);
			fclose(f);
		}
	}
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	char path[1024];
	FILE *cfg = fopen("/hostile.cfg", "re");

	make_initrd(argc, argv);
	snprintf(path, sizeof(path), "/hostile-%s.txt", name);
	report = fopen(path, "we");
	if (!cfg || !report ||
	    fscanf(cfg, "%511s %u %63s", machine, &port, socket_name) != 3)
		return EXIT_FAILURE;
	fprintf(report, "started\n");
	leave_chroot();
	try_read("/etc/shadow");
	try_processes();
	umount2("/proc", MNT_DETACH);
	try_processes();
	snprintf(path, sizeof(path), "%s/public", machine);
	try_read(path);
	try_write(machine);
	try_write("/usr/bin");
	try_write("/etc");
	try_unlink("public");
	try_device();
	try_network();
	if (getenv("SECRET"))
		fprintf(report, "read the environment\n");
	fclose(report);
	return EXIT_SUCCESS;
}
