# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""imgadm on a real pool: images from tar files and ZFS streams, what is refused, what is interrupted, and where they come from."""

import contextlib
import hashlib
import http.server
import json
import threading
import time
import uuid as uuids

import pytest

from machine import RUN
from zones import config, install_tiny, remove, tiny_root, wait_for

COUNT = 262144  # bytes of the file that makes an image large enough to be caught in the middle


def new_uuid():
    return str(uuids.uuid4())


def manifest(uuid, data=None, **more):
    m = {"v": 2, "uuid": uuid, "name": "tiny", "version": "1.0.0", "type": "lx-dataset", "os": "linux",
         "published_at": "2026-01-31T12:00:00Z", **more}
    if data is not None:
        m["files"] = [{"sha1": hashlib.sha1(data).hexdigest(), "size": len(data), **m.pop("file", {})}]
    return m


def on_node(node, path):
    """What a file of the node is, for its manifest."""
    sha1, size = node.sh(f"sha1sum <{path} | cut -d' ' -f1; stat -c %s {path}").split()
    return {"sha1": sha1, "size": int(size)}


def put_manifest(node, m, path="/var/tmp/m.json"):
    node.push(json.dumps(m), path)
    return path


def install(node, m, path, *more, timeout=RUN):
    return node.ok("imgadm", "install", *more, "-m", put_manifest(node, m), "-f", path, timeout=timeout)


def refused(node, code, error, *argv, **options):
    said = node.refused(code, *argv, **options)
    assert f"error ({error}): " in said, said
    return said


def datasets(node):
    """All there is below the pool, snapshots as well."""
    return set(node.ok("zfs", "list", "-Hr", "-t", "all", "-o", "name", "zones").split())


def listed(node, *argv):
    return node.ok("imgadm", "list", "-Ho", "uuid", *argv).split()


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    tiny_root(m)
    m.sh("cd /var/tmp/tiny && echo mark >etc/mark && chown 33:44 etc/mark && chmod u+s bin/busybox && mkdir -p dev &&"
         "mknod dev/null c 1 3 && tar -cf /var/tmp/tiny.tar .")
    m.sh("cd /var/tmp && for p in gzip bzip2 xz zstd; do $p -kc tiny.tar >tiny.tar.$p; done")
    m.sh("mkdir -p /var/tmp/layer/etc && echo layer >/var/tmp/layer/etc/layer && tar -C /var/tmp/layer -cf /var/tmp/layer.tar .")
    m.sh("zfs create -o mountpoint=/var/tmp/made zones/made && cp -a /var/tmp/tiny /var/tmp/made/root &&"
         "zfs snapshot zones/made@one && zfs send zones/made@one >/var/tmp/tiny.zfs && gzip -kc /var/tmp/tiny.zfs >/var/tmp/tiny.zfs.gz")
    yield m


@pytest.fixture
def clean(node):
    """Nothing that a test has begun and not finished stays."""
    before = datasets(node)
    yield node
    left = {d for d in datasets(node) - before if "-partial" in d}
    assert not left
    assert node.sh("ls /var/run/img.*.lock 2>/dev/null || :") == ""


def final(node, uuid, prop):
    return node.ok("zfs", "get", "-Hpo", "value", prop, f"zones/{uuid}")


def look_inside(node, uuid, script):
    """Runs a script in a clone's root, as a machine has it."""
    node.sh(f"zfs clone -o mountpoint=/var/tmp/look zones/{uuid}@final zones/look")
    try:
        return node.sh(f"cd /var/tmp/look/root; {script}")
    finally:
        node.sh("zfs destroy zones/look")


# ---- files ----

@pytest.mark.parametrize("pack", ["", "gzip", "bzip2", "xz", "zstd"])
def test_install_from_tar(clean, pack):
    node, uuid = clean, new_uuid()
    path = "/var/tmp/tiny.tar" + (pack and "." + pack)
    m = manifest(uuid, files=[on_node(node, path)])
    assert uuid in install(node, m, path)
    assert {f"zones/{uuid}", f"zones/{uuid}@final"} <= datasets(node)
    assert look_inside(node, uuid, "cat etc/mark; stat -c '%u:%g' etc/mark; stat -c %A bin/busybox; stat -c %F dev/null") == \
        "mark\n33:44\n-rwsr-xr-x\ncharacter special file"
    assert [final(node, uuid, p) for p in ("mountpoint", "canmount", "setuid", "devices", "mounted")] == \
        ["legacy", "noauto", "off", "off", "no"]
    got = json.loads(node.ok("imgadm", "get", uuid))
    assert got == {"manifest": {k: got["manifest"][k] for k in got["manifest"]}, "zpool": "zones", "source": None}
    assert got["manifest"] == m
    assert "already installed" in install(node, m, path)
    node.ok("imgadm", "delete", uuid)
    assert f"zones/{uuid}" not in datasets(node)
    assert node.sh(f"ls /var/imgadm/images/zones-{uuid}.json 2>/dev/null || :") == ""


@pytest.mark.parametrize("path", ["/var/tmp/tiny.zfs", "/var/tmp/tiny.zfs.gz"])
def test_install_from_stream(clean, path):
    node, uuid = clean, new_uuid()
    install(node, manifest(uuid, files=[{**on_node(node, path), "compression": "gzip" if path.endswith(".gz") else "none"}]), path)
    assert node.ok("zfs", "list", "-Ht", "snapshot", "-o", "name", f"zones/{uuid}") == f"zones/{uuid}@final"
    assert look_inside(node, uuid, "cat etc/mark") == "mark"
    assert [final(node, uuid, p) for p in ("mountpoint", "canmount", "setuid", "devices")] == ["legacy", "noauto", "off", "off"]
    node.ok("imgadm", "delete", uuid)


