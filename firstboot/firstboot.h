/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firstboot configures a booted image as the host that its configuration describes. This
 * header has the options that every command gets, the commands, and the paths of files
 * that are shared with the rest of the system.
 */
#pragma once

#include "lib/err.h"

/* The options of the command line. All files except those that options name are below the
 * root, and are opened with the functions of lib/root.h. */
struct firstboot {
	int rootfd;            /* a descriptor of --root, "/" without it */
	bool live;             /* the running system is changed too; with --root only if
				* --live is given */
	const char *cmdline;   /* --cmdline, or NULL: /proc/cmdline under the root */
	const char *console;   /* path, or NULL: none */
	char host_console[64]; /* the host's own, below the root, or ""; set by
				* console_of_host */
	const char *roles;     /* --roles, or NULL: the image's */
	unsigned timeout;      /* --timeout in seconds, or 0: the command's own */
	unsigned link_timeout; /* seconds to wait for the uplink's device */
	bool dry_run;
	bool wait; /* report: wait for the verdict and send the report */
};

/* Paths below the root that other programs or commands use. */
#define HOST_CFG        "run/rackstrap/host.cfg"        /* written by the initramfs */
#define BOOT_CFG        "run/rackstrap/boot.cfg"        /* written by the initramfs */
#define MEDIUM_CFG      "run/rackstrap/medium/host.cfg" /* from the boot medium */
#define HOSTS_CFG       "run/rackstrap/hosts.cfg"       /* written by the initramfs */
#define MEDIUM_RACK_CFG "run/rackstrap/medium/rack.cfg"
#define STATE_CFG       "var/lib/rackstrap/host.cfg"  /* written by the operator */
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
int cmd_machine_id(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_claim(const struct firstboot *fb, char **args, struct err *e) _must_check_;
int cmd_status(const struct firstboot *fb, char **args, struct err *e) _must_check_;

/* Returns the milliseconds since the kernel started (CLOCK_BOOTTIME). */
uint64_t now_ms(void);

/* Sleeps `ms`, also when signals arrive. */
void sleep_ms(unsigned ms);

/* Sleeps a random time of half to one and a half `ms`, so that machines that were
 * switched on together do not send their requests at the same times. */
void sleep_about_ms(unsigned ms);

/* Makes console_line() write to the host's console (host.cfg's `console`, may be NULL) as
 * well, unless that is /dev/console. */
void console_of_host(struct firstboot *fb, const char *console);

/* Cleans a line of another program (lib/text.h), removes the secrets of its URLs
 * (url_strip_secrets()) and cuts it to `max` bytes. */
void line_clean(char *line, size_t max);

/* Writes a line, cleaned as lib/text.h says, to the log and, in ASCII and with
 * "rackstrap: " before it, to the consoles. A console that does not accept it within 500
 * ms is not used again, so that it cannot delay the boot. */
void console_line(const struct firstboot *fb, const char *fmt, ...) _printf_(2, 3);
