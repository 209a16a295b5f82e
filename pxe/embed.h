/* SPDX-License-Identifier: Apache-2.0 */
/* The templates and the boot script. */
#pragma once

#include "lib/embed.h"

EMBED(boot_ipxe, "pxe/templates/boot.ipxe");
EMBED(host_ipxe, "pxe/templates/host.ipxe");
EMBED(strangers_ipxe, "pxe/templates/strangers.ipxe");
EMBED(grub_cfg, "pxe/templates/grub.cfg");
EMBED(host_grub, "pxe/templates/host.grub");
EMBED(strangers_grub, "pxe/templates/strangers.grub");
EMBED(pxelinux_default, "pxe/templates/pxelinux-default");
EMBED(pxelinux_host, "pxe/templates/pxelinux-host");
EMBED(dnsmasq_conf, "pxe/templates/dnsmasq.conf");
EMBED(dnsmasq_tftp_conf, "pxe/templates/dnsmasq-tftp.conf");
EMBED(nginx_conf, "pxe/templates/nginx.conf");
EMBED(media_grub, "pxe/templates/media.grub");
EMBED(slot_grub, "pxe/templates/slot.grub");
EMBED(stick_grub, "pxe/templates/stick.grub");
EMBED(picture_css, "pxe/templates/picture.css");
EMBED(status_css, "pxe/templates/status.css");
/* Files of scripts/ in an initrd. */
EMBED(rackstrap, "pxe/initramfs/rackstrap");
EMBED(rackstrap_medium, "pxe/initramfs/rackstrap-medium");
EMBED(rackstrap_state, "pxe/initramfs/rackstrap-state");
