#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The table of all parsers of bytes that come from elsewhere, with their targets in test/fuzz and
# what they read. A new parser gets a row, and so a target with a corpus, which every run replays.
#
# Parsers of what only rackstrap and this machine write have no row, such as the notes of the cache,
# whose texts are compared as a whole, and subuid(5).
. "$(dirname "$0")/../tap.sh"

parsers() {
	cat <<-'END'
	builder/base/apt-resolve.c apt the URLs of an archive's packages, and its Packages
	builder/base/apt.c apt sources of apt, and an archive's Release
	builder/base/base-split.c base the root.tar of a suite: dpkg's status and lists, kernels, devices
	builder/base/base-tree.c base a tar or disk image that becomes a base
	builder/base/tree-names.c base the names of the members of such a tree
	builder/common/archive-entry.c archive paths and targets in an archive
	builder/common/archive-input.c archive compressed data and its headers
	builder/common/archive-stream.c archive the bytes of an archive, before its format is read
	builder/common/archive-zip-names.c archive the names in a zip's directory
	builder/common/archive.c archive tar, cpio, ar and zip
	builder/common/qcow2.c qcow2 the header of a disk image
	builder/common/unpack-xz.c archive xz and lzma
	builder/common/unpack-zstd.c archive zstd
	builder/disk/device-line.c device what a disk tells about itself
	builder/disk/device-use.c device mounts and swaps, whose paths anybody may choose
	builder/disk/device.c device page 0x80 of a disk, udev's database
	builder/disk/disk-content.c content the first bytes of a file that is taken for a disk image
	builder/disk/image-sums.c sums the SHA256SUMS beside an image
	builder/disk/medium-ids.c medium the GPT, the FAT and the label of an image
	builder/disk/ptable.c ptable the partition table of a disk
	builder/input/fetch-response.c registry headers of an HTTP server
	builder/input/lock-read.c lock recipe.lock
	builder/input/lock.c lock the entries of recipe.lock
	builder/input/netrc.c netrc a file of passwords
	builder/rack/rack-console.c console the serial console of a guest
	builder/recipe/config-text.c config-text the host.cfg or rack.cfg on a medium
	builder/recipe/container-name.c registry the name of a container image
	builder/recipe/recipe.c recipe a recipe
	builder/root/container-digest.c container digests of images, and what a signature has
	builder/root/container-json.c container manifests and configurations of container images
	builder/root/index.c units links of a base
	builder/root/unit-environment.c units the same, for EnvironmentFile=
	builder/root/unit-links.c units unit files of a base
	firstboot/model/cmdline-word.c cmdline the kernel command line
	firstboot/feature/etcd.c etcd values of etcd
	firstboot/json-scan.c etcd JSON of etcd and the API server
	firstboot/model/conf.c host files of libconfig
	firstboot/model/host-check.c host host.cfg
	firstboot/model/rack-hosts.c hosts the hosts of the rack, for templates
	firstboot/model/secret-entry.c host the entries of secrets
	firstboot/model/template.c template values of hosts in a template
	firstboot/model/template-parse.c template a template of a recipe
	firstboot/model/template-yaml.c template the YAML of a template
	firstboot/owner.c owner the mark of a state disk, which may be another machine's
	lib/csv.c csv a table of hosts
	lib/scratch.c scratch the record of a temporary folder, which a power cut may have damaged
	lib/text.c text texts from elsewhere that are shown
	lib/url.c text URLs
	pxe/access.c access the access log of nginx
	pxe/cpio-read.c cpio the archive of a host in a boot tree
	pxe/dhcp-log.c discover the logs of dnsmasq and Kea
	pxe/discover.c discover what unknown machines say in the log of nginx
	pxe/image-check.c sums the SHA256SUMS of an image
	pxe/image-json.c manifest the manifest.json of an image
	pxe/image.c manifest the folder of an image
	pxe/port-map.c discover the table of switches and ports
	pxe/rack-expand.c rack entries of a rack file that stand for many hosts
	pxe/rack-keys.c rack the keys of a rack file that host.cfg does not have
	pxe/rack-range.c rack ranges of numbers
	pxe/rack-secrets.c rack the secrets of a rack file
	pxe/rack-strangers.c rack what machines get that are no hosts
	pxe/rack.c rack a rack file
	pxe/secret.c tree the secret of a boot tree
	pxe/status.c report the report of a host
	pxe/tail.c watch a log that grows
	pxe/tracker.c watch the logs of dnsmasq, Kea and nginx
	pxe/tree-info.c tree the tree.cfg of a boot tree
	pxe/watch.c watch the logs of dnsmasq, Kea and nginx
	END
}

git rev-parse --is-inside-work-tree >/dev/null 2>&1 ||
	{ skip "parsers" "not a git work tree: the list of files is unknown"; finish; }
git ls-files 'test/fuzz/fuzz-*.c' | sed 's|.*/fuzz-||; s|\.c$||' | sort >"$WORK/targets"
git ls-files 'test/fuzz/corpus/*' | cut -d/ -f4 | sort -u >"$WORK/corpora"
parsers | cut -d' ' -f2 | sort -u >"$WORK/table"
[ "$(wc -l <"$WORK/targets")" -gt 20 ] || bail "only $(wc -l <"$WORK/targets") targets are found"

# Prints the rows without a source, and those without a text.
wrong_rows() {
	local source target what
	parsers | while read -r source target what; do
		[ -e "$source" ] && [ -n "$what" ] || echo "$source $target"
	done
	parsers | cut -d' ' -f1 | sort | uniq -d
}

# Prints the targets that include no header of a source in the table.
wrong_targets() {
	local target source
	while read -r target; do
		parsers | while read -r source row _; do
			[ "$row" != "$target" ] || echo "#include \"${source%.c}.h\""
		done >"$WORK/headers"
		cat "test/fuzz/fuzz-$target.c" test/fuzz/fuzz-plan.h | grep -qxFf "$WORK/headers" || echo "$target"
	done <"$WORK/table"
}

quiet "every row has a source, once, and says what it reads" wrong_rows
quiet "every target in the table exists" comm -13 "$WORK/targets" "$WORK/table"
quiet "every target is in the table" comm -23 "$WORK/targets" "$WORK/table"
quiet "every target has a corpus" comm -23 "$WORK/targets" "$WORK/corpora"
quiet "every corpus has a target" comm -13 "$WORK/targets" "$WORK/corpora"
quiet "every target reads one of its sources" wrong_targets
finish
