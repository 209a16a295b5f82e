/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a port by binding a socket in the same way as the server will. The process that
 * has a port is found in /proc: the socket's inode in net/{udp,tcp}, then the process
 * that has it open, if /proc/PID/fd may be read.
 *
 * DHCP listens on all addresses but, with the configuration used here, shares the port
 * with servers that are bound to other interfaces (for example another dnsmasq on a
 * virtual bridge): the probe is bound to the interface too, so only conflicting servers
 * are found.
 */
#include "pxe/serve-check.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/process.h"
#include "pxe/dhcp-server.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#define DHCP_PORT  67
#define TFTP_PORT  69
#define PROXY_PORT 4011
#define PORTS      4
#define PROC_MAX   (16 * 1024 * 1024)

#define PROC_STATUS_MAX (64 * 1024) /* of a file of one process */
#define ANCESTORS_MAX   4           /* nginx's workers have a master */
#define ORPHAN_MS       5000

int serve_check_programs(const struct serve *s, struct diag *d)
{
	const struct {
		const char *name, *package;
	} programs[] = {{dhcp_servers->program, dhcp_servers->package},
			{s->info.dhcp->program, s->info.dhcp->package},
			{"nginx", "nginx-light"}};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!run_have(programs[i].name) &&
		    (i == 0 || programs[i].name != programs[i - 1].name))
			r = diag_add(d, "%s: not found (Debian's package %s brings it)",
				     programs[i].name, programs[i].package);
	return r;
}

/* --- the address ------------------------------------------------------------------ */

static void freeifaddrs_p(struct ifaddrs **a)
{
	if (*a)
		freeifaddrs(*a);
}

/* Sets `out` to the interface that has the boot server's address, or "" if none has. */
static void find_interface(const struct serve *s, char out[static IF_NAMESIZE])
{
	_cleanup_(freeifaddrs_p) struct ifaddrs *all = NULL;

	out[0] = '\0';
	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *a = all; a && !out[0]; a = a->ifa_next) {
		struct sockaddr_in sa;

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&sa, a->ifa_addr, sizeof(sa));
		if (ntohl(sa.sin_addr.s_addr) == s->info.boot_server)
			snprintf(out, IF_NAMESIZE, "%s", a->ifa_name);
	}
}

/* Returns the prefix of a host's network that contains the boot server, or 0. */
static unsigned find_prefix(const struct tree_info *i)
{
	for (size_t k = 0; k < i->n_hosts; k++) {
		struct cidr at = i->hosts[k].address;

		if (at.prefix && net_contains(at, i->boot_server))
			return at.prefix;
	}
	return 0;
}

int serve_check_address(const struct serve *s, struct diag *d)
{
	char name[IF_NAMESIZE], addr[NET_ADDR_LEN], prefix[16] = "PREFIX";
	unsigned n = find_prefix(&s->info);
	int r = 0;

	if (n)
		snprintf(prefix, sizeof(prefix), "%u", n);
	net_format_addr(s->info.boot_server, addr);
	find_interface(s, name);
	if (s->info.interface && !if_nametoindex(s->info.interface))
		r = diag_add(d, "there is no interface '%s' on this machine",
			     s->info.interface);
	else if (s->info.interface && name[0] && !streq(name, s->info.interface))
		r = diag_add(d, "the boot server's address %s is on %s, not on %s", addr,
			     name, s->info.interface);
	if (!name[0])
		r = diag_add(d,
			     "the boot server's address %s is on no interface of this "
			     "machine (ip address add %s/%s dev INTERFACE)",
			     addr, addr, prefix);
	return r;
}

/* --- ports ------------------------------------------------------------------------ */

struct port {
	const char *protocol; /* also the name of its file in /proc/net */
	int type;
	uint32_t address; /* 0: any */
	uint16_t port;
	const char *interface; /* or NULL */
};

/* Returns 0 if the port can be bound, else -errno. */
static int probe(const struct port *p)
{
	_cleanup_close_ int fd = socket(AF_INET, p->type | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_port = htons(p->port),
		.sin_addr.s_addr = htonl(p->address),
	};
	int one = 1;

	if (fd < 0)
		return -errno;
	/* nginx sets it too: connections left by an earlier run are no obstacle then. */
	if (p->type == SOCK_STREAM &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -errno;
	if (p->interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, p->interface,
				       (socklen_t)strlen(p->interface)) < 0)
		return -errno;
	return bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
}

/* Returns the inode of the socket that has the port, or 0 if none is found (proc(5),
 * net/tcp). */
