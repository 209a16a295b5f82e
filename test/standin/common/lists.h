/* SPDX-License-Identifier: Apache-2.0 */
/* The flag lists of the originals: test/data/flags-*.txt, embedded as text. */
#pragma once

extern const char list_kube_apiserver[], list_kube_controller_manager[],
	list_kube_scheduler[], list_kube_proxy[], list_kubelet[], list_etcd[],
	list_docker[];
