# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What comes with a node: the images of build/images, and the payloads of /usr/share/nereid/examples, as their README says."""

import gzip
import hashlib
import io
import json
import re
import tarfile

import pytest

from machine import BUILD, RUN
from zones import await_running, wait_for

IMAGES = BUILD / "images"
EXAMPLES = "/usr/share/nereid/examples"
OCI = "application/vnd.oci.image."


@pytest.fixture(scope="module")
def debian():
    """The manifest of the Debian image, and its file."""
    (path,) = IMAGES.glob("debian-13-*.imgmanifest")
    return json.loads(path.read_text()), path.with_name(path.name.replace(".imgmanifest", ".tar.zst"))


def test_the_debian_image_is_what_its_manifest_says(debian):
    manifest, path = debian
    data = path.read_bytes()
    assert manifest["files"] == [{"sha1": hashlib.sha1(data).hexdigest(), "size": len(data), "compression": "zstd"}]
    assert (manifest["name"], manifest["type"], manifest["os"], manifest["v"]) == ("debian-13", "lx-dataset", "linux", 2)
    assert path.name == f"debian-13-{manifest['version']}.tar.zst"
    assert len(data) < 40 << 20, "small is what it is for"


# ---- the OCI archive, by the image specification ----

@pytest.fixture(scope="module")
def archive():
    """Name and contents of every file in it."""
    with tarfile.open(IMAGES / "httpd.oci.tar") as tar:
        return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}


def blob(archive, descriptor, media_type):
    """What a descriptor points to; all it says must be so."""
    assert descriptor["mediaType"] == OCI + media_type
    algorithm, digest = descriptor["digest"].split(":")
    data = archive[f"blobs/{algorithm}/{digest}"]
    assert algorithm == "sha256" and hashlib.sha256(data).hexdigest() == digest and len(data) == descriptor["size"]
    return data


