#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
#
# examples.sh BUILD: vmadm takes every payload of /usr/share/nereid/examples, and their README names each.
examples=$(dirname "$0")/../../live/overlay/usr/share/nereid/examples
failed=0
for file in "$examples"/*.json; do
	said=$("$1/cmd/vmadm/vmadm" validate create -f "$file" 2>&1) || {
		echo "not ok: vmadm validate create -f $file: $said"
		failed=1
	}
	grep -q "^${file##*/} " "$examples/README" || {
		echo "not ok: $examples/README does not say what ${file##*/} is"
		failed=1
	}
done
exit $failed
