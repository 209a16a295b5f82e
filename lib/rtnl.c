/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request is one message in a fixed buffer; its answers are handed to a callback one
 * by one. A single request ends with its ACK (an NLMSG_ERROR of 0), a dump with
 * NLMSG_DONE. A dump that the kernel marks as interrupted (NLM_F_DUMP_INTR: something
 * changed meanwhile) is asked for again.
 *
 * Only what Linux 3.19 knows is used: no strict checking, so dumps are filtered here.
 */
#include "rtnl.h"

#include "str.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define ANSWER_MAX   (32 * 1024) /* the kernel fills no more into one datagram */
#define DUMP_RETRIES 16

/* --- requests ---------------------------------------------------------------------- */

struct request {
	struct nlmsghdr h;
	uint8_t body[512]; /* the family's header and its attributes */
};

static void request_init(struct request *q, uint16_t type, uint16_t flags,
			 const void *header, size_t len)
{
	memset(q, 0, sizeof(*q));
	q->h.nlmsg_type = type;
	q->h.nlmsg_flags = NLM_F_REQUEST | flags;
	q->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(q->body, header, len);
}

/* All attributes of ours together are far below the buffer's size. */
static struct rtattr *put(struct request *q, uint16_t type, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(q->h.nlmsg_len), size = RTA_LENGTH(len);
	struct rtattr *a = (struct rtattr *)((uint8_t *)q + at);

	if (at + RTA_ALIGN(size) > sizeof(*q))
		abort();
	a->rta_type = type;
	a->rta_len = (uint16_t)size;
	if (len > 0)
		memcpy(RTA_DATA(a), data, len);
	q->h.nlmsg_len = (uint32_t)(at + RTA_ALIGN(size)); /* nests count padding */
	return a;
}

static void put_str(struct request *q, uint16_t type, const char *s)
{
	put(q, type, s, strlen(s) + 1);
}

static void put_u32(struct request *q, uint16_t type, uint32_t value)
{
	put(q, type, &value, sizeof(value));
}

static void nest_end(struct request *q, struct rtattr *a)
{
	uint8_t *end = (uint8_t *)q + q->h.nlmsg_len;

	a->rta_len = (uint16_t)(end - (uint8_t *)a);
}

/* --- answers ----------------------------------------------------------------------- */

/* One answer: 0 to go on, or -errno, which is kept while the rest is read. */
typedef int (*answer_fn)(const struct nlmsghdr *h, void *arg);

/*
 * Lengths are int, as rtnetlink(3)'s macros want them: the last attribute's padding may
 * be missing, and they then count below zero.
 */

/* The attribute of this type with at least `len` bytes of payload, or NULL. */
static const void *get(const void *first, int left, uint16_t type, size_t len)
{
	const struct rtattr *a = first;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return RTA_PAYLOAD(a) >= len ? a : NULL;
	return NULL;
}

static bool get_u32(const void *first, int left, uint16_t type, uint32_t *ret)
{
	const struct rtattr *a = get(first, left, type, sizeof(*ret));

	if (a)
		memcpy(ret, RTA_DATA(a), sizeof(*ret));
	return a;
}

/* Copies a string, cut to fit, always ended. */
static void get_str(const void *first, int left, uint16_t type, char *out, size_t size)
{
	const struct rtattr *a = get(first, left, type, 0);
	size_t n = a ? strnlen(RTA_DATA(a), RTA_PAYLOAD(a)) : 0;

	if (n >= size)
		n = size - 1;
	if (n > 0)
		memcpy(out, RTA_DATA(a), n);
	out[n] = '\0';
}

int rtnl_open(struct rtnl *ret)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	*ret = (struct rtnl){.fd = TAKE_FD(fd), .seq = 0};
	return 0;
}

void rtnl_close(struct rtnl *r)
{
	int saved = errno;

	if (r->fd > 0)
		close(r->fd);
	r->fd = -1;
	errno = saved;
}

static int send_request(struct rtnl *r, struct request *q)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	q->h.nlmsg_seq = ++r->seq;
	do
		n = sendto(r->fd, q, q->h.nlmsg_len, 0, (struct sockaddr *)&kernel,
			   sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* One datagram from the kernel. Its length, or -errno. */
static ssize_t receive(struct rtnl *r, void *buf, size_t size)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {.iov_base = buf, .iov_len = size};
		struct msghdr msg = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		ssize_t n = recvmsg(r->fd, &msg, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (from.nl_pid != 0)
			continue; /* another process */
		return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
	}
}

