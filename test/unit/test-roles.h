/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of the recipes of 2015, images/bookworm and those that include it. */
#pragma once

#include "firstboot/model/feature.h"

#define ROLES_2015                                                                       \
	"roles = ( { name = \"master\";\n"                                               \
	"  features = [ \"kubernetes-master\", \"nat\", \"calico\", \"docker\",\n"       \
	"    \"network-environment\" ];\n"                                               \
	"  units = [ \"docker.service\", \"etcd.service\", "                             \
	"\"kube-apiserver.service\",\n"                                                  \
	"    \"kube-controller-manager.service\", \"kube-scheduler.service\",\n"         \
	"    \"rackstrap-pool.service\", \"calico-node.service\",\n"                     \
	"    \"rackstrap-heal.timer\" ];\n"                                              \
	"  ready = [ \"http://127.0.0.1:4001/health\", "                                 \
	"\"http://127.0.0.1:8080/healthz\",\n"                                           \
	"    \"http://127.0.0.1:10251/healthz\", \"http://127.0.0.1:10252/healthz\" ]; " \
	"},\n"                                                                           \
	"{ name = \"node\";\n"                                                           \
	"  features = [ \"kubernetes\", \"cbr0\", \"nat\", \"calico\", \"docker\",\n"    \
	"    \"network-environment\" ];\n"                                               \
	"  units = [ \"docker.service\", \"calico-node.service\", "                      \
	"\"kube-proxy.service\",\n"                                                      \
	"    \"kube-kubelet.service\", \"rackstrap-pool.service\", "                     \
	"\"rackstrap-heal.timer\" ];\n"                                                  \
	"  ready = [ \"http://127.0.0.1:10248/healthz\", "                               \
	"\"http://127.0.0.1:10249/healthz\",\n"                                          \
	"    "                                                                           \
	"\"http://${KUBERNETES_MASTER}:8080/api/v1/nodes/"                               \
	"${DEFAULT_IPV4}" READY_CONDITION "Ready\" ]; } );\n"

/* Roles of an image without features, and of one that has both kinds. */
#define ROLES_WEB                                                                        \
	"roles = ( { name = \"web\"; units = [ \"nginx.service\" ];\n"                   \
	"  ready = [ \"http://127.0.0.1/\" ]; }, { name = \"store\"; } );\n"
#define ROLES_MIXED                                                                      \
	"roles = ( { name = \"web\"; }, { name = \"router\"; features = [ \"nat\" ]; "   \
	"},\n"                                                                           \
	"{ name = \"master\";\n"                                                         \
	"  features = [ \"kubernetes-master\", \"network-environment\" ]; },\n"          \
	"{ name = \"node\"; features = [ \"kubernetes\", \"cbr0\", \"docker\" ]; } );\n"

/* Loads the roles of a text. */
static inline void roles_of_text(struct roles *ret, const char *text)
{
	_cleanup_conf_ struct conf *c = NULL;
	const struct conf_node *list = NULL;

	*ret = (struct roles){0};
	if (conf_parse(&c, text, strlen(text), "roles", CONF_MAX, CONF_NO_INCLUDE, NULL) <
		    0 ||
	    conf_get_list(conf_root(c), "roles", &list, NULL) <= 0 ||
	    roles_load(ret, list, &(struct diag){0}) < 0)
		abort();
}

static inline void roles_2015(struct roles *ret)
{
	roles_of_text(ret, ROLES_2015);
}