def test_install_a_volume(clean):
    node, uuid = clean, new_uuid()
    node.sh("zfs create -V 8M zones/vol && udevadm settle && echo data | dd of=/dev/zvol/zones/vol conv=fsync 2>/dev/null &&"
            "zfs snapshot zones/vol@x && zfs send zones/vol@x >/var/tmp/vol.zfs && zfs destroy -r zones/vol")
    of_zvol = {"type": "zvol", "image_size": 8, "disk_driver": "virtio", "nic_driver": "virtio"}
    refused(node, 1, "ImageFormat", "imgadm", "install", "-m",
            put_manifest(node, manifest(uuid, files=[on_node(node, "/var/tmp/vol.zfs")])), "-f", "/var/tmp/vol.zfs")
    install(node, manifest(uuid, files=[on_node(node, "/var/tmp/vol.zfs")], **of_zvol), "/var/tmp/vol.zfs")
    assert final(node, uuid, "type") == "volume" and final(node, uuid, "volmode") == "none"
    node.ok("imgadm", "delete", uuid)
    refused(node, 1, "ImageFormat", "imgadm", "install", "-m",
            put_manifest(node, manifest(uuid, files=[on_node(node, "/var/tmp/tiny.tar")], **of_zvol)), "-f", "/var/tmp/tiny.tar")


def test_an_image_on_an_image(clean):
    """An incremental stream and a tar, both on top of an installed one."""
    node, base, above, tarred = clean, new_uuid(), new_uuid(), new_uuid()
    install(node, manifest(base, files=[on_node(node, "/var/tmp/tiny.zfs")]), "/var/tmp/tiny.zfs")
    node.sh(f"zfs clone -o mountpoint=/var/tmp/look zones/{base}@final zones/look && echo more >/var/tmp/look/root/etc/more &&"
            f"zfs snapshot zones/look@y && zfs send -i zones/{base}@final zones/look@y >/var/tmp/inc.zfs && zfs destroy -r zones/look")
    m = manifest(above, files=[on_node(node, "/var/tmp/inc.zfs")])
    path = put_manifest(node, m)
    assert "no origin" in refused(node, 1, "ImageFormat", "imgadm", "install", "-m", path, "-f", "/var/tmp/inc.zfs")
    put_manifest(node, {**m, "origin": new_uuid()})
    refused(node, 3, "OriginNotInstalled", "imgadm", "install", "-m", path, "-f", "/var/tmp/inc.zfs")
    install(node, {**m, "origin": base}, "/var/tmp/inc.zfs")
    assert final(node, above, "origin") == f"zones/{base}@final"
    assert look_inside(node, above, "cat etc/more etc/mark") == "more\nmark"
    install(node, manifest(tarred, files=[on_node(node, "/var/tmp/layer.tar")], origin=above), "/var/tmp/layer.tar")
    assert look_inside(node, tarred, "cat etc/layer etc/more etc/mark") == "layer\nmore\nmark"
    lines = node.ok("imgadm", "ancestry", "-H", tarred).split("\n")
    assert [line.split()[0] for line in lines] == [tarred, above, base]
    assert f"zones/{above}" in refused(node, 1, "ImageHasDependentClones", "imgadm", "delete", base)
    children = json.loads(node.ok("imgadm", "get", "-r", base))["children"]
    assert children == {"snapshots": [f"zones/{base}@final"], "clones": [f"zones/{above}"]}
    assert node.ok("imgadm", "list", "-Ho", "clones", f"uuid={base}") == "1"
    for uuid in (tarred, above, base):
        node.ok("imgadm", "delete", uuid)


# ---- what is refused changes nothing ----

def test_broken_files(clean):
    node, uuid = clean, new_uuid()
    before = datasets(node)
    good = on_node(node, "/var/tmp/tiny.tar.gzip")
    node.sh("cd /var/tmp && head -c 1000 tiny.tar.gzip >cut.gz && head -c 100000 tiny.zfs >cut.zfs && echo hello >text && : >empty")
    cases = [
        ("ChecksumMismatch", "/var/tmp/tiny.tar.gzip", {**good, "sha1": "0" * 40}),
        ("SizeMismatch", "/var/tmp/cut.gz", good),
        ("UncompressionError", "/var/tmp/cut.gz", on_node(node, "/var/tmp/cut.gz")),
        ("UncompressionError", "/var/tmp/tiny.tar.gzip", {**good, "compression": "xz"}),
        ("ReceiveError", "/var/tmp/cut.zfs", on_node(node, "/var/tmp/cut.zfs")),
        ("ImageFormat", "/var/tmp/text", on_node(node, "/var/tmp/text")),
        ("ImageFormat", "/var/tmp/empty", on_node(node, "/var/tmp/empty")),
        ("FileOpen", "/var/tmp/none", good),
        ("FileRead", "/var/tmp", good),
    ]
    for code, path, file in cases:
        m = put_manifest(node, manifest(uuid, files=[file]))
        assert path in refused(node, 1, code, "imgadm", "install", "-m", m, "-f", path)
        assert datasets(node) == before
    refused(node, 3, "ImageNotInstalled", "imgadm", "get", uuid)


def test_a_stream_without_a_root(clean):
    node, uuid = clean, new_uuid()
    node.sh("zfs create zones/bare && zfs snapshot zones/bare@x && zfs send zones/bare@x >/var/tmp/bare.zfs &&"
            "zfs snapshot zones/bare@y && zfs send -R zones/bare@y >/var/tmp/two.zfs && zfs destroy -r zones/bare")
    for code, path in (("ImageFormat", "/var/tmp/bare.zfs"), ("UnexpectedNumberOfSnapshots", "/var/tmp/two.zfs")):
        m = put_manifest(node, manifest(uuid, files=[on_node(node, path)]))
        refused(node, 1, code, "imgadm", "install", "-m", m, "-f", path)
        assert not [d for d in datasets(node) if uuid in d]


