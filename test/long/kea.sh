#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The demo rack boots with Kea as its DHCP server: by the BIOS' iPXE, then a host by UEFI's PXE.
# test/build/kea.sh has the exchanges of DHCP, and a pair of servers.
# shellcheck source=../qemu/lib.sh
. "$(dirname "$0")/../qemu/lib.sh"
tap_cleanup() { rack_stop; }
need_image
make_rack configs/demo.cfg "$WORK/demo.cfg"

rack_start "$WORK/demo.cfg" --dhcp kea
rack_up master
check "three hosts are ready" test "$(grep -cE ' ready *$' "$WORK/table")" = 3
for h in 10:master 11:node-1 12:node-2; do
	check "${h#*:} has its address from Kea" grep -q \
		"DHCP4_LEASE_ALLOC .*52:54:00:25:00:${h%:*}.*lease 172.25.0.${h%:*} has been allocated" "$DIR/tree/run/kea.log"
done
check "dnsmasq has answered no DHCP" sh -c "! grep -E \"DHCP(OFFER|ACK|NAK)\" '$DIR/tree/run/dnsmasq.log'"
rack_stop

rack_start "$WORK/demo.cfg" --dhcp kea --uefi --host master
rack_up master
check "a host is ready by UEFI" test "$(grep -cE ' ready *$' "$WORK/table")" = 1
check "its firmware has loaded iPXE by TFTP" grep -q 'sent .*/tftp/snponly.efi' "$DIR/tree/run/dnsmasq.log"
rack_stop
finish