static unsigned long find_inode(const struct port *p)
{
	_cleanup_free_ char *path = xasprintf("/proc/net/%s", p->protocol), *text = NULL;
	char *rest, *line;

	if (file_read_regular_at(AT_FDCWD, path, PROC_MAX, &text, NULL) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		unsigned address, port, state;
		unsigned long inode;

		if (sscanf(line,
			   " %*u: %8x:%4x %*x:%*x %2x %*x:%*x %*x:%*x %*x %*u %*u %lu",
			   &address, &port, &state, &inode) != 4)
			continue;
		if (port != p->port || (p->type == SOCK_STREAM && state != 0x0a))
			continue; /* 0A: listening */
		if (address == 0 || p->address == 0 || address == htonl(p->address))
			return inode;
	}
	return 0;
}

static bool has_socket(const char *pid, unsigned long inode)
{
	_cleanup_free_ char *dir = xasprintf("/proc/%s/fd", pid);
	_cleanup_strv_ char **names = NULL;
	char want[64], have[64];

	snprintf(want, sizeof(want), "socket:[%lu]", inode);
	/* A process that has ended, or that is not ours to look into. */
	if (dir_names_at(AT_FDCWD, dir, &names) < 0)
		return false;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, names[i]);
		ssize_t n = readlink(path, have, sizeof(have) - 1);

		if (n < 0)
			continue;
		have[n] = '\0';
		if (streq(have, want))
			return true;
	}
	return false;
}

/* Reads a file of a process below /proc. Returns 0 or -errno; *ret is owned. */
static int read_proc(const char *pid, const char *name, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/%s", pid, name);

	return file_read_regular_at(AT_FDCWD, path, PROC_STATUS_MAX, ret, ret_len);
}

/* Returns the name of the process, or NULL. Owned. */
static char *process_name(const char *pid)
{
	char *name = NULL;

	if (read_proc(pid, "comm", &name, NULL) == 0)
		name[strcspn(name, "\n")] = '\0';
	return name;
}

/* Returns the id of the nearest ancestor that is a rackstrap or this process, or NULL.
 * Owned by the caller. */
static char *find_serve(const char *pid)
{
	_cleanup_free_ char *at = xstrdup(pid);

	for (unsigned i = 0; i < ANCESTORS_MAX; i++) {
		_cleanup_free_ char *name = NULL;
		struct process p;

		if (!process_read(&p, at) || p.parent < 1)
			return NULL;
		free(at);
		at = xasprintf("%d", (int)p.parent);
		name = process_name(at);
		if (p.parent == getpid() || (name && streq(name, "rackstrap")))
			return TAKE_PTR(at);
	}
	return NULL;
}

/* Checks that the process is a server that serve_start() started for this tree: its
 * command line has the tree's path. */
static bool is_server_of(const struct serve *s, const char *pid)
{
	static const char *const servers[] = {"dnsmasq", "nginx", "kea-dhcp4"};
	_cleanup_free_ char *name = process_name(pid), *args = NULL;
	_cleanup_free_ char *dir = xasprintf("%s/", s->dir);
	size_t len = 0, n = strlen(dir);

	for (size_t i = 0; name && i < ARRAY_SIZE(servers); i++)
		if (streq(name, servers[i]) &&
		    read_proc(pid, "cmdline", &args, &len) == 0)
			break;
	/* The path begins an argument or follows a '='; nginx joins its by blanks. */
	for (size_t i = 1; i + n <= len; i++)
		if (memcmp(args + i, dir, n) == 0 && memchr(" =", args[i - 1], 3))
			return true;
	return false;
}

/* Ends a server of this tree whose serve was killed: it was sent SIGTERM then, and may
 * need some time. Returns true when it has ended. */
static bool end_orphan(const struct serve *s, const char *pid)
{
	_cleanup_close_ int pidfd = pidfd_open(atoi(pid), 0);
	_cleanup_free_ char *serve = find_serve(pid), *name = process_name(pid);
	_cleanup_free_ char *master = NULL;
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	struct process self;

	/* A worker of nginx has another command line than its master. */
	if (process_read(&self, pid))
		master = xasprintf("%d", (int)self.parent);
	if (pidfd < 0 || serve || !name || !master ||
	    (!is_server_of(s, pid) && !is_server_of(s, master)) ||
	    pidfd_send_signal(pidfd, SIGTERM, NULL, 0) < 0 || poll(&p, 1, ORPHAN_MS) != 1)
		return false;
	log_info("%s (pid %s), which an earlier serve of this tree had left, was ended",
		 name, pid);
	return true;
}

