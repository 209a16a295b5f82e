/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a host.cfg, for the tests of the host model. */
#pragma once

#include "firstboot/model/host-check.h"
#include "lib/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define KEY                                                                              \
	"ssh-ed25519 "                                                                   \
	"AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6 "          \
	"op@desk"

static inline void assert_lines(const struct diag *d, const char *want)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < d->n; i++)
		buf_printf(&b, "%s\n", d->lines[i]);
	assert_string_equal(b.p ? b.p : "", want);
}

/* Loads a text into the host, over its present values. */
static inline int load(struct host *h, const char *text, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;

	assert_int_equal(conf_parse(&c, text, strlen(text), "host.cfg", CONF_MAX, 0, d),
			 0);
	return host_load_conf(h, conf_root(c), "", d);
}

static const char everything[] =
	"name = \"node-1\";\n"
	"role = \"node\";\n"
	"cluster = \"demo\";\n"
	"mac = \"52:54:00:25:00:11\";\n"
	"interface = \"eth0\";\n"
	"address = \"172.25.0.11/24\";\n"
	"gateway = \"172.25.0.1\";\n"
	"dns = [ \"172.25.0.1\", \"172.25.0.2\" ];\n"
	"search = [ \"rack.example\" ];\n"
	"ntp = [ \"172.25.0.1\", \"ntp.example\" ];\n"
	"mtu = 9000;\n"
	"bond = [ \"52:54:00:25:00:11\", \"eth1\" ];\n"
	"bond_mode = \"802.3ad\";\n"
	"bond_miimon = 50;\n"
	"bond_hash = \"layer3+4\";\n"
	"bond_lacp_rate = \"fast\";\n"
	"vlan = 100;\n"
	"node_network = \"172.25.0.0/24\";\n"
	"ssh_keys = [ \"" KEY "\" ];\n"
	"secrets = [ \"munge.key munge 0400\", \"tls.key www:tls 0440\" ];\n"
	"console = \"ttyS0,115200\";\n"
	"report = \"http://172.25.0.1/report/node-1.json\";\n"
	"report_token = \"5eC2et_-\";\n"
	"master = \"172.25.0.10\";\n"
	"etcd = \"172.25.0.9:4002\";\n"
	"service_network = \"10.100.0.0/16\";\n"
	"pod_network = \"192.168.0.0/16\";\n"
	"cbr0 = \"192.168.1.1/24\";\n"
	"cbr0_mtu = 1450;\n"
	"nat = false;\n"
	"nat_exempt = [ \"10.0.0.0/8\", \"192.0.2.0/24\" ];\n"
	"pools = [ \"192.168.0.0/17 ipip\", \"192.168.128.0/17\" ];\n"
	"bgp_as = \"4200000010\";\n"
	"bgp_mesh = false;\n"
	"bgp_peers = [ \"172.25.0.2 as 64512\", \"172.25.0.3 as 4200000001\" ];\n"
	"bgp_node_peers = [ \"172.25.0.4 as 64513\" ];\n"
	"docker_options = [ \"--insecure-registry=172.25.0.1:5000\" ];\n"
	"environment = [ \"HTTP_PROXY=http://172.25.0.1:3128\" ];\n";
