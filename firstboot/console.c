/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console and the clock. A line is written with one write(2), so that it is not mixed
 * with lines of the kernel and systemd.
 */
#include "firstboot/firstboot.h"
#include "firstboot/model/words.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/root.h"
#include "lib/text.h"
#include "lib/url.h"

#include <poll.h>
#include <sys/random.h>

#define CONSOLE_FLAGS   (O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK)
#define CONSOLE_WAIT_MS 500
#define LINE_BYTES      2000

/* All consoles, that of /dev/console last (kernel
 * Documentation/ABI/testing/sysfs-tty). */
#define ACTIVE "sys/class/tty/console/active"

uint64_t now_ms(void)
{
	return clock_now_ms(CLOCK_BOOTTIME);
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

/* Writes to a console; `fd` may be an error. Waits at most CONSOLE_WAIT_MS, because a
 * serial line whose flow control stopped it accepts nothing. Returns false when that time
 * has passed, else true, also after an error. */
static bool console_write(int fd, const char *text, size_t len)
{
	uint64_t end = now_ms() + CONSOLE_WAIT_MS;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || S_ISBLK(st.st_mode))
		return true; /* there is no such console */
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

/* Returns true when `device` is the last word of `active`. */
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
	if (strlen(device) + sizeof("dev/") > sizeof(fb->host_console) ||
	    (root_read(fb->rootfd, ACTIVE, 4096, &active, NULL) == 0 &&
	     is_active(active, device)))
		return;
	snprintf(fb->host_console, sizeof(fb->host_console), "dev/%s", device);
}

void line_clean(char *line, size_t max)
{
	url_strip_secrets(line);
	if (strlen(line) > max)
		line[max] = '\0';
	text_clean(line);
}

/* A console that is not set to UTF-8 takes the second byte of many letters for a control
 * (0x9b is ESC [), so only ASCII is written to it. */
static void keep_ascii(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line >= 0x80)
			*line = '?';
}

/* Does not use a console again that timed out, so that it cannot delay the boot. */
void console_line(const struct firstboot *fb, const char *fmt, ...)
{
	static bool stuck, host_stuck;
	_cleanup_buf_ struct buf b = {0};
	_cleanup_free_ char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	/* It may quote text from outside. A cleaned URL may end elsewhere, and one that
	 * is cut has no '@' by which a password is recognised. */
	url_strip_userinfo(msg);
	if (strlen(msg) > LINE_BYTES)
		msg[LINE_BYTES] = '\0';
	text_clean(msg);
	log_info("%s", msg);
	keep_ascii(msg);
	buf_printf(&b, "rackstrap: %s\n", msg);
	if (fb->console && !stuck) {
		_cleanup_close_ int fd = open(fb->console, CONSOLE_FLAGS | O_CLOEXEC);

		stuck = !console_write(fd, b.p, b.len);
	}
	if (*fb->host_console && !host_stuck) {
		_cleanup_close_ int fd =
			root_open(fb->rootfd, fb->host_console, CONSOLE_FLAGS);

		host_stuck = !console_write(fd, b.p, b.len);
	}
}