/* Where an exchange stands. */
struct exchange {
	uint32_t seq;
	bool done;
	bool interrupted;
	int result; /* the first error */
	answer_fn fn;
	void *arg;
};

static void take_message(struct exchange *x, const struct nlmsghdr *h)
{
	int error = 0;

	if (h->nlmsg_seq != x->seq)
		return; /* left over from an exchange that failed */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
		/* Both carry a negative errno or 0 first; DONE of old kernels may not. */
		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
			memcpy(&error, NLMSG_DATA(h), sizeof(error));
		else if (h->nlmsg_type == NLMSG_ERROR)
			error = -EBADMSG;
		x->done = true;
	} else if (h->nlmsg_type >= NLMSG_MIN_TYPE && x->fn) {
		error = x->fn(h, x->arg);
	}
	if (x->result == 0 && error < 0)
		x->result = error;
}

/* All messages of one datagram of `n` bytes. */
static int take_datagram(struct exchange *x, const uint8_t *buf, size_t n)
{
	size_t at = 0;

	while (!x->done && at + sizeof(struct nlmsghdr) <= n) {
		const struct nlmsghdr *h =
			(const struct nlmsghdr *)(const void *)(buf + at);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n - at)
			return -EBADMSG;
		take_message(x, h);
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	return 0;
}

/* Sends the request and takes all of its answers. */
static int transact(struct rtnl *r, struct request *q, struct exchange *x)
{
	_cleanup_free_ void *buf = xmalloc(ANSWER_MAX);
	int e = send_request(r, q);

	x->seq = q->h.nlmsg_seq;
	while (e == 0 && !x->done) {
		ssize_t n = receive(r, buf, ANSWER_MAX);

		e = n < 0 ? (int)n : take_datagram(x, buf, (size_t)n);
	}
	return e < 0 ? e : x->result;
}

static int request(struct rtnl *r, struct request *q, answer_fn fn, void *arg)
{
	struct exchange x = {.fn = fn, .arg = arg};

	q->h.nlmsg_flags |= NLM_F_ACK;
	return transact(r, q, &x);
}

/* What a dump collects: `n` elements of `size` bytes. */
struct list {
	uint8_t *v;
	size_t n, size;
	int index; /* of the link it is about, or 0 */
};

static void *list_add(struct list *l)
{
	l->v = xrealloc(l->v, (l->n + 1) * l->size);
	return memset(l->v + l->n++ * l->size, 0, l->size);
}

static void list_done(struct list *l)
{
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

/* Fills the list from its beginning; on an error it is empty. */
static int dump(struct rtnl *r, uint16_t type, uint8_t family, answer_fn fn,
		struct list *l)
{
	/* All families' headers begin with the family; this is the longest of those used.
	 */
	struct ifinfomsg header = {.ifi_family = family};
	struct request q;

	for (int i = 0; i < DUMP_RETRIES; i++) {
		struct exchange x = {.fn = fn, .arg = l};
		int e;

		request_init(&q, type, NLM_F_DUMP, &header, sizeof(header));
		e = transact(r, &q, &x);
		if (e == 0 && !x.interrupted)
			return 0;
		list_done(l);
		if (e < 0)
			return e;
	}
	return -EAGAIN;
}

/* --- links ------------------------------------------------------------------------- */

static int read_link(const struct nlmsghdr *h, struct rtnl_link *l)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	const void *attrs = IFLA_RTA(info);
	const struct rtattr *a;
	uint32_t master = 0;
	int len;

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	len = (int)IFLA_PAYLOAD(h);
	*l = (struct rtnl_link){.index = info->ifi_index, .flags = info->ifi_flags};
	get_str(attrs, len, IFLA_IFNAME, l->name, sizeof(l->name));
	get_u32(attrs, len, IFLA_MTU, &l->mtu);
	get_u32(attrs, len, IFLA_MASTER, &master);
	l->master = (int)master;
	a = get(attrs, len, IFLA_LINKINFO, 0);
	if (a)
		get_str(RTA_DATA(a), RTA_PAYLOAD(a), IFLA_INFO_KIND, l->kind,
			sizeof(l->kind));
	a = get(attrs, len, IFLA_ADDRESS, sizeof(l->mac.b));
	if (a && info->ifi_type == ARPHRD_ETHER) {
		memcpy(l->mac.b, RTA_DATA(a), sizeof(l->mac.b));
		l->has_mac = true;
	}
	return 0;
}

static int on_link(const struct nlmsghdr *h, void *arg)
{
	return read_link(h, arg);
}

static int on_link_listed(const struct nlmsghdr *h, void *arg)
{
	return read_link(h, list_add(arg));
}