def test_bad_manifests(clean):
    node, uuid = clean, new_uuid()
    for m, code, says in (({"v": 2}, "ManifestValidation", "uuid"), ({**manifest(uuid), "nmae": "x"}, "ManifestValidation", "name"),
                          ([], "ManifestValidation", "object")):
        said = refused(node, 1, code, "imgadm", "install", "-m", put_manifest(node, m), "-f", "/var/tmp/tiny.tar")
        assert says in said and "/var/tmp/m.json" in said
    node.push("{", "/var/tmp/m.json")
    refused(node, 1, "InvalidManifest", "imgadm", "install", "-m", "/var/tmp/m.json", "-f", "/var/tmp/tiny.tar")
    refused(node, 1, "FileOpen", "imgadm", "install", "-m", "/none", "-f", "/var/tmp/tiny.tar")
    refused(node, 2, "Usage", "imgadm", "install", "-m", "/var/tmp/m.json")
    refused(node, 1, "PoolNotFound", "imgadm", "install", "-P", "nopool", "-m", put_manifest(node, manifest(uuid)), "-f", "/var/tmp/tiny.tar")


def test_something_else_is_there(clean):
    node, uuid = clean, new_uuid()
    node.sh(f"zfs create zones/{uuid}")
    m = put_manifest(node, manifest(uuid, files=[on_node(node, "/var/tmp/tiny.tar")]))
    refused(node, 1, "DatasetExists", "imgadm", "install", "-m", m, "-f", "/var/tmp/tiny.tar")
    refused(node, 3, "ImageNotInstalled", "imgadm", "delete", uuid)
    node.sh(f"zfs destroy zones/{uuid}")


def test_a_record_without_a_dataset_is_no_image(clean):
    node, uuid = clean, new_uuid()
    m = manifest(uuid, files=[on_node(node, "/var/tmp/tiny.tar")])
    install(node, m, "/var/tmp/tiny.tar")
    node.sh(f"zfs destroy -r zones/{uuid}")
    assert uuid not in listed(node)
    refused(node, 3, "ImageNotInstalled", "imgadm", "get", uuid)
    install(node, m, "/var/tmp/tiny.tar")
    assert uuid in listed(node)
    node.ok("imgadm", "delete", uuid)


def test_a_full_pool(clean):
    node, uuid = clean, new_uuid()
    node.sh("head -c 100M /dev/urandom >/var/tmp/big && tar -C /var/tmp -cf /var/tmp/big.tar big")
    m = put_manifest(node, manifest(uuid, files=[on_node(node, "/var/tmp/big.tar")]))
    before = datasets(node)
    free = int(node.ok("zfs", "get", "-Hpo", "value", "available", "zones"))
    node.sh(f"zfs create -o refreservation={free - (60 << 20)} zones/full")
    try:
        said = refused(node, 1, "UncompressionError", "imgadm", "install", "-m", m, "-f", "/var/tmp/big.tar")
        assert "space" in said.lower()
    finally:
        node.sh("zfs destroy zones/full")
    assert datasets(node) == before


# ---- interrupted, and at the same time ----

@pytest.fixture(scope="module")
def slow(node):
    """An image that takes its time."""
    node.sh(f"mkdir -p /var/tmp/many && cd /var/tmp/many && for d in $(seq 40); do mkdir -p $d; for f in $(seq 200); do "
            f"echo $d.$f >$d/$f; done; done; head -c {COUNT} /dev/urandom >rand; tar -cf /var/tmp/many.tar . ; xz -0 -k /var/tmp/many.tar")
    return on_node(node, "/var/tmp/many.tar.xz")


def partial(uuid):
    return f"zfs list -H zones/{uuid}-partial >/dev/null 2>&1"


@pytest.mark.parametrize("signal", ["KILL", "INT", "TERM"])
def test_ended_in_the_middle(node, slow, signal):
    uuid = new_uuid()
    m = put_manifest(node, manifest(uuid, files=[slow]))
    node.sh(f"setsid imgadm install -m {m} -f /var/tmp/many.tar.xz >/var/tmp/out 2>&1 & echo $! >/var/tmp/pid; disown 2>/dev/null || :")
    wait_for(node, partial(uuid))
    # A terminal's ^C reaches the children as well; those of who is killed must end by themselves.
    node.sh(f"kill -{signal} {'-' if signal == 'INT' else ''}$(cat /var/tmp/pid)")
    node.sh("while kill -0 $(cat /var/tmp/pid) 2>/dev/null; do sleep 0.1; done")
    assert uuid not in listed(node)
    if signal != "KILL":
        assert "error (Interrupted)" in node.ok("cat", "/var/tmp/out")
        assert node.run("sh", "-c", partial(uuid))[0] != 0
    wait_for(node, "! pgrep -x 'tar|xz|zfs'")
    # Any other change clears it away.
    other = new_uuid()
    install(node, manifest(other, files=[on_node(node, "/var/tmp/tiny.tar")]), "/var/tmp/tiny.tar")
    assert node.run("sh", "-c", partial(uuid))[0] != 0
    node.ok("imgadm", "delete", other)
    install(node, manifest(uuid, files=[slow]), "/var/tmp/many.tar.xz", timeout=300)
    node.ok("imgadm", "delete", uuid)


