/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From top to bottom: the boot server and the gateway, the network of the hosts, and
 * each role's hosts in rows that hang on one line. A rack of more than BOXES_MAX hosts
 * has dots in place of boxes. Same rack, same bytes.
 */
#include "builder/check-output.h"

#include "lib/escape.h"
#include "lib/out.h"
#include "pxe/columns.h"
#include "pxe/picture.h"

#define BOXES_MAX 200
#define WIDTH     960
#define MARGIN    32
#define SPINE     48 /* x of the line on which the rows hang */
#define FIRST     80 /* x of a row's first box */
#define BOXES     5  /* in a row */
#define GAP       18
#define ROW_GAP   26
#define DOTS      68 /* in a row */

#define PITCH     (PICTURE_BOX_WIDTH + GAP)
#define DOT_PITCH (PICTURE_DOT + PICTURE_DOT_GAP)

struct drawing {
	const struct rack *rack;
	struct buf b;    /* the elements */
	struct buf back; /* lines, which are drawn before the elements */
	unsigned y;      /* where the next row begins */
};

static void append_line(struct drawing *d, unsigned x1, unsigned y1, unsigned x2,
			unsigned y2)
{
	buf_printf(&d->back, "<path class=\"wire\" d=\"M%u %uL%u %u\"/>\n", x1, y1, x2,
		   y2);
}

static void append_text(struct drawing *d, const char *class, unsigned x, unsigned y,
			const char *text)
{
	buf_printf(&d->b, "<text class=\"%s\" x=\"%u\" y=\"%u\">", class, x, y);
	escape_html_cut(&d->b, text, 100);
	buf_puts(&d->b, "</text>\n");
}

static void append_box(struct drawing *d, const struct picture_box *box, unsigned x,
		       unsigned y)
{
	picture_append_box(&d->b, box, x, y);
	buf_puts(&d->b, "\n");
}

/* --- above the hosts --------------------------------------------------------------- */

static void draw_title(struct drawing *d)
{
	const struct rack *r = d->rack;
	_cleanup_free_ char *hosts =
		xasprintf("%zu host%s", r->n_hosts, r->n_hosts == 1 ? "" : "s");

	append_text(d, "title", MARGIN, 50, r->name);
	append_text(d, "dim", MARGIN, 72, hosts);
	d->y = 96;
}

/* Returns the gateway that all hosts have, or 0. */
static uint32_t common_gateway(const struct rack *r)
{
	for (size_t i = 1; i < r->n_hosts; i++)
		if (r->hosts[i].host.gateway != r->hosts[0].host.gateway)
			return 0;
	return r->n_hosts > 0 ? r->hosts[0].host.gateway : 0;
}

/* Draws a machine that is no host, above the network's bar, which is `height` below. */
static void draw_server(struct drawing *d, unsigned place, struct picture_box box,
			uint32_t addr, unsigned height)
{
	unsigned x = FIRST + place * PITCH, middle = x + PICTURE_BOX_WIDTH / 2;
	char text[NET_ADDR_LEN];

	box.kind = "ready";
	box.note = net_format_addr(addr, text);
	append_box(d, &box, x, d->y);
	append_line(d, middle, d->y, middle, d->y + height);
}

static void draw_servers(struct drawing *d)
{
	uint32_t gateway = common_gateway(d->rack);
	const struct picture_box server = {
		.name = "boot server",
		.more = gateway == d->rack->boot_server ? "also the gateway" : NULL,
	};
	unsigned height = picture_box_height(&server) + GAP;

	draw_server(d, 0, server, d->rack->boot_server, height);
	if (gateway && !server.more)
		draw_server(d, 1, (struct picture_box){.name = "gateway"}, gateway,
			    height);
	d->y += height;
}

/* Returns the values of all hosts for a key, "pod_network 192.168.0.0/16". Owned by the
 * caller; NULL if no host was given one. */
