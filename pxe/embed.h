/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that live in files of their own and are part of the program (embed.S). Each is
 * followed by a NUL that is not counted.
 */
#pragma once

#define EMBED(name) extern const char embed_##name[], embed_##name##_end[]

EMBED(boot_ipxe);
EMBED(host_ipxe);
EMBED(grub_cfg);
EMBED(host_grub);
EMBED(pxelinux_default);
EMBED(pxelinux_host);
EMBED(dnsmasq_conf);
EMBED(nginx_conf);
EMBED(media_grub);
EMBED(slot_grub);
EMBED(stick_grub);
EMBED(rackstrap); /* pxe/initramfs/rackstrap: scripts/rackstrap in an initrd */