static bool good_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < IF_NAMESIZE;
}

int rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *ret)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct rtnl_link l = {0};
	struct request q;
	int e;

	if (!good_name(name))
		return -ENODEV; /* no link can have it */
	request_init(&q, RTM_GETLINK, 0, &info, sizeof(info));
	put_str(&q, IFLA_IFNAME, name);
	e = request(r, &q, on_link, &l);
	if (e < 0)
		return e;
	if (l.index == 0)
		return -ENODEV;
	*ret = l;
	return 0;
}

int rtnl_link_list(struct rtnl *r, struct rtnl_link **ret, size_t *n)
{
	struct list l = {.size = sizeof(**ret)};
	int e = dump(r, RTM_GETLINK, AF_UNSPEC, on_link_listed, &l);

	if (e < 0)
		return e;
	*ret = (struct rtnl_link *)(void *)l.v;
	*n = l.n;
	return 0;
}

/* A change to one link: the caller puts the attributes. */
static void link_request(struct request *q, int index, unsigned flags, unsigned change)
{
	struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = index,
		.ifi_flags = flags,
		.ifi_change = change,
	};

	request_init(q, RTM_NEWLINK, 0, &info, sizeof(info));
}

/* No forward delay: a pod's first packets go through at once. */
static int bridge_set_delay(struct rtnl *r, int index)
{
	struct rtattr *info, *data;
	struct request q;

	link_request(&q, index, 0, 0);
	info = put(&q, IFLA_LINKINFO, NULL, 0);
	put_str(&q, IFLA_INFO_KIND, "bridge");
	data = put(&q, IFLA_INFO_DATA, NULL, 0);
	put_u32(&q, IFLA_BR_FORWARD_DELAY, 0);
	nest_end(&q, data);
	nest_end(&q, info);
	return request(r, &q, NULL, NULL);
}

int rtnl_bridge_add(struct rtnl *r, const char *name)
{
	struct rtnl_link l;
	struct rtattr *info;
	struct request q;
	int e;

	if (!good_name(name))
		return -EINVAL;
	link_request(&q, 0, 0, 0);
	q.h.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	put_str(&q, IFLA_IFNAME, name);
	info = put(&q, IFLA_LINKINFO, NULL, 0);
	put_str(&q, IFLA_INFO_KIND, "bridge");
	nest_end(&q, info);
	e = request(r, &q, NULL, NULL);
	if (e < 0)
		return e;

	/* Given with the creation, kernels before 4.12 ignore it. */
	e = rtnl_link_get(r, name, &l);
	if (e < 0)
		return e;
	e = bridge_set_delay(r, l.index);
	if (e < 0) {
		int gone = rtnl_link_del(r, l.index);

		(void)gone; /* the first error is the one to tell */
	}
	return e;
}

int rtnl_link_del(struct rtnl *r, int index)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct request q;

	request_init(&q, RTM_DELLINK, 0, &info, sizeof(info));
	return request(r, &q, NULL, NULL);
}

int rtnl_link_set_up(struct rtnl *r, int index, bool up)
{
	struct request q;

	link_request(&q, index, up ? IFF_UP : 0, IFF_UP);
	return request(r, &q, NULL, NULL);
}

int rtnl_link_set_mtu(struct rtnl *r, int index, uint32_t mtu)
{
	struct request q;

	link_request(&q, index, 0, 0);
	put_u32(&q, IFLA_MTU, mtu);
	return request(r, &q, NULL, NULL);
}

int rtnl_link_set_master(struct rtnl *r, int index, int master)
{
	struct request q;

	link_request(&q, index, 0, 0);
	put_u32(&q, IFLA_MASTER, (uint32_t)master);
	return request(r, &q, NULL, NULL);
}

/* --- addresses --------------------------------------------------------------------- */

/* What the kernel knows an IPv4 address by. */
struct address {
	struct cidr c;
	uint32_t peer; /* the other end's on a point-to-point link, else c.addr */
};

static int on_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *info = NLMSG_DATA(h);
	struct list *list = arg;
	struct address *a;
	uint32_t local, peer;
	bool has_local, has_peer;

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	if (info->ifa_family != AF_INET || (int)info->ifa_index != list->index)
		return 0;
	has_local = get_u32(IFA_RTA(info), IFA_PAYLOAD(h), IFA_LOCAL, &local);
	has_peer = get_u32(IFA_RTA(info), IFA_PAYLOAD(h), IFA_ADDRESS, &peer);
	if (!has_local && !has_peer)
		return 0;
	a = list_add(list);
	a->c.addr = ntohl(has_local ? local : peer);
	a->c.prefix = info->ifa_prefixlen;
	a->peer = has_peer ? ntohl(peer) : a->c.addr;
	return 0;
}