static char *network_text(const struct rack *r, enum host_key_id id)
{
	_cleanup_intern_ struct intern values = {0};
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < r->n_hosts; i++) {
		_cleanup_free_ char *text = NULL;

		if (!r->hosts[i].host.set[id])
			continue;
		text = host_show(&r->hosts[i].host, id);
		if (*text)
			intern(&values, text, NULL);
	}
	for (size_t i = 0; i < values.n && i < 3; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", values.texts[i]);
	return values.n ? xasprintf("%s %s%s", host_key(id)->name, b.p,
				    values.n > 3 ? ", ..." : "")
			: NULL;
}

/* Draws the bar of the network that the hosts are in, with the other networks' names. */
static void draw_networks(struct drawing *d)
{
	_cleanup_buf_ struct buf others = {0};
	char net[NET_CIDR_LEN];
	_cleanup_free_ char *text =
		d->rack->network.prefix
			? xasprintf("network %s", net_format_cidr(d->rack->network, net))
			: xstrdup("addresses by DHCP");

	for (size_t id = 0; id < HOST_KEY_COUNT; id++) {
		_cleanup_free_ char *other = NULL;

		if (host_key((enum host_key_id)id)->type != HOST_T_NETWORK ||
		    id == HOST_NODE_NETWORK)
			continue;
		other = network_text(d->rack, (enum host_key_id)id);
		if (other)
			buf_printf(&others, "%s%s", others.len ? " · " : "", other);
	}
	buf_printf(&d->b,
		   "<rect class=\"net\" x=\"%d\" y=\"%u\" width=\"%d\" height=\"34\" "
		   "rx=\"8\"/>\n",
		   MARGIN, d->y, WIDTH - 2 * MARGIN);
	append_text(d, "netname", MARGIN + 16, d->y + 22, text);
	if (others.len)
		append_text(d, "netother", WIDTH - MARGIN - 16, d->y + 22, others.p);
	d->y += 34;
}

/* --- the hosts -------------------------------------------------------------------- */

static void draw_host(struct drawing *d, const struct rack_host *h, unsigned x,
		      unsigned y)
{
	char addr[NET_ADDR_LEN], mac[NET_MAC_LEN];
	struct host_columns columns;
	struct picture_box box = {.kind = "busy", .name = h->host.name};

	columns_of_host(&columns, &h->host);
	box.note = h->host.address.prefix ? net_format_addr(h->host.address.addr, addr)
					  : "address by DHCP";
	for (size_t i = 0; i < FEATURE_COUNT && !box.more; i++)
		box.more = columns.v[i];
	if (!box.more)
		box.more = net_format_mac(h->host.mac, ':', mac);
	append_box(d, &box, x, y);
	columns_done(&columns);
}

/* Draws a role's hosts as rows of boxes, each on a line of its own. */
static void draw_boxes(struct drawing *d, const size_t *hosts, size_t n)
{
	unsigned height = picture_box_height(&(struct picture_box){.more = ""});

	for (size_t i = 0; i < n; i++) {
		unsigned place = (unsigned)(i % BOXES), x = FIRST + place * PITCH;
		unsigned middle = x + PICTURE_BOX_WIDTH / 2;

		if (place == 0 && i > 0)
			d->y += height + ROW_GAP;
		append_line(d, place ? middle - PITCH : SPINE, d->y - 12, middle,
			    d->y - 12);
		append_line(d, middle, d->y - 12, middle, d->y);
		draw_host(d, &d->rack->hosts[hosts[i]], x, d->y);
	}
	d->y += height;
}

static void draw_dots(struct drawing *d, const size_t *hosts, size_t n)
{
	unsigned top = d->y;

	append_line(d, SPINE, top + PICTURE_DOT / 2, FIRST, top + PICTURE_DOT / 2);
	for (size_t i = 0; i < n; i++) {
		buf_puts(&d->b, "<g><title>");
		escape_html(&d->b, d->rack->hosts[hosts[i]].host.name);
		buf_puts(&d->b, "</title>");
		picture_append_dot(&d->b, "busy",
				   FIRST + (unsigned)(i % DOTS) * DOT_PITCH,
				   top + (unsigned)(i / DOTS) * DOT_PITCH);
		buf_puts(&d->b, "</g>\n");
	}
	d->y = top + (unsigned)((n + DOTS - 1) / DOTS) * DOT_PITCH;
}

