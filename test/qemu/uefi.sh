#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One host over UEFI: firmware PXE, iPXE by TFTP, the same boot tree and the same bytes.
. "$(dirname "$0")/lib.sh"
need_image
check "the master comes up over UEFI" "$RACKSTRAP" rack configs/demo.cfg --image $IMAGE \
	--host master --uefi --dir "$DIR" --fresh --timeout 900
cat "$WORK/out" | note
check "it booted through EFI" grep -qiE 'efi' "$(console master)"
check "and said so once" test "$(grep -cE 'rackstrap: master \(master\) ready in' "$(console master)")" = 1
finish
