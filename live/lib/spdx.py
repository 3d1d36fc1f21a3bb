# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Prints an SPDX 2.3 document: every Debian package in a root with its version and licences.

Usage: spdx.py ROOT VERSIONS, where VERSIONS lists name=version of what was unpacked without dpkg."""
import json
import pathlib
import re
import sys

SPDX = {  # Debian's short names that differ from SPDX's
    "GPL-1": "GPL-1.0-only", "GPL-1+": "GPL-1.0-or-later", "GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later",
    "GPL-3": "GPL-3.0-only", "GPL-3+": "GPL-3.0-or-later", "LGPL-2": "LGPL-2.0-only", "LGPL-2+": "LGPL-2.0-or-later",
    "LGPL-2.0+": "LGPL-2.0-or-later", "LGPL-2.1": "LGPL-2.1-only", "LGPL-2.1+": "LGPL-2.1-or-later",
    "LGPL-3": "LGPL-3.0-only", "LGPL-3+": "LGPL-3.0-or-later", "Expat": "MIT", "BSD-2-clause": "BSD-2-Clause",
    "BSD-3-clause": "BSD-3-Clause", "BSD-4-clause": "BSD-4-Clause", "Apache-2": "Apache-2.0", "CDDL-1": "CDDL-1.0",
    "MPL-2": "MPL-2.0", "ISC": "ISC", "zlib": "Zlib", "Zlib": "Zlib", "Artistic": "Artistic-1.0-Perl",
}


def stanzas(path):
    for block in path.read_text(errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", block, re.M))
        if fields.get("Package"):
            yield fields


def licences(copyright_file):
    """The licence names a machine-readable copyright file gives; none where it is free text."""
    try:
        text = copyright_file.read_text(errors="replace")
    except OSError:
        return []
    names = set()
    for line in re.findall(r"^License:[ \t]*(\S.*)$", text, re.M):
        for name in re.split(r"\s+(?:and|or|and/or|with)\s+|[,|()\s]+", line):
            if name and re.fullmatch(r"[A-Za-z0-9.+-]+", name) and name not in ("and", "or", "exception"):
                names.add(name)
    if not names:  # free text that points at a common licence
        names = {p for p in re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.-]+[A-Za-z0-9])", text)}
    return sorted(names)


def spdx_id(name):
    return SPDX.get(name) or "LicenseRef-Debian-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package(name, version, names, source):
    expr = " AND ".join(sorted({spdx_id(n) for n in names})) or "NOASSERTION"
    return {
        "name": name,
        "SPDXID": "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]", "-", name),
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": expr,
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"Debian source package {source}",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{name}@{version}?arch=amd64",
        }],
    }


def main():
    root, versions = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    packages = []
    for f in stanzas(root / "var/lib/dpkg/status"):
        doc = root / "usr/share/doc" / f["Package"] / "copyright"
        packages.append(package(f["Package"], f["Version"], licences(doc), f.get("Source", f["Package"])))
    for line in versions.read_text().split():
        name, version = line.split("=")
        if name.startswith("linux-image"):
            packages.append(package(name, version, ["GPL-2"], "linux"))
        elif name == "zfs-dkms":
            packages.append(package(name, version, ["CDDL-1.0"], "zfs-linux"))
        elif "firmware" in name or "microcode" in name:
            packages.append(package(name, version, ["non-free-firmware"], name))
    refs = sorted({w for p in packages for w in re.findall(r"LicenseRef-[A-Za-z0-9.-]+", p["licenseDeclared"])})
    json.dump({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": "nereid-platform", "documentNamespace": "https://nereid.invalid/spdx/platform",
        "creationInfo": {"created": "1970-01-01T00:00:00Z", "creators": ["Tool: nereid-build"]},
        "packages": sorted(packages, key=lambda p: p["name"]),
        "hasExtractedLicensingInfos": [
            {"licenseId": r, "name": r[18:], "extractedText": "See the package's file /usr/share/doc/PACKAGE/copyright."}
            for r in refs],
    }, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