static void draw_role(struct drawing *d, const char *role, const size_t *hosts, size_t n,
		      unsigned *spine_end)
{
	bool boxes = d->rack->n_hosts <= BOXES_MAX;
	_cleanup_free_ char *title = xasprintf("%s (%zu)", role ? role : "no role", n);

	append_text(d, "role", FIRST, d->y + 40, title);
	d->y += boxes ? 66 : 54;
	if (boxes) {
		draw_boxes(d, hosts, n);
		*spine_end =
			d->y - picture_box_height(&(struct picture_box){.more = ""}) - 12;
	} else {
		*spine_end = d->y + PICTURE_DOT / 2;
		draw_dots(d, hosts, n);
	}
}

static void draw_hosts(struct drawing *d)
{
	const struct rack *r = d->rack;
	_cleanup_free_ size_t *hosts = xcalloc(r->n_hosts + 1, sizeof(*hosts));
	_cleanup_free_ size_t *role = xcalloc(r->n_hosts + 1, sizeof(*role));
	_cleanup_intern_ struct intern roles = {0};
	unsigned start = d->y, end = d->y;

	for (size_t i = 0; i < r->n_hosts; i++)
		role[i] = intern(&roles, r->hosts[i].host.role, NULL);
	for (size_t k = 0; k < roles.n; k++) {
		size_t n = 0;

		for (size_t i = 0; i < r->n_hosts; i++)
			if (role[i] == k)
				hosts[n++] = i;
		draw_role(d, roles.texts[k], hosts, n, &end);
	}
	append_line(d, SPINE, start, SPINE, end);
}

/* Returns the picture of a rack, one SVG 1.1 document. Owned by the caller. */
static char *draw(const struct rack *rack)
{
	static const char css[] =
		".page { fill: var(--page); } .wire { stroke: var(--silent); fill: none; "
		"}\n"
		".title { font-size: 24px; font-weight: 700; fill: var(--text); }\n"
		".dim { font-size: 13px; fill: var(--dim); }\n"
		".role { font-size: 13px; font-weight: 600; fill: var(--dim); }\n"
		".net { fill: var(--silent-back); }\n"
		".netname { font-size: 13px; font-weight: 600; fill: var(--silent-text); "
		"}\n"
		".netother { font-size: 12px; text-anchor: end; fill: "
		"var(--silent-text); }\n";
	struct drawing d = {.rack = rack};
	struct buf b = {0};

	draw_title(&d);
	draw_servers(&d);
	draw_networks(&d);
	draw_hosts(&d);
	d.y += MARGIN;
	buf_printf(&b,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
		   "viewBox=\"0 0 %d %u\" role=\"img\">\n<title>",
		   WIDTH, d.y, WIDTH, d.y);
	escape_html(&b, rack->name);
	buf_puts(&b, "</title>\n<style>\n");
	picture_append_own_css(&b, css);
	buf_printf(&b,
		   "</style>\n<rect class=\"page\" width=\"%d\" height=\"%u\" "
		   "rx=\"12\"/>\n",
		   WIDTH, d.y);
	buf_puts(&b, d.back.p ? d.back.p : "");
	buf_puts(&b, d.b.p);
	buf_puts(&b, "</svg>\n");
	buf_done(&d.back);
	buf_done(&d.b);
	return buf_take(&b);
}

static int print_picture(struct check_printer *p _unused_, const struct checked *f,
			 struct err *e _unused_)
{
	_cleanup_free_ char *text = f->rack ? draw(f->rack) : NULL;

	if (text)
		out_text(text);
	return 0;
}

const struct check_output check_svg = {
	.option = "svg",
	.id = OPT_SVG,
	.one_file = true,
	.file = print_picture,
};
