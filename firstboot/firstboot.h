/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firstboot: turns a booted image into the host that its configuration says. The options
 * that every command of the program gets, and the commands.
 */
#pragma once

#include "lib/err.h"

/* From the options. Everything in the file system is relative to rootfd. */
struct firstboot {
	const char *root;      /* --root, "/" without it */
	int rootfd;            /* opened on it */
	bool live;             /* the running system, too, is changed: not under --root
				* unless --live says so */
	const char *cmdline;   /* --cmdline, or NULL: /proc/cmdline under the root */
	const char *console;   /* path, or NULL: none */
	char console_too[64];  /* below the root, or "": set by console_of_host */
	const char *roles;     /* --roles, or NULL: the image's */
	unsigned timeout;      /* --timeout in seconds, or 0: the command's own */
	unsigned link_timeout; /* seconds to wait for the uplink's device */
	bool dry_run;
	bool wait; /* report: wait for the verdict and report it */
};

/* Interfaces with the rest of the system, below the root. */
#define HOST_CFG        "run/rackstrap/host.cfg"        /* written by the initramfs */
#define BOOT_CFG        "run/rackstrap/boot.cfg"        /* written by the initramfs */
#define MEDIUM_CFG      "run/rackstrap/medium/host.cfg" /* the boot medium's: the same */
#define MEDIUM_RACK_CFG "run/rackstrap/medium/rack.cfg"
#define STATE_CFG       "var/lib/rackstrap/host.cfg"  /* the operator's own */
#define IMAGE_CFG       "usr/lib/rackstrap/image.cfg" /* baked in */
#define RUN_DIR         "run/rackstrap"
#define APPLY_CFG       "run/rackstrap/apply.cfg"  /* from apply to report */
#define REPORT_CFG      "run/rackstrap/report.cfg" /* from report to status */
#define REPORT_JSON     "run/rackstrap/report.json"

int cmd_apply(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_report(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_pool(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_containers(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_heal(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_route(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_explain(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_check(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_status(const struct firstboot *fb, char **args, struct err *e) _must_check_;

/* Milliseconds since the kernel started (CLOCK_BOOTTIME). */
uint64_t now_ms(void);

/* nanosleep, signals or not. */
void sleep_ms(unsigned ms);

/* Half of `ms` and up to as much again: a rack's machines start together when the power
 * comes back, and would ask one server together for ever. */
void sleep_about_ms(unsigned ms);

/* From now on the host's own console (host.cfg's `console`, or NULL) gets the lines too;
 * not when it is the kernel's, which /dev/console is. */
void console_of_host(struct firstboot *fb, const char *console);

/* Cuts a line to `max` characters and puts blanks where control characters stand. */
void line_clean(char *line, size_t max);

/* One line on the console, cleaned of control characters, "rackstrap: " before it, and on
 * standard error. A console that does not take it within a moment is given up: a boot is
 * never held up by it. */
void console_line(const struct firstboot *fb, const char *fmt, ...) _printf_(2, 3);
