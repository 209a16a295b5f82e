/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request is one message in a fixed buffer; a callback gets its answers one by one. A
 * single request ends with its ACK (an NLMSG_ERROR of 0), a dump with NLMSG_DONE. A dump
 * that the kernel marks as interrupted (NLM_F_DUMP_INTR: objects changed meanwhile) is
 * repeated.
 */
#include "lib/rtnl-msg.h"

#include "lib/str.h"

#include <sys/socket.h>

#define ANSWER_MAX   (32 * 1024) /* no datagram of the kernel is larger */
#define DUMP_RETRIES 16

/* --- requests ---------------------------------------------------------------------- */

void rtnl_request_init(struct rtnl_request *q, uint16_t type, uint16_t flags,
		       const void *header, size_t len)
{
	memset(q, 0, sizeof(*q));
	q->h.nlmsg_type = type;
	q->h.nlmsg_flags = NLM_F_REQUEST | flags;
	q->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(q->body, header, len);
}

struct rtattr *rtnl_append(struct rtnl_request *q, uint16_t type, const void *data,
			   size_t len)
{
	size_t at = NLMSG_ALIGN(q->h.nlmsg_len), size = RTA_LENGTH(len);
	struct rtattr *a = (struct rtattr *)((uint8_t *)q + at);

	if (at + RTA_ALIGN(size) > sizeof(*q))
		abort();
	a->rta_type = type;
	a->rta_len = (uint16_t)size;
	if (len > 0)
		memcpy(RTA_DATA(a), data, len);
	q->h.nlmsg_len = (uint32_t)(at + RTA_ALIGN(size)); /* with its padding */
	return a;
}

void rtnl_append_str(struct rtnl_request *q, uint16_t type, const char *s)
{
	rtnl_append(q, type, s, strlen(s) + 1);
}

void rtnl_append_u32(struct rtnl_request *q, uint16_t type, uint32_t value)
{
	rtnl_append(q, type, &value, sizeof(value));
}

void rtnl_nest_end(struct rtnl_request *q, struct rtattr *a)
{
	uint8_t *end = (uint8_t *)q + q->h.nlmsg_len;

	a->rta_len = (uint16_t)(end - (uint8_t *)a);
}

/* --- answers ----------------------------------------------------------------------- */

const struct rtattr *rtnl_get(const void *first, int left, uint16_t type, size_t len)
{
	const struct rtattr *a = first;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return RTA_PAYLOAD(a) >= len ? a : NULL;
	return NULL;
}

bool rtnl_get_u32(const void *first, int left, uint16_t type, uint32_t *ret)
{
	const struct rtattr *a = rtnl_get(first, left, type, sizeof(*ret));

	if (a)
		memcpy(ret, RTA_DATA(a), sizeof(*ret));
	return a;
}

void rtnl_get_str(const void *first, int left, uint16_t type, char *out, size_t size)
{
	const struct rtattr *a = rtnl_get(first, left, type, 0);
	size_t n = a ? strnlen(RTA_DATA(a), RTA_PAYLOAD(a)) : 0;

	if (n >= size)
		n = size - 1;
	if (n > 0)
		memcpy(out, RTA_DATA(a), n);
	out[n] = '\0';
}

static int send_request(struct rtnl *r, struct rtnl_request *q)
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

/* Receives one datagram from the kernel. Returns its length or -errno. */
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
			continue; /* sent by another process */
		return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
	}
}

static void handle_message(struct rtnl_exchange *x, const struct nlmsghdr *h)
{
	int error = 0;

	if (h->nlmsg_seq != x->seq)
		return; /* an answer to an earlier request that failed */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
		/* Both begin with a negative errno or 0; DONE of old kernels is empty. */
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

int rtnl_handle_datagram(struct rtnl_exchange *x, const uint8_t *buf, size_t n)
{
	size_t at = 0;

	while (!x->done && at + sizeof(struct nlmsghdr) <= n) {
		const struct nlmsghdr *h =
			(const struct nlmsghdr *)(const void *)(buf + at);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n - at)
			return -EBADMSG;
		handle_message(x, h);
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	return 0;
}

/* Sends the request and handles all its answers. Returns 0 or the first error. */
static int transact(struct rtnl *r, struct rtnl_request *q, struct rtnl_exchange *x)
{
	_cleanup_free_ void *buf = xmalloc(ANSWER_MAX);
	int e = send_request(r, q);

	x->seq = q->h.nlmsg_seq;
	while (e == 0 && !x->done) {
		ssize_t n = receive(r, buf, ANSWER_MAX);

		e = n < 0 ? (int)n : rtnl_handle_datagram(x, buf, (size_t)n);
	}
	return e < 0 ? e : x->result;
}

int rtnl_send_request(struct rtnl *r, struct rtnl_request *q, rtnl_answer_fn fn,
		      void *arg)
{
	struct rtnl_exchange x = {.fn = fn, .arg = arg};

	q->h.nlmsg_flags |= NLM_F_ACK;
	return transact(r, q, &x);
}

void *rtnl_list_add(struct rtnl_list *l)
{
	l->v = xgrow(l->v, l->n, l->size);
	return memset(l->v + l->n++ * l->size, 0, l->size);
}

void rtnl_list_done(struct rtnl_list *l)
{
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

int rtnl_dump(struct rtnl *r, uint16_t type, uint8_t family, rtnl_answer_fn fn,
	      struct rtnl_list *l)
{
	/* Each header begins with the family; this is the longest one used. */
	struct ifinfomsg header = {.ifi_family = family};
	struct rtnl_request q;

	for (int i = 0; i < DUMP_RETRIES; i++) {
		struct rtnl_exchange x = {.fn = fn, .arg = l};
		int e;

		rtnl_request_init(&q, type, NLM_F_DUMP, &header, sizeof(header));
		e = transact(r, &q, &x);
		if (e == 0 && !x.interrupted)
			return 0;
		rtnl_list_done(l);
		if (e < 0)
			return e;
	}
	return -EAGAIN;
}
