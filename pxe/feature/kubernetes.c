/* SPDX-License-Identifier: Apache-2.0 */
/* The host that the cluster group names as its master must be the only host with a
 * master's role. */
#include "firstboot/model/conf-note.h"
#include "pxe/feature.h"

static void cluster(struct loader *l)
{
	if (conf_is_missing(l->cluster, "master"))
		l->r = conf_complain(l->cluster, l->d,
				     "cluster: master is missing: name the host that is "
				     "the cluster's master, or give its address");
}

/* Returns true when host `i` has a master's role and is not the master, or the other way
 * round. */
static bool disagrees(const struct loader *l, size_t i)
{
	const struct rack_named *m = rack_named_get(l, HOST_MASTER);
	const struct host *h = &l->rack->hosts[i].host;
	const struct role *role =
		h->role && !h->bad[HOST_ROLE] ? roles_find(l->roles, h->role) : NULL;

	if (!m || !role || (!m->outside && m->host == NO_HOST))
		return false; /* reported already */
	return role_has(role, FEATURE_KUBERNETES_MASTER) != (i == m->host);
}

static void prepare(const struct loader *l, size_t i)
{
	if (!rack_named_get(l, HOST_MASTER) || disagrees(l, i))
		l->rack->hosts[i].host.bad[HOST_MASTER] = true;
}

static int check(const struct loader *l)
{
	const struct rack_named *m = rack_named_get(l, HOST_MASTER);
	char there[512];
	int ret = 0;

	for (size_t i = 0; i < l->rack->n_hosts; i++) {
		const struct host *h = &l->rack->hosts[i].host;
		struct diag_place here;

		if (!disagrees(l, i))
			continue;
		here = host_place(h, HOST_ROLE);
		other_place(m->file, m->line, h->origin[HOST_ROLE].file, there,
			    sizeof(there));
		if (i == m->host)
			ret = rack_complain_host(
				h, &here, l->d,
				"is the cluster's master (%s), but the role "
				"'%s' is not a master's",
				there, h->role);
		else
			ret = rack_complain_host(
				h, &here, l->d,
				"role '%s' is a master's, but the cluster's "
				"master is '%s' (%s)",
				h->role, m->text, there);
		diag_other(l->d, &(struct diag_place){.file = m->file, .line = m->line});
	}
	return ret;
}

const struct feature_rack rack_kubernetes = {
	.id = FEATURE_KUBERNETES,
	.cluster = cluster,
	.prepare = prepare,
	.check = check,
};
