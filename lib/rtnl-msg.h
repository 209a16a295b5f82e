/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink messages (netlink(7), rtnetlink(7), linux/netlink.h): builds and parses them,
 * and exchanges requests and answers. Only for rtnl.c, tcp-flow.c and their tests.
 */
#pragma once

#include "lib/rtnl.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

struct rtnl_request {
	struct nlmsghdr h;
	uint8_t body[512]; /* the family's header and its attributes */
};

/* Starts a request with the family's header of `len` bytes. */
void rtnl_request_init(struct rtnl_request *q, uint16_t type, uint16_t flags,
		       const void *header, size_t len);

/* Appends an attribute. Aborts when the buffer is full, which no request of rtnl.c can
 * reach. */
struct rtattr *rtnl_append(struct rtnl_request *q, uint16_t type, const void *data,
			   size_t len);
void rtnl_append_str(struct rtnl_request *q, uint16_t type, const char *s);
void rtnl_append_u32(struct rtnl_request *q, uint16_t type, uint32_t value);

/* Makes `a`, which was appended without data, the parent of all attributes appended
 * since. */
void rtnl_nest_end(struct rtnl_request *q, struct rtattr *a);

/*
 * The next three read attributes in `left` bytes from `first`. `left` is an int because
 * the macros of rtnetlink(3) may make it negative, when the padding of the last attribute
 * is missing.
 */

/* Returns the first attribute of this type, or NULL when there is none or it has less
 * than `len` bytes of payload. */
const struct rtattr *rtnl_get(const void *first, int left, uint16_t type, size_t len);
/* Sets *ret and returns true when there is such an attribute. */
bool rtnl_get_u32(const void *first, int left, uint16_t type, uint32_t *ret);

/* Copies a string to `out`, cut to fit and NUL-terminated; "" when there is none. */
void rtnl_get_str(const void *first, int left, uint16_t type, char *out, size_t size);

/* Handles one answer. Returns 0, or -errno, which becomes the result of the exchange
 * after the other answers were read. */
typedef int (*rtnl_answer_fn)(const struct nlmsghdr *h, void *arg);

/* The state of an exchange. */
struct rtnl_exchange {
	uint32_t seq;
	bool done;
	bool interrupted;
	int result; /* the first error */
	rtnl_answer_fn fn;
	void *arg;
};

/* Handles the messages in a datagram of `n` bytes. Returns 0, or -EBADMSG when it is
 * malformed. */
int rtnl_handle_datagram(struct rtnl_exchange *x, const uint8_t *buf,
			 size_t n) _must_check_;

/* Sends a single request and waits for its ACK. `fn` may be NULL. Returns 0 or -errno. */
int rtnl_send_request(struct rtnl *r, struct rtnl_request *q, rtnl_answer_fn fn,
		      void *arg) _must_check_;

/* The result of a dump: `n` elements of `size` bytes. */
struct rtnl_list {
	uint8_t *v;
	size_t n, size;
	int index; /* of the link whose addresses are collected, or 0 */
};

void *rtnl_list_add(struct rtnl_list *l); /* returns the new, zeroed element */
void rtnl_list_done(struct rtnl_list *l);
#define _cleanup_rtnl_list_ _cleanup_(rtnl_list_done)

/* Requests all objects of a family and calls `fn` for each, with the list as `arg`.
 * Returns 0, or -errno and an empty list. */
int rtnl_dump(struct rtnl *r, uint16_t type, uint8_t family, rtnl_answer_fn fn,
	      struct rtnl_list *l) _must_check_;