static int list_addresses(struct rtnl *r, int index, struct list *l)
{
	*l = (struct list){.size = sizeof(struct address), .index = index};
	return dump(r, RTM_GETADDR, AF_INET, on_address, l);
}

int rtnl_addr_list(struct rtnl *r, int index, struct cidr **ret, size_t *n)
{
	_cleanup_(list_done) struct list l = {0};
	const struct address *a;
	struct cidr *v;
	int e = list_addresses(r, index, &l);

	if (e < 0)
		return e;
	a = (const struct address *)(const void *)l.v;
	v = xcalloc(l.n, sizeof(*v));
	for (size_t i = 0; i < l.n; i++)
		v[i] = a[i].c;
	*ret = v;
	*n = l.n;
	return 0;
}

static void address_request(struct request *q, uint16_t type, uint16_t flags, int index,
			    struct address a)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = a.c.prefix,
		.ifa_index = (uint32_t)index,
	};

	request_init(q, type, flags, &info, sizeof(info));
	put_u32(q, IFA_LOCAL, htonl(a.c.addr));
	put_u32(q, IFA_ADDRESS, htonl(a.peer));
}

int rtnl_addr_add(struct rtnl *r, int index, struct cidr c)
{
	struct address a = {.c = c, .peer = c.addr};
	struct request q;

	address_request(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, a);
	if (c.prefix < 31) /* a /31 has no broadcast address (RFC 3021) */
		put_u32(&q, IFA_BROADCAST, htonl(net_broadcast(c)));
	return request(r, &q, NULL, NULL);
}

static int delete_address(struct rtnl *r, int index, struct address a)
{
	struct request q;

	address_request(&q, RTM_DELADDR, 0, index, a);
	return request(r, &q, NULL, NULL);
}

int rtnl_addr_del(struct rtnl *r, int index, struct cidr c)
{
	return delete_address(r, index, (struct address){.c = c, .peer = c.addr});
}

static bool is_wanted(struct address a, struct cidr want)
{
	return a.c.addr == want.addr && a.c.prefix == want.prefix && a.peer == want.addr;
}

int rtnl_addr_exactly(struct rtnl *r, int index, struct cidr want)
{
	_cleanup_(list_done) struct list before = {0}, after = {0};
	const struct address *a;
	int e, changes = 0;

	e = list_addresses(r, index, &before);
	if (e < 0)
		return e;
	a = (const struct address *)(const void *)before.v;
	for (size_t i = 0; i < before.n; i++) {
		if (is_wanted(a[i], want))
			continue;
		e = delete_address(r, index, a[i]);
		/* Removing a primary address may have taken its secondaries along ... */
		if (e < 0 && e != -EADDRNOTAVAIL)
			return e;
		changes++;
	}
	/* ... and the one that is wanted with them, so look again. */
	e = list_addresses(r, index, &after);
	if (e < 0)
		return e;
	a = (const struct address *)(const void *)after.v;
	for (size_t i = 0; i < after.n; i++)
		if (is_wanted(a[i], want))
			return changes;
	e = rtnl_addr_add(r, index, want);
	return e < 0 ? e : changes + 1;
}

int rtnl_addr6_add(struct rtnl *r, int index, const uint8_t addr[16], uint8_t prefix)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = prefix,
		.ifa_flags = IFA_F_NODAD,
		.ifa_index = (uint32_t)index,
	};
	struct request q;

	request_init(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	put(&q, IFA_LOCAL, addr, 16);
	put(&q, IFA_ADDRESS, addr, 16);
	return request(r, &q, NULL, NULL);
}

/* --- routes ------------------------------------------------------------------------ */

/* Collects the default routes' tables; only how many there are matters. */
static int on_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *info = NLMSG_DATA(h);
	uint32_t table;

	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	table = info->rtm_table;
	get_u32(RTM_RTA(info), RTM_PAYLOAD(h), RTA_TABLE, &table);
	if (info->rtm_family == AF_INET && info->rtm_dst_len == 0 &&
	    info->rtm_type == RTN_UNICAST && table == RT_TABLE_MAIN)
		list_add(arg);
	return 0;
}

int rtnl_have_default_route(struct rtnl *r)
{
	_cleanup_(list_done) struct list l = {.size = 1};
	int e = dump(r, RTM_GETROUTE, AF_INET, on_route, &l);

	return e < 0 ? e : l.n > 0;
}