/* Returns " by nginx (pid 812)", or "" if the process is not found; NULL when it was one
 * of this tree whose serve was killed, and is ended now. Owned by the caller. */
static char *find_owner(const struct serve *s, const struct port *p)
{
	unsigned long inode = find_inode(p);
	_cleanup_strv_ char **names = NULL;

	/* Without /proc the message does not say who. */
	if (!inode || dir_names_at(AT_FDCWD, "/proc", &names) < 0)
		return xstrdup("");
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *name = NULL, *serve = NULL;

		if (names[i][0] < '0' || names[i][0] > '9' ||
		    !has_socket(names[i], inode))
			continue;
		if (end_orphan(s, names[i]))
			return NULL;
		name = process_name(names[i]);
		if (!name)
			continue;
		serve = find_serve(names[i]);
		return xasprintf(" by %s (pid %s)%s%s%s", name, names[i],
				 serve ? ", of a rackstrap serve that runs (pid " : "",
				 serve ? serve : "", serve ? ")" : "");
	}
	return xstrdup("");
}

/* Checks if the server has the socket that is on the port. */
static bool has_port(const struct serve_child *c, const struct port *p)
{
	_cleanup_free_ char *pid = xasprintf("%d", (int)c->child.pid);
	unsigned long inode = c->child.pid > 0 ? find_inode(p) : 0;

	return inode && has_socket(pid, inode);
}

/* A port that `running`, unless it is NULL, has itself is free. */
static int check_port(const struct serve *s, const struct serve *running,
		      const struct port *p, struct diag *d)
{
	_cleanup_free_ char *owner = NULL;
	char addr[NET_ADDR_LEN];
	int r = probe(p);

	switch (-r) {
	case 0:
	case EADDRNOTAVAIL: /* reported by serve_check_address */
	case ENODEV:
		return 0;
	case EADDRINUSE:
		if (running &&
		    (has_port(&running->dnsmasq, p) || has_port(&running->kea, p) ||
		     has_port(&running->nginx, p)))
			return 0;
		owner = find_owner(s, p);
		if (!owner)
			return check_port(s, running, p, d);
		return diag_add(d, "port %u/%s is taken%s", p->port, p->protocol, owner);
	case EACCES:
	case EPERM:
		return diag_add(d, "port %u/%s: only root may listen there", p->port,
				p->protocol);
	default:
		return diag_add(d, "port %u/%s on %s: %s", p->port, p->protocol,
				net_format_addr(p->address, addr), strerror(-r));
	}
}

/* Sets the ports of a tree, with the interface of DHCP's; `found` holds its name. Returns
 * how many there are. */
static size_t list_ports(const struct serve *s, struct port ret[static PORTS],
			 char found[static IF_NAMESIZE])
{
	const struct tree_info *i = &s->info;

	find_interface(s, found);
	const char *interface = i->interface ? i->interface : found[0] ? found : NULL;
	const struct port ports[PORTS] = {
		{"udp", SOCK_DGRAM, 0, DHCP_PORT, interface},
		{"udp", SOCK_DGRAM, i->boot_server, TFTP_PORT, NULL},
		{"tcp", SOCK_STREAM, i->boot_server, i->http_port, NULL},
		{"udp", SOCK_DGRAM, 0, PROXY_PORT, interface},
	};

	memcpy(ret, ports, sizeof(ports));
	return i->proxy_dhcp ? PORTS : PORTS - 1;
}

static bool same_port(const struct port *a, const struct port *b)
{
	const char *x = a->interface ? a->interface : "";
	const char *y = b->interface ? b->interface : "";

	return a->type == b->type && a->address == b->address && a->port == b->port &&
	       streq(x, y);
}

static bool is_listed(const struct port *p, const struct port *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (same_port(p, &v[i]))
			return true;
	return false;
}

int serve_check_ports(const struct serve *s, const struct serve *running, struct diag *d)
{
	char found[IF_NAMESIZE], found_old[IF_NAMESIZE];
	struct port ports[PORTS], old[PORTS];
	size_t n = list_ports(s, ports, found), n_old = 0;
	int r = 0;

	if (running)
		n_old = list_ports(running, old, found_old);
	for (size_t k = 0; k < n; k++)
		if (!is_listed(&ports[k], old, n_old) &&
		    check_port(s, running, &ports[k], d) < 0)
			r = -1;
	return r;
}

/* --- access ----------------------------------------------------------------------- */

/* Checks that the servers' user has these permissions, of S_IROTH and S_IXOTH. Only its
 * first group counts: dnsmasq has no other. */
