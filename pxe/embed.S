/* SPDX-License-Identifier: Apache-2.0 */
/* See embed.h. Paths are from the repository's root, where the Makefile assembles. */

.macro embed name, path
	.globl	embed_\name
	.type	embed_\name, @object
	.globl	embed_\name\()_end
	.balign	16
embed_\name:
	.incbin	"\path"
embed_\name\()_end:
	.byte	0
	.size	embed_\name, . - embed_\name
.endm

	.section .rodata
	embed	boot_ipxe, "pxe/templates/boot.ipxe"
	embed	host_ipxe, "pxe/templates/host.ipxe"
	embed	grub_cfg, "pxe/templates/grub.cfg"
	embed	host_grub, "pxe/templates/host.grub"
	embed	pxelinux_default, "pxe/templates/pxelinux-default"
	embed	pxelinux_host, "pxe/templates/pxelinux-host"
	embed	dnsmasq_conf, "pxe/templates/dnsmasq.conf"
	embed	nginx_conf, "pxe/templates/nginx.conf"
	embed	media_grub, "pxe/templates/media.grub"
	embed	slot_grub, "pxe/templates/slot.grub"
	embed	stick_grub, "pxe/templates/stick.grub"
	embed	rackstrap, "pxe/initramfs/rackstrap"

	.section .note.GNU-stack, "", @progbits
