/* SPDX-License-Identifier: Apache-2.0 */
#include "test/standin/common/node.h"

#include "lib/file.h"
#include "lib/str.h"
#include "test/standin/common/api.h"
#include "test/standin/common/standin.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>

/* Returns the first line of a small file, or "" when it cannot be read. Owned by the
 * caller. */
static char *first_line(const char *path)
{
	char *text = NULL;

	if (file_read_at(AT_FDCWD, path, 65536, &text, NULL) < 0)
		return xstrdup("");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static char *os_image(void)
{
	_cleanup_free_ char *text = NULL;
	const char *p;

	if (file_read_at(AT_FDCWD, "/etc/os-release", 65536, &text, NULL) < 0)
		return xstrdup("Unknown");
	p = strstr(text, "PRETTY_NAME=\"");
	if (!p)
		return xstrdup("Unknown");
	p += strlen("PRETTY_NAME=\"");
	return xstrndup(p, strcspn(p, "\"\n"));
}

static json_t *node_info(const struct node_facts *f)
{
	_cleanup_free_ char *machine = first_line("/etc/machine-id"), *os = os_image();
	_cleanup_free_ char *system = first_line("/sys/class/dmi/id/product_uuid");
	_cleanup_free_ char *boot = first_line("/proc/sys/kernel/random/boot_id");
	_cleanup_free_ char *runtime = xasprintf("docker://%s", f->docker_version);
	struct utsname uts = {0};

	uname(&uts);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "machineID", machine,
			 "systemUUID", system, "bootID", boot, "kernelVersion",
			 uts.release, "osImage", os, "containerRuntimeVersion", runtime,
			 "kubeletVersion", f->kubelet_version, "kubeProxyVersion",
			 f->kubelet_version);
}

static json_t *capacity(const struct node_facts *f)
{
	struct sysinfo si = {0};
	char cpu[24], memory[32], pods[24];

	sysinfo(&si);
	snprintf(cpu, sizeof(cpu), "%d", get_nprocs());
	snprintf(memory, sizeof(memory), "%lluKi",
		 (unsigned long long)si.totalram * si.mem_unit / 1024);
	snprintf(pods, sizeof(pods), "%llu", (unsigned long long)f->max_pods);
	return json_pack("{s:s, s:s, s:s}", "cpu", cpu, "memory", memory, "pods", pods);
}

json_t *node_make(const struct node_facts *f)
{
	return json_pack("{s:s, s:s, s:{s:s, s:{s:s}}, s:{s:s}, s:{}}", "kind", "Node",
			 "apiVersion", "v1", "metadata", "name", f->name, "labels",
			 "kubernetes.io/hostname", f->name, "spec", "externalID", f->name,
			 "status");
}

void node_set_status(json_t *node, const struct node_facts *f, const char *why_not)
{
	json_t *status = json_object_get(node, "status"), *ready = api_node_ready(node);
	const char *want = why_not ? "False" : "True";
	const char *was = json_string_value(json_object_get(ready, "status"));
	const char *since =
		json_string_value(json_object_get(ready, "lastTransitionTime"));
	char now[TIME_LEN];
	json_t *condition;

	now_rfc3339(now);
	condition =
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "Ready", "status", want,
			  "reason", why_not ? why_not : "kubelet is posting ready status",
			  "lastHeartbeatTime", now, "lastTransitionTime",
			  was && since && streq(was, want) ? since : now);
	if (!json_is_object(status)) {
		status = json_object();
		json_object_set_new(node, "status", status);
	}
	json_object_set_new(status, "capacity", capacity(f));
	json_object_set_new(status, "conditions", json_pack("[o]", condition));
	json_object_set_new(
		status, "addresses",
		json_pack("[{s:s, s:s}]", "type", "LegacyHostIP", "address", f->name));
	json_object_set_new(status, "nodeInfo", node_info(f));
}