static bool may(const struct serve *s, const struct stat *st, mode_t wanted)
{
	unsigned shift = st->st_uid == s->uid ? 6 : st->st_gid == s->gid ? 3 : 0;

	return (st->st_mode >> shift & wanted) == wanted;
}

/* Checks that the user may search every folder on the path of the tree. */
static int check_path(const struct serve *s, struct diag *d)
{
	_cleanup_free_ char *path = xstrdup(s->dir);
	size_t end = strlen(path);

	for (size_t i = 1; i <= end; i++) {
		char saved = path[i];
		struct stat st;

		if (saved != '/' && saved != '\0')
			continue;
		path[i] = '\0';
		if (stat(path, &st) < 0)
			return diag_add(d, "%s: %s", path, strerror(errno));
		if (!may(s, &st, S_IXOTH))
			return diag_add(d,
					"user '%s', who is to serve, may not enter %s: "
					"move the tree, for example below /srv, or name "
					"another user with --user",
					s->user, path);
		path[i] = saved;
	}
	return 0;
}

/* Checks that the servers' user may read a file or all of a folder of the tree. Leaves
 * out TREE_REPORTS and the folder TREE_HOSTS, which serve_start() gives to the user or
 * its group. */
static int check_served(const struct serve *s, int tree, const char *path, struct diag *d)
{
	_cleanup_strv_ char **names = NULL;
	struct stat st;
	int r;

	if (streq(path, TREE_REPORTS))
		return 0;
	if (fstatat(tree, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : diag_add(d, "%s/%s: %s", s->dir, path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return 0;
	if (!streq(path, TREE_HOSTS) &&
	    !may(s, &st, S_IROTH | (S_ISDIR(st.st_mode) ? S_IXOTH : 0)))
		return diag_add(
			d,
			"user '%s', who is to serve, may not read %s/%s: copy the "
			"tree with the modes of its files (cp -a)",
			s->user, s->dir, path);
	if (!S_ISDIR(st.st_mode))
		return 0;
	r = dir_names_at(tree, path, &names);
	if (r < 0)
		return diag_add(d, "%s/%s: %s", s->dir, path, strerror(-r));
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *below = xasprintf("%s/%s", path, names[i]);

		if (check_served(s, tree, below, d) < 0)
			return -1;
	}
	return 0;
}

/* Checks what the servers read as their user; nginx reads nginx.conf as root. */
static int check_tree(const struct serve *s, struct diag *d)
{
	static const char *const served[] = {"http", "tftp", TREE_DNSMASQ_CONF,
					     TREE_DNSMASQ_HOSTS, TREE_KEA_CONF};
	_cleanup_close_ int tree = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tree < 0)
		return diag_add(d, "%s: %s", s->dir, strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(served); i++)
		if (check_served(s, tree, served[i], d) < 0)
			return -1;
	return 0;
}

/* Checks that the reports' folder can be written to, if the servers run as this user. */
static int check_reports(const struct serve *s, struct diag *d)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_REPORTS, s->dir);

	if (access(path, W_OK | X_OK) == 0 || errno == ENOENT)
		return 0;
	return diag_add(d,
			"%s: %s: the user who serves must be able to write there "
			"(chown it)",
			path, strerror(errno));
}

/* Checks that nginx.conf can be read, which has the hosts' tokens. */
static int check_conf(const struct serve *s, struct diag *d)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_NGINX_CONF, s->dir);

	if (access(path, R_OK) == 0)
		return 0;
	return diag_add(d, "%s: %s: only the tree's owner or root can serve it", path,
			strerror(errno));
}

int serve_check_access(const struct serve *s, struct diag *d)
{
	if (!s->user)
		return check_conf(s, d) < 0 || check_reports(s, d) < 0 ? -1 : 0;
	if (s->uid == 0)
		return 0;
	return check_path(s, d) < 0 || check_tree(s, d) < 0 ? -1 : 0;
}

void serve_warn_image(const struct serve *s)
{
	for (size_t i = 0; i < TREE_IMAGE_FILES && s->info.image_id; i++) {
		_cleanup_free_ char *path = xasprintf(
			"http/images/%s/%s", s->info.image_id, tree_image_files[i]);
		_cleanup_free_ char *whole = xasprintf("%s/%s", s->dir, path);

		if (access(whole, F_OK) == 0 || errno != ENOENT)
			continue;
		log_warn(
			"%s: image '%s' is not complete, %s is missing: no host can boot "
			"it from here",
			s->dir, s->info.image, path);
		return;
	}
}