def test_the_oci_archive_is_a_layout(archive):
    assert json.loads(archive["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads(archive["index.json"])
    assert (index["schemaVersion"], index["mediaType"]) == (2, OCI + "index.v1+json")
    (descriptor,) = index["manifests"]
    assert descriptor["platform"] == {"architecture": "amd64", "os": "linux"}
    assert descriptor["annotations"] == {"org.opencontainers.image.ref.name": "latest"}
    manifest = json.loads(blob(archive, descriptor, "manifest.v1+json"))
    assert (manifest["schemaVersion"], manifest["mediaType"]) == (2, OCI + "manifest.v1+json")
    config = json.loads(blob(archive, manifest["config"], "config.v1+json"))
    assert (config["architecture"], config["os"], config["rootfs"]["type"]) == ("amd64", "linux", "layers")
    assert len(config["history"]) == len(manifest["layers"]) == len(config["rootfs"]["diff_ids"]) == 2
    named = {d["digest"].split(":")[1] for d in (descriptor, manifest["config"], *manifest["layers"])}
    assert {f"blobs/sha256/{n}" for n in named} == set(archive) - {"oci-layout", "index.json"}


def test_the_layers_hold_what_the_configuration_starts(archive):
    manifest = json.loads(blob(archive, json.loads(archive["index.json"])["manifests"][0], "manifest.v1+json"))
    config = json.loads(blob(archive, manifest["config"], "config.v1+json"))
    files = {}
    for descriptor, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"]):
        tar = gzip.decompress(blob(archive, descriptor, "layer.v1.tar+gzip"))
        assert "sha256:" + hashlib.sha256(tar).hexdigest() == diff_id
        with tarfile.open(fileobj=io.BytesIO(tar)) as layer:
            for member in layer:
                assert (member.uid, member.gid) == (0, 0) and not member.name.startswith(("/", "..")), member.name
                files[member.name.removeprefix("./")] = member
    run = config["config"]
    assert run["Entrypoint"] == ["/usr/bin/serve"] and run["Cmd"] == ["/srv/www"] and run["WorkingDir"] == "/srv/www"
    assert "PATH=/usr/bin:/bin" in run["Env"] and run["User"] == "www" and run["StopSignal"] == "SIGTERM"
    assert files["usr/bin/serve"].mode & 0o111 and files["bin/busybox"].mode & 0o111 and files["bin/httpd"].issym()
    assert files["srv/www/index.html"].isfile() and files["etc/passwd"].isfile() and files["tmp"].mode == 0o1777
    assert "usr/share/doc/busybox-static/copyright" in files


# ---- the examples ----

@pytest.fixture(scope="module")
def node(module_machine, debian):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    manifest, path = debian
    m.push(json.dumps(manifest), "/var/tmp/debian-13-VERSION.imgmanifest")
    m.push(path, "/var/tmp/debian-13-VERSION.tar.zst")
    return m


def test_the_readme_says_how(node):
    """Its lines are run as they stand; what has no place in a script is left out."""
    lines = [line.strip() for line in node.ok("cat", f"{EXAMPLES}/README").split("\n") if line.startswith("    ")]
    script = "\n".join(line for line in lines if not line.startswith("zlogin"))
    assert len(lines) - script.count("\n") == 2
    said = node.sh(f"cd /var/tmp\n{script}", timeout=300)
    assert {"web0", "deb0"} <= set(said.split())


def test_every_example_runs(node):
    """Those that the README has not made are made; what they say is so."""
    image = node.ok("imgadm", "list", "-Ho", "uuid", "name=debian-13")
    for name in node.ok("sh", "-c", f"cd {EXAMPLES} && ls *.json").split():
        text = node.ok("cat", f"{EXAMPLES}/{name}").replace("00000000-0000-0000-0000-000000000000", image)
        want = json.loads(text)
        if node.run("vmadm", "lookup", "-1", f"alias={want['alias']}")[0] != 0:
            node.ok("vmadm", "create", stdin=text.encode())
        uuid = node.ok("vmadm", "lookup", "-1", f"alias={want['alias']}")
        await_running(node, uuid)
        vm = json.loads(node.ok("vmadm", "get", uuid))
        assert {k: vm[k] for k in want if k != "delegate_dataset"} == {k: v for k, v in want.items() if k != "delegate_dataset"}
        assert vm["state"] == "running" and node.ok("zlogin", uuid, "hostname") == want["hostname"]
    work = node.ok("vmadm", "lookup", "-1", "alias=work0")
    assert node.ok("zlogin", work, "cat /etc/motd") == "work0 of role worker"
    assert re.search(f"zones/{work}/data", node.ok("zlogin", work, "zfs list -Ho name", timeout=RUN))


def test_the_oci_archive_serves(node):
    """It is installed, and a machine of it does what its configuration says."""
    node.push(IMAGES / "httpd.oci.tar", "/var/tmp/httpd.oci.tar")
    said = node.ok("imgadm", "install", "-f", "/var/tmp/httpd.oci.tar", "httpd:1")
    image = re.search(r"[0-9a-f-]{36}", said.strip().split("\n")[-1]).group()
    assert image in node.ok("imgadm", "list", "--docker", "-Ho", "uuid").split()
    vm = json.loads(node.ok("imgadm", "get", image))["manifest"]
    assert vm["type"] == "docker" and vm["tags"]["docker:config"]["Cmd"] == ["/srv/www"]
    payload = {"brand": "lx", "docker": True, "alias": "httpd0", "image_uuid": image, "ram": 64, "kernel_version": "6.12.0"}
    node.ok("vmadm", "create", stdin=json.dumps(payload).encode())
    vm = node.ok("vmadm", "lookup", "-1", "alias=httpd0")
    wait_for(node, f"zlogin {vm} /bin/busybox wget -qO- http://127.0.0.1:8080/ >/dev/null 2>&1")
    page = node.ok("zlogin", vm, "/bin/busybox wget -qO- http://127.0.0.1:8080/")
    assert page == node.ok("cat", f"/zones/{vm}/root/srv/www/index.html") and "<title>Nereid" in page
    assert json.loads(node.ok("vmadm", "get", vm))["docker"] is True
    node.ok("vmadm", "stop", vm)
    node.ok("vmadm", "delete", vm)
