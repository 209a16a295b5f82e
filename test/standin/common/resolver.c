/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timeouts follow glibc's arithmetic: in every attempt the first server gets
 * `timeout` seconds, the n-th (from 0) `timeout << n` divided by the number of servers.
 * With the defaults of 5 seconds and 2 attempts, a lookup takes 10 s with one silent
 * server and 20 s with two. After a timeout, the name is tried in the first search domain
 * only; then the lookup fails.
 */
#include "test/standin/common/resolver.h"

#include "lib/str.h"
#include "test/standin/common/standin.h"

#include <arpa/inet.h>
#include <poll.h>

#define DNS_PORT     53
#define HEADER_LEN   12
#define QUERY_MAX    512
#define TYPE_A       1
#define CLASS_IN     1
#define TIMEOUT_MAX  30 /* RES_MAXRETRANS */
#define ATTEMPTS_MAX 5  /* RES_MAXRETRY */
#define NDOTS_MAX    15 /* RES_MAXNDOTS */

/* --- resolv.conf ------------------------------------------------------------------- */

static void add_server(struct resolver *r, const char *address)
{
	struct sockaddr_storage *ss = &r->servers[r->n_servers];
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	if (r->n_servers == RESOLVER_SERVERS)
		return;
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(DNS_PORT);
		r->n_servers++;
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(DNS_PORT);
		r->n_servers++;
	}
}

static void set_option(struct resolver *r, const char *word)
{
	const struct {
		const char *prefix;
		unsigned *value, max;
	} options[] = {
		{"timeout:", &r->timeout_s, TIMEOUT_MAX},
		{"attempts:", &r->attempts, ATTEMPTS_MAX},
		{"ndots:", &r->ndots, NDOTS_MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *number = str_after(word, options[i].prefix);
		long n = number ? strtol(number, NULL, 10) : -1;

		if (n >= 0)
			*options[i].value =
				n < (long)options[i].max ? (unsigned)n : options[i].max;
	}
}

static void set_search(struct resolver *r, char **words, size_t max)
{
	strv_free(r->search);
	r->search = NULL;
	for (size_t i = 1; i < strv_len(words) && i <= max; i++)
		strv_add(&r->search, words[i]);
}

void resolver_parse(struct resolver *r, const char *text, const char *hostname)
{
	_cleanup_strv_ char **lines = strv_split(text ? text : "", "\n");
	const char *dot = strchr(hostname, '.');

	*r = (struct resolver){.timeout_s = 5, .attempts = 2, .ndots = 1};
	if (dot && dot[1])
		strv_add(&r->search, dot + 1);
	for (size_t i = 0; i < strv_len(lines); i++) {
		_cleanup_strv_ char **words = strv_split(lines[i], " \t\r");
		size_t n = strv_len(words);

		if (n < 2)
			continue;
		if (streq(words[0], "nameserver"))
			add_server(r, words[1]);
		else if (streq(words[0], "search"))
			set_search(r, words, RESOLVER_DOMAINS);
		else if (streq(words[0], "domain"))
			set_search(r, words, 1);
		else if (streq(words[0], "options"))
			for (size_t k = 1; k < n; k++)
				set_option(r, words[k]);
	}
	if (r->n_servers == 0)
		add_server(r, "127.0.0.1");
}

void resolver_done(struct resolver *r)
{
	strv_free(r->search);
	*r = (struct resolver){0};
}

unsigned resolver_timeout_s(const struct resolver *r, size_t server)
{
	unsigned seconds = r->timeout_s << server;

	if (server > 0)
		seconds /= (unsigned)r->n_servers;
	return seconds > 0 ? seconds : 1;
}

unsigned resolver_silence_s(const struct resolver *r)
{
	unsigned sum = 0;

	for (size_t i = 0; i < r->n_servers; i++)
		sum += resolver_timeout_s(r, i);
	return r->attempts * sum;
}

/* --- one question (RFC 1035, 4.1) -------------------------------------------------- */

static void write16(uint8_t *p, unsigned n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static unsigned read16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Writes a query for the A records of `name`. Returns its length, or 0 when `name` is not
 * a valid host name. */
static size_t make_query(const char *name, unsigned id, uint8_t out[static QUERY_MAX])
{
	_cleanup_strv_ char **labels = strv_split(name, ".");
	size_t len = HEADER_LEN;

	if (!labels || strlen(name) > 253)
		return 0;
	memset(out, 0, HEADER_LEN);
	write16(out, id);
	write16(out + 2, 0x0100); /* recursion desired */
	write16(out + 4, 1);      /* questions */
	for (size_t i = 0; i < strv_len(labels); i++) {
		size_t n = strlen(labels[i]);

		if (n > 63)
			return 0;
		out[len++] = (uint8_t)n;
		memcpy(out + len, labels[i], n);
		len += n;
	}
	out[len++] = 0;
	write16(out + len, TYPE_A);
	write16(out + len + 2, CLASS_IN);
	return len + 4;
}

static enum resolver_result read_answer(const uint8_t *p)
{
	switch (p[3] & 15) { /* RCODE */
	case 0:
		return read16(p + 6) ? RESOLVER_FOUND : RESOLVER_NO_DATA;
	case 2: /* server failure */
	case 4: /* operation not supported */
	case 5: /* refused */
		return RESOLVER_FAILURE;
	default:
		return RESOLVER_NO_NAME;
	}
}

/* Waits for the answer to the query `id`. recv() reports an ICMP error as its own. */
static enum resolver_result await_answer(int fd, unsigned id, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint8_t answer[65536];
		uint64_t now = clock_ms();
		ssize_t n;

		if (now >= deadline)
			return RESOLVER_TIMEOUT;
		if (poll(&p, 1, (int)(deadline - now)) <= 0)
			continue;
		n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return RESOLVER_UNREACHED;
		if (n >= HEADER_LEN && read16(answer) == id && (answer[2] & 0x80))
			return read_answer(answer);
	}
}

static enum resolver_result ask(const struct resolver *r, size_t server, const char *name)
{
	const struct sockaddr_storage *ss = &r->servers[server];
	socklen_t ss_len = ss->ss_family == AF_INET ? sizeof(struct sockaddr_in)
						    : sizeof(struct sockaddr_in6);
	uint64_t deadline = clock_ms() + resolver_timeout_s(r, server) * 1000u;
	unsigned id = (unsigned)(clock_ms() ^ (uint64_t)getpid() << 4) & 0xffff;
	_cleanup_close_ int fd = -1;
	uint8_t query[QUERY_MAX];
	size_t len = make_query(name, id, query);

	if (len == 0)
		return RESOLVER_NO_NAME;
	fd = socket(ss->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)ss, ss_len) < 0 ||
	    send(fd, query, len, 0) != (ssize_t)len)
		return RESOLVER_UNREACHED;
	return await_answer(fd, id, deadline);
}

