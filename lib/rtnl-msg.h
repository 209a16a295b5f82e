/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink messages (netlink(7), rtnetlink(7), linux/netlink.h): building them, taking
 * them apart, and the exchange of requests and answers. For rtnl.c and its test.
 */
#pragma once

#include "lib/rtnl.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

struct rtnl_request {
	struct nlmsghdr h;
	uint8_t body[512]; /* the family's header and its attributes */
};

void rtnl_request_init(struct rtnl_request *q, uint16_t type, uint16_t flags,
		       const void *header, size_t len);

/* Adds an attribute; aborts when the buffer is full: no request of ours comes near. */
struct rtattr *rtnl_put(struct rtnl_request *q, uint16_t type, const void *data,
			size_t len);
void rtnl_put_str(struct rtnl_request *q, uint16_t type, const char *s);
void rtnl_put_u32(struct rtnl_request *q, uint16_t type, uint32_t value);

/* `a`, which was put empty, becomes the parent of all that was put since. */
void rtnl_nest_end(struct rtnl_request *q, struct rtattr *a);

/*
 * Attributes in `left` bytes from `first`. Lengths are int, as rtnetlink(3)'s macros want
 * them: the last attribute's padding may be missing, and they then count below zero.
 */

/* The attribute of this type with at least `len` bytes of payload, or NULL. */
const struct rtattr *rtnl_get(const void *first, int left, uint16_t type, size_t len);
bool rtnl_get_u32(const void *first, int left, uint16_t type, uint32_t *ret);

/* Copies a string, cut to fit, always ended. */
void rtnl_get_str(const void *first, int left, uint16_t type, char *out, size_t size);

/* One answer: 0 to go on, or -errno, which is kept while the rest is read. */
typedef int (*rtnl_answer_fn)(const struct nlmsghdr *h, void *arg);

/* Where an exchange stands. */
struct rtnl_exchange {
	uint32_t seq;
	bool done;
	bool interrupted;
	int result; /* the first error */
	rtnl_answer_fn fn;
	void *arg;
};

/* Takes one datagram of `n` bytes apart. 0, or -EBADMSG when it is none. */
int rtnl_take(struct rtnl_exchange *x, const uint8_t *buf, size_t n) _must_check_;

/* Sends a single request and awaits its ACK; `fn` may be NULL. */
int rtnl_ask(struct rtnl *r, struct rtnl_request *q, rtnl_answer_fn fn,
	     void *arg) _must_check_;

/* What a dump collects: `n` elements of `size` bytes. */
struct rtnl_list {
	uint8_t *v;
	size_t n, size;
	int index; /* of the link it is about, or 0 */
};

void *rtnl_list_add(struct rtnl_list *l); /* a zeroed element */
void rtnl_list_done(struct rtnl_list *l);
#define _cleanup_rtnl_list_ _cleanup_(rtnl_list_done)

/* Asks for everything of a family; `fn` gets the list. On an error the list is empty. */
int rtnl_dump(struct rtnl *r, uint16_t type, uint8_t family, rtnl_answer_fn fn,
	      struct rtnl_list *l) _must_check_;