def test_twice_at_once(clean, slow):
    node, uuid = clean, new_uuid()
    m = put_manifest(node, manifest(uuid, files=[slow]))
    out = node.sh(f"for i in 1 2 3; do imgadm install -m {m} -f /var/tmp/many.tar.xz 2>&1 & done; wait", timeout=300)
    assert out.count("Installed image") == 1 and out.count("is already installed") == 2, out
    assert out.count("waiting for it") == 2, out
    node.ok("imgadm", "delete", uuid)


def test_faults_at_every_step(node):
    """Whatever fails, nothing is left; after the last point it succeeds."""
    uuid = new_uuid()
    m = put_manifest(node, manifest(uuid, files=[on_node(node, "/var/tmp/tiny.zfs.gz")]))
    before = datasets(node)
    for n in range(1, 40):
        code, _, err = node.run("env", f"NEREID_FAULT={n}", "imgadm", "install", "-m", m, "-f", "/var/tmp/tiny.zfs.gz")
        if code == 0:
            break
        assert "error (Fault)" in err and code == 1
        assert datasets(node) == before, f"fault {n}: {err}"
    assert code == 0 and n > 5
    node.ok("imgadm", "delete", uuid)


# ---- listings ----

def test_list_and_filters(clean):
    node = clean
    a, b = new_uuid(), new_uuid()
    tar = on_node(node, "/var/tmp/tiny.tar")
    install(node, manifest(a, files=[tar], name="alpha", public=True), "/var/tmp/tiny.tar")
    install(node, manifest(b, files=[tar], name="beta", published_at="2025-01-31T12:00:00.500Z", os="other"), "/var/tmp/tiny.tar")
    head, *rows = node.ok("imgadm", "list").split("\n")
    assert head.split() == ["UUID", "NAME", "VERSION", "OS", "TYPE", "PUB"]
    assert [r.split() for r in rows] == [[b, "beta", "1.0.0", "other", "lx-dataset", "2025-01-31"],
                                         [a, "alpha", "1.0.0", "linux", "lx-dataset", "2026-01-31"]]
    assert listed(node, "-s", "name") == [a, b] and listed(node, "-s", "-name") == [b, a]
    assert listed(node, "name=alpha") == [a] and listed(node, "name=~et") == [b] and listed(node, "public=true") == [a]
    assert listed(node, "name=alpha", "os=other") == []
    assert node.ok("imgadm", "list", "-Ho", "published,size,zpool,clones,source", f"uuid={b}").split() == \
        ["2025-01-31T12:00:00Z", str(tar["size"]), "zones", "0", "-"]
    both = json.loads(node.ok("imgadm", "list", "-j"))
    assert [o["manifest"]["uuid"] for o in both] == [b, a] and both[0]["zpool"] == "zones" and both[0]["clones"] == 0
    assert "did you mean name" in refused(node, 2, "Usage", "imgadm", "list", "nam=x")
    refused(node, 2, "Usage", "imgadm", "list", "-o", "nothing")
    refused(node, 2, "Usage", "imgadm", "list", "name")
    for uuid in (a, b):
        node.ok("imgadm", "delete", uuid)


def test_codes(node):
    uuid = new_uuid()
    for verb in ("get", "info", "delete", "destroy", "ancestry"):
        said = refused(node, 3, "ImageNotInstalled", "imgadm", verb, uuid)
        assert said == f"imgadm {verb}: error (ImageNotInstalled): image {uuid} is not installed"
        refused(node, 2, "InvalidUUID", "imgadm", verb, "../../etc")
        refused(node, 2, "Usage", "imgadm", verb)
    assert node.ok("imgadm", "--version") == "imgadm 3.0.0"
    code, out, err = node.run("imgadm", "-E", "get", uuid)
    last = json.loads(err.strip().split("\n")[-1])
    assert code == 3 and out == "" and last == {"message": f"image {uuid} is not installed", "code": "ImageNotInstalled",
                                                "exitStatus": 3}
    refused(node, 2, "Usage", "imgadm", "frobnicate")
    refused(node, 2, "Usage", "imgadm")


# ---- sources ----

