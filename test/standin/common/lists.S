/* SPDX-License-Identifier: Apache-2.0 */
/* The flag lists of test/data, as NUL-terminated texts (lists.h). */
	.section .note.GNU-stack, "", @progbits

	.macro	list name, file
	.section .rodata.list_\name, "a", @progbits
	.global	list_\name
	.type	list_\name, @object
list_\name:
	.incbin	"\file"
	.byte	0
	.size	list_\name, . - list_\name
	.endm

	list	kube_apiserver, "test/data/flags-kube-apiserver-0.20.2.txt"
	list	kube_controller_manager, "test/data/flags-kube-controller-manager-0.20.2.txt"
	list	kube_scheduler, "test/data/flags-kube-scheduler-0.20.2.txt"
	list	kube_proxy, "test/data/flags-kube-proxy-0.20.2.txt"
	list	kubelet, "test/data/flags-kubelet-0.20.2.txt"
	list	etcd, "test/data/flags-etcd-2.0.9.txt"
	list	docker, "test/data/flags-docker-1.7.0.txt"
