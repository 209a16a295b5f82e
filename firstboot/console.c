/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console and the clock. A line goes out in one write so that the kernel's and
 * systemd's own lines do not fall into it.
 */
#include "firstboot.h"
#include "lib/log.h"
#include "lib/str.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <time.h>

#define CONSOLE_WAIT_MS 500

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

/* A serial line with its flow stopped takes nothing: O_NONBLOCK, and a bounded wait. */
static void console_write(const char *path, const char *text, size_t len)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	uint64_t end = now_ms() + CONSOLE_WAIT_MS;

	if (fd < 0)
		return;
	while (len > 0 && now_ms() < end) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		ssize_t n = write(fd, text, len);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			if (poll(&p, 1, CONSOLE_WAIT_MS) < 0 && errno != EINTR)
				return;
		} else if (n < 0 && errno != EINTR) {
			return;
		}
	}
}

void console_line(const struct firstboot *fb, const char *fmt, ...)
{
	_cleanup_buf_ struct buf b = {0};
	char msg[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	log_info("%s", msg);
	if (!fb->console)
		return;
	buf_printf(&b, "rackstrap: %s\n", msg);
	console_write(fb->console, b.p, b.len);
}