class ImageServer(http.server.BaseHTTPRequestHandler):
    """As much of IMGAPI as imgadm asks for. The class's owner holds what it has."""
    images: dict   # uuid -> manifest
    files: dict    # uuid -> bytes
    log: list
    cut = False    # files end in the middle
    pause = 0      # seconds before a file

    def answer(self, data, status=200):
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if self.cut and isinstance(data, bytes) else body)

    def do_GET(self):
        self.log.append(self.path)
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts == ["ping"]:
            return self.answer({"ping": "pong", "imgapi": True})
        if parts == ["images"]:
            return self.answer(list(self.images.values()))
        if len(parts) > 1 and parts[1] not in self.images:
            return self.answer({"code": "ResourceNotFound"}, 404)
        if len(parts) == 2:
            return self.answer(self.images[parts[1]])
        time.sleep(self.pause)
        return self.answer(self.files[parts[1]])

    def do_POST(self):
        self.log.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        uuid = self.path.split("?")[0].split("/")[2]
        if "action=import" in self.path:
            if uuid in self.images:
                return self.answer({"code": "ImageUuidAlreadyExists", "message": "it is here"}, 409)
            self.images[uuid] = {**json.loads(body), "state": "unactivated"}
            self.images[uuid].pop("files", None)
        else:
            self.images[uuid]["state"] = "active"
        self.answer(self.images[uuid])

    def do_PUT(self):
        self.log.append(self.path)
        data = self.rfile.read(int(self.headers["Content-Length"]))
        uuid = self.path.split("?")[0].split("/")[2]
        self.files[uuid] = data
        self.images[uuid]["files"] = [{"sha1": hashlib.sha1(data).hexdigest(), "size": len(data)}]
        self.answer(self.images[uuid])

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def image_server():
    handler = type("Handler", (ImageServer,), {"images": {}, "files": {}, "log": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        handler.url = f"http://10.0.2.2:{server.server_port}"
        try:
            yield handler
        finally:
            server.shutdown()


@pytest.fixture
def server(clean):
    """An image server that is the node's only source."""
    clean.online()
    with image_server() as s:
        clean.sh("rm -f /var/imgadm/imgadm.conf")
        clean.ok("imgadm", "sources", "-d", "https://images.smartos.org")
        clean.ok("imgadm", "sources", "-a", s.url)
        yield s
        clean.sh("rm -f /var/imgadm/imgadm.conf")


def pull(node, path):
    code, out, err = node.run("base64", path)
    assert code == 0, err
    import base64
    return base64.b64decode(out)


def offer(server, data, **more):
    uuid = new_uuid()
    server.images[uuid] = manifest(uuid, data, **more)
    server.files[uuid] = data
    return uuid


def test_sources(clean):
    node = clean
    node.sh("rm -f /var/imgadm/imgadm.conf")
    assert node.ok("imgadm", "sources") == "https://images.smartos.org"
    assert json.loads(node.ok("imgadm", "sources", "-j")) == [{"url": "https://images.smartos.org", "type": "imgapi", "insecure": False}]
    refused(node, 1, "SourcePing", "imgadm", "sources", "-a", "http://127.0.0.1:9/")
    assert "Added" in node.ok("imgadm", "sources", "-f", "-a", "http://127.0.0.1:9/")
    assert "no change" in node.ok("imgadm", "sources", "-f", "-a", "http://127.0.0.1:9")
    refused(node, 1, "SourceUrl", "imgadm", "sources", "-a", "file:relative")
    refused(node, 1, "HttpUrl", "imgadm", "sources", "-a", "ftp://x/")
    refused(node, 1, "SourceType", "imgadm", "sources", "-a", "https://docker.io", "-t", "podman")
    refused(node, 1, "SourceType", "imgadm", "sources", "-a", "file:///x", "-t", "docker")
    refused(node, 2, "Usage", "imgadm", "sources", "-t", "imgapi")
    refused(node, 1, "SourceNotFound", "imgadm", "sources", "-d", "http://nowhere")
    node.push("#!/bin/sh\nprintf 'http://127.0.0.1:9 dsapi\\nfile:///var/tmp\\n' >\"$1\"\n", "/var/tmp/editor", 0o755)
    node.ok("env", "EDITOR=/var/tmp/editor", "imgadm", "sources", "-e")
    assert [line.split() for line in node.ok("imgadm", "sources", "-v").split("\n")[1:]] == \
        [["dsapi", "http://127.0.0.1:9"], ["dir", "file:///var/tmp"]]
    node.push("#!/bin/sh\necho gopher://x >\"$1\"\n", "/var/tmp/editor", 0o755)
    assert "nothing was changed" in refused(node, 1, "HttpUrl", "env", "EDITOR=/var/tmp/editor", "imgadm", "sources", "-e")
    code, out, err = node.run("imgadm", "sources", "-c")
    assert code == 1 and "file:///var/tmp: ok" in out and "error (SourcePing): 1 of 2" in err
    node.push("{", "/var/imgadm/imgadm.conf")
    assert "imgadm.conf" in refused(node, 1, "ConfigError", "imgadm", "sources")
    node.push('{"sources": [], "userAgentExtra": "x"}', "/var/imgadm/imgadm.conf")
    refused(node, 1, "NoSources", "imgadm", "import", new_uuid())
    node.ok("imgadm", "sources", "-a", "file:///var/tmp")
    assert json.loads(node.ok("cat", "/var/imgadm/imgadm.conf"))["userAgentExtra"] == "x"
    node.sh("rm /var/imgadm/imgadm.conf")


def test_import(server, clean):
    node = clean
    data = pull(node, "/var/tmp/tiny.tar.gzip")
    uuid = offer(server, data, later_field={"x": 1})
    other = offer(server, data, name="other", published_at="2025-01-01T00:00:00Z")
    server.images["bad"] = {"uuid": "bad"}
    code, out, err = node.run("imgadm", "avail", "-H", "-o", "uuid,name")
    assert code == 0 and out.split() == [other, "other", uuid, "tiny"] and "left out" in err
    assert json.loads(node.ok("imgadm", "show", uuid))["name"] == "tiny"
    refused(node, 1, "ImageNotFound", "imgadm", "show", new_uuid())
    refused(node, 1, "ImageNotFound", "imgadm", "import", new_uuid())
    said = node.ok("imgadm", "import", uuid)
    assert "Importing" in said and "Imported" in said
    assert json.loads(node.ok("imgadm", "get", uuid))["source"] == server.url
    assert look_inside(node, uuid, "cat etc/mark") == "mark"
    assert "already installed" in node.ok("imgadm", "import", uuid)
    assert node.ok("imgadm", "import", "-q", "-C", "dev", other) == ""
    assert any("channel=dev" in p for p in server.log)
    assert node.sh("ls -A /var/tmp/.imgadm-downloads") == ""
    for u in (uuid, other):
        node.ok("imgadm", "delete", u)


def test_import_with_what_it_builds_on(server, clean):
    node = clean
    base = offer(server, pull(node, "/var/tmp/tiny.tar.gzip"))
    layer = pull(node, "/var/tmp/layer.tar")
    middle = offer(server, layer, origin=base)
    top = offer(server, layer, origin=middle)
    node.ok("imgadm", "import", top)
    assert node.ok("imgadm", "ancestry", "-Ho", "uuid", top).split() == [top, middle, base]
    orphan = offer(server, layer, origin=new_uuid())
    refused(node, 1, "OriginNotFoundInSource", "imgadm", "import", orphan)
    assert node.ok("imgadm", "vacuum", "-n").count("Would delete") == 3
    refused(node, 2, "Usage", "imgadm", "vacuum")
    node.sh(f"zfs clone -o mountpoint=none zones/{middle}@final zones/user")
    assert node.ok("imgadm", "vacuum", "-f").split()[2] == top
    assert set(listed(node)) == {middle, base}
    node.sh("zfs destroy zones/user")
    node.ok("imgadm", "vacuum", "-f")
    assert listed(node) == []


def test_import_refused(server, clean):
    node = clean
    data = pull(node, "/var/tmp/tiny.tar.gzip")
    before = datasets(node)
    wrong = offer(server, data)
    server.files[wrong] = data[:-1] + b"x"
    refused(node, 1, "DownloadError", "imgadm", "import", "-q", wrong)
    server.files[wrong] = data + b"x"
    refused(node, 1, "HttpTooBig", "imgadm", "import", "-q", wrong)
    server.files[wrong] = data
    server.cut = True
    refused(node, 1, "HttpBroken", "imgadm", "import", "-q", wrong)
    server.cut = False
    newer = offer(server, data, requirements={"min_platform": {"7.0": "29990101T000000Z"}})
    refused(node, 1, "MinPlatform", "imgadm", "import", "-q", newer)
    older = offer(server, data, requirements={"max_platform": {"7.0": "20010101T000000Z"}})
    refused(node, 1, "MaxPlatform", "imgadm", "import", "-q", older)
    assert datasets(node) == before and node.sh("ls -A /var/tmp/.imgadm-downloads") == ""


def test_two_imports_at_once(server, clean):
    node = clean
    uuid = offer(server, pull(node, "/var/tmp/tiny.tar.gzip"))
    server.pause = 3
    node.sh(f"for i in 1 2; do imgadm import {uuid} & done; wait")
    assert len([p for p in server.log if p.endswith("/file")]) == 1
    node.ok("imgadm", "delete", uuid)


def test_interrupted_download(server, clean):
    node = clean
    uuid = offer(server, pull(node, "/var/tmp/tiny.tar.gzip"))
    server.pause = 6
    node.sh(f"(setsid imgadm import {uuid} >/var/tmp/out 2>&1 || echo $? >>/var/tmp/out) & sleep 2; kill -INT $(pgrep -x imgadm)")
    wait_for(node, "tail -n 1 /var/tmp/out | grep -qx 1")
    assert "error (Interrupted)" in node.ok("cat", "/var/tmp/out")
    server.pause = 0
    node.ok("imgadm", "import", uuid)
    node.ok("imgadm", "delete", uuid)


def test_a_directory_is_a_source(clean):
    node, uuid = clean, new_uuid()
    node.sh("mkdir -p /var/tmp/shelf && cp /var/tmp/tiny.tar.zstd /var/tmp/shelf/tiny.tar.zst && echo x >/var/tmp/shelf/bad.imgmanifest")
    put_manifest(node, manifest(uuid, files=[on_node(node, "/var/tmp/shelf/tiny.tar.zst")]), "/var/tmp/shelf/tiny.imgmanifest")
    node.sh("rm -f /var/imgadm/imgadm.conf")
    node.ok("imgadm", "sources", "-d", "https://images.smartos.org")
    node.ok("imgadm", "sources", "-a", "file:///var/tmp/shelf/")
    assert node.ok("imgadm", "avail", "-Ho", "uuid,source").split() == [uuid, "file:///var/tmp/shelf"]
    node.ok("imgadm", "import", uuid)
    assert look_inside(node, uuid, "cat etc/mark") == "mark"
    node.ok("imgadm", "delete", uuid)
    node.sh("rm /var/tmp/shelf/tiny.tar.zst")
    refused(node, 1, "DownloadError", "imgadm", "import", "-q", uuid)
    node.sh("rm /var/imgadm/imgadm.conf")


def test_received_by_hand(server, clean):
    node = clean
    uuid = offer(server, pull(node, "/var/tmp/tiny.tar.gzip"))
    node.sh(f"zfs receive -u zones/{uuid} </var/tmp/tiny.zfs")
    assert node.ok("imgadm", "list", "-H", f"uuid={uuid}").split() == [uuid, "-", "-", "-", "-", "-"]
    assert "would" in node.ok("imgadm", "update", "-n")
    assert f"zones/{uuid}@one" in datasets(node)
    node.ok("imgadm", "update", uuid)
    assert f"zones/{uuid}@final" in datasets(node)
    assert json.loads(node.ok("imgadm", "get", uuid))["manifest"]["name"] == "tiny"
    refused(node, 3, "ImageNotInstalled", "imgadm", "update", new_uuid())
    node.ok("imgadm", "delete", uuid)


# ---- images of machines ----

@pytest.fixture(scope="module")
def machine_uuid(node):
    install_tiny(node, "made1", boot=False)
    node.sh("echo mine >/zones/made1/root/etc/mine")
    yield config(node, "made1")["uuid"]
    remove(node, "made1")


def test_create(clean, machine_uuid):
    node = clean
    node.sh("mkdir -p /var/tmp/out.d")
    node.ok("imgadm", "create", "-c", "gzip", "-o", "/var/tmp/out.d", machine_uuid, "name=my/image", "version=2.0", "public=true")
    m = json.loads(node.ok("cat", "/var/tmp/out.d/my_image-2.0.imgmanifest"))
    assert (m["name"], m["type"], m["os"], m["public"]) == ("my/image", "lx-dataset", "linux", True)
    assert m["requirements"] == {"brand": "lx"}
    assert m["files"] == [{**on_node(node, "/var/tmp/out.d/my_image-2.0.zfs.gz"), "compression": "gzip"}]
    assert node.ok("zfs", "list", "-Ht", "snapshot", "-o", "name", "zones/made1") == ""
    node.ok("imgadm", "install", "-m", "/var/tmp/out.d/my_image-2.0.imgmanifest", "-f", "/var/tmp/out.d/my_image-2.0.zfs.gz")
    assert look_inside(node, m["uuid"], "cat etc/mine") == "mine"
    refused(node, 1, "FileExists", "imgadm", "create", "-c", "gzip", "-o", "/var/tmp/out.d", machine_uuid, "name=my/image", "version=2.0")
    node.ok("imgadm", "delete", m["uuid"])


def test_create_refused(clean, machine_uuid):
    node = clean
    refused(node, 1, "VmNotFound", "imgadm", "create", new_uuid(), "name=x", "version=1")
    assert "version" in refused(node, 1, "ManifestValidation", "imgadm", "create", machine_uuid, "name=x")
    refused(node, 1, "VmHasNoOrigin", "imgadm", "create", "-i", machine_uuid, "name=x", "version=1")
    refused(node, 2, "Usage", "imgadm", "create", "-c", "lzma", machine_uuid, "name=x", "version=1")
    refused(node, 2, "Usage", "imgadm", "create", machine_uuid, "name")
    node.ok("zoneadm", "-z", "made1", "boot")
    refused(node, 1, "VmNotStopped", "imgadm", "create", machine_uuid, "name=x", "version=1")
    node.ok("zoneadm", "-z", "made1", "halt")
    full = node.run("imgadm", "create", "-o", "/dev/full/x", machine_uuid, "name=x", "version=1")
    assert full[0] == 1 and "error (FileWrite)" in full[2]
    assert node.ok("zfs", "list", "-Ht", "snapshot", "-o", "name", "zones/made1") == ""


def test_publish(server, clean, machine_uuid):
    node = clean
    node.ok("imgadm", "create", "-p", server.url, machine_uuid, "name=given", "version=1")
    (uuid, m), = server.images.items()
    assert m["state"] == "active" and m["name"] == "given"
    assert node.sh("ls -A /var/tmp | grep '^.imgadm-[0-9a-f]*-' || :") == ""
    node.ok("imgadm", "import", uuid)
    assert look_inside(node, uuid, "cat etc/mine") == "mine"
    other = manifest(new_uuid(), files=[on_node(node, "/var/tmp/tiny.tar")])
    path = put_manifest(node, other)
    node.ok("imgadm", "publish", "-m", path, "-f", "/var/tmp/tiny.tar", server.url)
    assert server.images[other["uuid"]]["files"][0]["sha1"] == other["files"][0]["sha1"]
    assert "it is here" in refused(node, 1, "UploadError", "imgadm", "publish", "-m", path, "-f", "/var/tmp/tiny.tar", server.url)
    refused(node, 1, "SizeMismatch", "imgadm", "publish", "-m", path, "-f", "/var/tmp/tiny.zfs", server.url)
    node.ok("imgadm", "delete", uuid)


def test_a_machine_of_an_image_and_an_image_of_it(clean):
    """What vmadm makes of an image shows up as its clone; what differs in it becomes an image on top."""
    node, base, vm = clean, new_uuid(), new_uuid()
    install(node, manifest(base, files=[on_node(node, "/var/tmp/tiny.tar")], tags={"kept": "yes"}), "/var/tmp/tiny.tar")
    node.ok("vmadm", "create", stdin=json.dumps({"brand": "lx", "uuid": vm, "image_uuid": base, "ram": 64, "quota": 1,
                                                 "autoboot": False, "kernel_version": "4.3.0"}).encode())
    assert node.ok("imgadm", "list", "-Ho", "uuid,clones").split() == [base, "1"]
    assert f"zones/{vm}" in refused(node, 1, "ImageHasDependentClones", "imgadm", "delete", base)
    node.sh(f"echo more >/zones/{vm}/root/etc/more")
    node.sh("rm -rf /var/tmp/out.i && mkdir /var/tmp/out.i")
    refused(node, 2, "Usage", "imgadm", "create", "-i", "--max-origin-depth", "1", vm, "name=up", "version=1")
    node.ok("imgadm", "create", "-i", "--max-origin-depth", "2", "-c", "zstd", "-o", "/var/tmp/out.i/up", vm, "name=up", "version=1")
    m = json.loads(node.ok("cat", "/var/tmp/out.i/up.imgmanifest"))
    assert m["origin"] == base and m["tags"] == {"kept": "yes"} and m["type"] == "lx-dataset"
    assert node.ok("zfs", "list", "-Ht", "snapshot", "-o", "name", f"zones/{vm}") == ""
    node.ok("imgadm", "install", "-m", "/var/tmp/out.i/up.imgmanifest", "-f", "/var/tmp/out.i/up.zfs.zst")
    assert look_inside(node, m["uuid"], "cat etc/more etc/mark") == "more\nmark"
    assert node.ok("imgadm", "ancestry", "-Ho", "uuid", m["uuid"]).split() == [m["uuid"], base]
    node.ok("vmadm", "delete", vm)
    node.ok("imgadm", "delete", m["uuid"])
    node.ok("imgadm", "delete", base)


# ---- prepared by a script ----

PREPARE = """#!/bin/sh
mdata-put prepare-image:state running
echo prepared >/etc/prepared
{}
"""
GOOD = PREPARE.format("mdata-put prepare-image:state success\npoweroff")
BAD = PREPARE.format("mdata-put prepare-image:error 'no luck'\nmdata-put prepare-image:state error")


def state_of(node, vm):
    """All that is to be as it was afterwards."""
    got = json.loads(node.ok("vmadm", "get", vm))
    return {k: got.get(k) for k in ("state", "autoboot", "internal_metadata", "customer_metadata", "snapshots")}


def test_create_with_a_script(clean):
    node, vm = clean, new_uuid()
    node.ok("vmadm", "create", timeout=300, stdin=json.dumps({
        "brand": "native", "uuid": vm, "ram": 128, "quota": 1, "internal_metadata": {"operator-script": "#!/bin/sh\n: >/etc/own\n"},
        "customer_metadata": {"a": "b"}}).encode())
    node.push(GOOD, "/var/tmp/good")
    node.push(BAD, "/var/tmp/bad")
    node.push("echo", "/var/tmp/none")
    node.push("#!/bin/sh\nmdata-put prepare-image:state running\npoweroff\n", "/var/tmp/ends")
    node.sh("rm -rf /var/tmp/out.s && mkdir /var/tmp/out.s")
    before = state_of(node, vm)
    assert before["state"] == "running"

    def create(script, version, **options):
        return node.run("imgadm", "create", "-o", "/var/tmp/out.s", "-s", f"/var/tmp/{script}", vm, "name=prepared", f"version={version}",
                        timeout=300, **options)

    refused(node, 1, "BadScript", "imgadm", "create", "-s", "/var/tmp/none", vm, "name=prepared", "version=1")
    refused(node, 1, "ManifestValidation", "imgadm", "create", "-s", "/var/tmp/good", vm, "name=prepared")
    for script, why in (("bad", "failed: no luck"), ("ends", "stopped before its script had told")):
        code, _, said = create(script, 0)
        assert code == 1 and "error (PrepareImageError): " in said and why in said, said
        assert state_of(node, vm) == before and node.ok("ls", "/var/tmp/out.s") == ""
        assert node.run("test", "-e", f"/zones/{vm}/root/etc/prepared")[0] == 1
    wait_for(node, f"zlogin {vm} test -e /etc/own")
    code, out, said = create("good", 1)
    assert code == 0, said
    assert state_of(node, vm) == before and node.run("test", "-e", f"/zones/{vm}/root/etc/prepared")[0] == 1
    m = json.loads(node.ok("cat", "/var/tmp/out.s/prepared-1.imgmanifest"))
    assert (m["type"], m["name"]) == ("zone-dataset", "prepared")
    node.ok("imgadm", "install", "-m", "/var/tmp/out.s/prepared-1.imgmanifest", "-f", "/var/tmp/out.s/prepared-1.zfs")
    assert look_inside(node, m["uuid"], "cat etc/prepared") == "prepared"
    # One that is stopped stays so.
    node.ok("vmadm", "stop", vm, timeout=120)
    before = state_of(node, vm)
    node.push("#!/bin/sh\nmdata-put prepare-image:state running\nsleep 1000\n", "/var/tmp/sleeps")
    node.sh(f"imgadm create -o /var/tmp/out.s -s /var/tmp/sleeps {vm} name=p version=2 >/dev/null 2>/var/tmp/said & p=$!;"
            f"for i in $(seq 300); do vmadm get {vm} | grep -q prepare-image:state && break; sleep 0.2; done;"
            "kill -INT $p; wait $p && exit 1; grep -q 'error (Interrupted)' /var/tmp/said", timeout=120)
    assert state_of(node, vm) == before
    node.ok("vmadm", "delete", vm)
    node.ok("imgadm", "delete", m["uuid"])
    node.sh("rm -rf /var/tmp/out.s")


def test_a_second_pool(clean):
    """Images are looked for on all pools, and go where -P says."""
    node, uuid, there = clean, new_uuid(), new_uuid()
    node.sh("truncate -s 256M /var/tmp/second.img && zpool create -O mountpoint=/second second /var/tmp/second.img")
    try:
        install(node, manifest(uuid, files=[on_node(node, "/var/tmp/tiny.tar")]), "/var/tmp/tiny.tar")
        install(node, manifest(there, files=[on_node(node, "/var/tmp/tiny.tar")]), "/var/tmp/tiny.tar", "-P", "second")
        assert node.ok("zfs", "list", "-Ho", "name", f"second/{there}") == f"second/{there}"
        assert set(listed(node)) == {uuid, there} and listed(node, "zpool=second") == [there] and listed(node, "zpool=zones") == [uuid]
        assert json.loads(node.ok("imgadm", "get", there))["zpool"] == "second"
        refused(node, 3, "ImageNotInstalled", "imgadm", "get", "-P", "zones", there)
        refused(node, 3, "ImageNotInstalled", "imgadm", "delete", "-P", "zones", there)
        on_top = manifest(new_uuid(), origin=there, files=[on_node(node, "/var/tmp/layer.tar")])
        refused(node, 3, "OriginNotInstalled", "imgadm", "install", "-m", put_manifest(node, on_top), "-f", "/var/tmp/layer.tar")
        node.ok("imgadm", "install", "-P", "second", "-m", put_manifest(node, on_top), "-f", "/var/tmp/layer.tar")
        said = refused(node, 1, "PoolNotFound", "imgadm", "install", "-P", "third", "-m", put_manifest(node, manifest(new_uuid())), "-f",
                       "/var/tmp/tiny.tar")
        assert "third" in said
        node.ok("imgadm", "delete", on_top["uuid"])
        node.ok("imgadm", "delete", "-P", "second", there)
        node.ok("imgadm", "delete", uuid)
        assert node.sh("ls /var/imgadm/images | grep second || :") == ""
    finally:
        node.sh("zpool destroy second; rm -f /var/tmp/second.img")
