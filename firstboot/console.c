/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console and the clock. A line goes out in one write so that the kernel's and
 * systemd's own lines do not fall into it.
 */
#include "firstboot/firstboot.h"
#include "firstboot/model/words.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include <poll.h>
#include <sys/random.h>
#include <time.h>

#define CONSOLE_WAIT_MS 500

/* Kernel Documentation/ABI/testing/sysfs-tty: all consoles, /dev/console's last. */
#define ACTIVE "sys/class/tty/console/active"

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

void sleep_about_ms(unsigned ms)
{
	unsigned random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (unsigned)now_ms();
	sleep_ms(ms / 2 + random % (ms + 1));
}

/* A serial line with its flow stopped takes nothing: O_NONBLOCK, and a bounded wait.
 * False: it did not take it in time. */
static bool console_write(int dirfd, const char *path, const char *text, size_t len)
{
	_cleanup_close_ int fd = openat(
		dirfd, path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	uint64_t end = now_ms() + CONSOLE_WAIT_MS;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || S_ISBLK(st.st_mode))
		return true;
	while (len > 0 && now_ms() < end) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		ssize_t n = write(fd, text, len);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			if (poll(&p, 1, CONSOLE_WAIT_MS) < 0 && errno != EINTR)
				return true;
		} else if (n < 0 && errno != EINTR) {
			return true;
		}
	}
	return len == 0;
}

/* Whether it is the last of the words. */
static bool is_active(const char *active, const char *device)
{
	_cleanup_strv_ char **v = strv_split(active, " \n");
	size_t n = strv_len(v);

	return n > 0 && streq(v[n - 1], device);
}

void console_of_host(struct firstboot *fb, const char *console)
{
	_cleanup_free_ char *active = NULL, *device = NULL;

	if (!console || word_console_wrong(console))
		return;
	device = xstrndup(console, strcspn(console, ","));
	if (strlen(device) + sizeof("dev/") > sizeof(fb->console_too) ||
	    (file_read_at(fb->rootfd, ACTIVE, 4096, &active, NULL) == 0 &&
	     is_active(active, device)))
		return;
	snprintf(fb->console_too, sizeof(fb->console_too), "dev/%s", device);
}

void line_clean(char *line, size_t max)
{
	if (strlen(line) > max)
		line[max] = '\0';
	for (char *s = line; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = ' ';
}

/* One that did not take a line is not waited for again: a boot is not held up by it. */
void console_line(const struct firstboot *fb, const char *fmt, ...)
{
	static bool stuck, stuck_too;
	_cleanup_buf_ struct buf b = {0};
	char msg[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	line_clean(msg, sizeof(msg)); /* what it quotes may be anybody's */
	log_info("%s", msg);
	buf_printf(&b, "rackstrap: %s\n", msg);
	if (fb->console && !stuck)
		stuck = !console_write(AT_FDCWD, fb->console, b.p, b.len);
	if (*fb->console_too && !stuck_too)
		stuck_too = !console_write(fb->rootfd, fb->console_too, b.p, b.len);
}