/* Asks all servers for one full name, like res_nsend. */
static enum resolver_result ask_all(const struct resolver *r, const char *name)
{
	enum resolver_result worst = RESOLVER_UNREACHED;

	for (unsigned attempt = 0; attempt < r->attempts; attempt++) {
		for (size_t i = 0; i < r->n_servers; i++) {
			enum resolver_result got = ask(r, i, name);

			if (got <= RESOLVER_NO_NAME)
				return got;
			if (got != RESOLVER_UNREACHED)
				worst = got;
		}
	}
	return worst;
}

/* --- one lookup -------------------------------------------------------------------- */

/* Looks the name up in the search domains. Sets *stopped when glibc would not ask for
 * anything more. */
static enum resolver_result search(const struct resolver *r, const char *name,
				   enum resolver_result result, bool *stopped)
{
	for (size_t i = 0; i < strv_len(r->search); i++) {
		_cleanup_free_ char *full = xasprintf("%s.%s", name, r->search[i]);
		enum resolver_result got = ask_all(r, full);

		if (got == RESOLVER_FOUND || got == RESOLVER_UNREACHED) {
			*stopped = true;
			return got;
		}
		if (got == RESOLVER_TIMEOUT)
			return got;
		result = got;
	}
	return result;
}

enum resolver_result resolver_lookup(const struct resolver *r, const char *name)
{
	enum resolver_result as_is = RESOLVER_NO_NAME, got;
	bool first, stopped = false;
	unsigned dots = 0;

	for (const char *c = name; *c; c++)
		dots += *c == '.';
	first = dots >= r->ndots;
	if (first) {
		as_is = ask_all(r, name);
		if (as_is == RESOLVER_FOUND)
			return as_is;
	}
	got = search(r, name, as_is, &stopped);
	if (stopped)
		return got;
	if (!first)
		return ask_all(r, name);
	return as_is;
}

const char *resolver_strresult(enum resolver_result result)
{
	static const char *const words[] = {
		[RESOLVER_FOUND] = "an address",
		[RESOLVER_NO_DATA] = "no address",
		[RESOLVER_NO_NAME] = "no such host",
		[RESOLVER_FAILURE] = "server misbehaving",
		[RESOLVER_TIMEOUT] = "no answer from any name server",
		[RESOLVER_UNREACHED] = "connection refused by every name server",
	};

	return words[result];
}
