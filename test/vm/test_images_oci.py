# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""OCI images on a real pool: from layouts, from Debian's docker-registry and from one that misbehaves; their layers, and machines of them."""

import contextlib
import gzip
import json
import tarfile
import threading
import uuid as uuids

import pytest

import oci
from machine import RUN
from oci import Image, archive, folder, layout, link, member, put_layout, tar
from zones import app, config, wait_for

DOWNLOADS = "/var/tmp/.imgadm-downloads"


@pytest.fixture(scope="module")
def node(module_machine):
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    m.online()
    m.sh("mkdir -p /var/imgadm")
    m.push('{"sources": []}', "/var/imgadm/imgadm.conf")
    return m


def datasets(node):
    return set(node.ok("zfs", "list", "-Hr", "-t", "all", "-o", "name", "zones").split())


def forget(node):
    """Removes all images."""
    node.ok("imgadm", "vacuum", "-f")


@pytest.fixture
def clean(node):
    """Nothing that a test has begun and not finished stays."""
    before = datasets(node)
    yield node
    assert not {d for d in datasets(node) if "-partial" in d}
    forget(node)
    assert datasets(node) == before
    assert node.sh("ls /var/run/img.*.lock 2>/dev/null || :") == ""
    assert node.sh(f"ls {DOWNLOADS} 2>/dev/null || :") == ""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    r = oci.Registry(tmp_path_factory.mktemp("registry"))
    yield r
    r.stop()


@pytest.fixture
def debians(node, registry):
    """Debian's registry, as the node's only source."""
    node.ok("imgadm", "sources", "-t", "docker", "-a", registry.url)
    yield registry
    node.ok("imgadm", "sources", "-d", registry.url)


@pytest.fixture
def odd(node):
    with oci.odd_registry() as r:
        node.ok("imgadm", "sources", "-f", "-t", "docker", "-a", r.url)
        yield r
        node.ok("imgadm", "sources", "-d", r.url)


def refused(node, code, error, *argv, **options):
    said = node.refused(code, *argv, **options)
    assert f"error ({error}): " in said, said
    return said


def listed(node, *argv):
    return [line.split() for line in node.ok("imgadm", "list", "--docker", "-H", *argv).split("\n") if line]


def installed(node):
    return set(node.ok("imgadm", "list", "-Ho", "uuid").split())


def tags_of(node, uuid):
    return json.loads(node.ok("imgadm", "get", uuid))["manifest"]["tags"]


def install(node, image, path="/var/tmp/i.tar", data=None, name=()):
    node.push(data or archive(layout([image])), path)
    node.ok("imgadm", "install", "-f", path, *name)
    return image.uuid()


def look_inside(node, uuid, script):
    """Runs a script in a clone's root, as a machine has it."""
    node.sh(f"zfs clone -o mountpoint=/var/tmp/look zones/{uuid}@final zones/look")
    try:
        return node.sh(f"cd /var/tmp/look/root; {script}")
    finally:
        node.sh("zfs destroy zones/look")


BASE = tar(folder("etc"), member("etc/a", "one\n"), member("etc/gone", "x"), folder("d"), member("d/x", "x"), member("f", "file"))
TOP = tar(member("etc/.wh.gone"), member("etc/b", "two\n"), member("d", "a file now"), folder("f"), member("f/in", "it"))


# ---- layouts ----

@pytest.mark.parametrize("kind,pack,types", [("oci", "gzip", True), ("oci", "zstd", True), ("oci", "", False), ("docker", "gzip", True)])
def test_layouts(clean, kind, pack, types):
    node = clean
    image = Image(BASE, TOP, kind=kind, pack=pack, types=types, Cmd=["sh"], User="nobody")
    files = layout([image])
    put_layout(node, files, "/var/tmp/shelf.oci")
    assert "Imported image" in node.ok("imgadm", "install", "-f", "/var/tmp/shelf.oci/")
    assert installed(node) == set(image.uuids())
    assert listed(node) == [[image.uuid(), "shelf", "latest", image.id[7:19], "2026-01-31T12:00:00Z"]]
    assert look_inside(node, image.uuid(), "cat etc/a etc/b d f/in; ls etc") == "one\ntwo\na file nowita\nb"
    tags = tags_of(node, image.uuid())
    assert tags == {"docker:repo": "shelf", "docker:architecture": "amd64", "docker:id": image.id, "docker:tag:latest": True,
                    "docker:config": {"Cmd": ["sh"], "User": "nobody"}}
    assert tags_of(node, image.uuid(1)) == {"docker:repo": "shelf", "docker:architecture": "amd64"}
    assert node.ok("imgadm", "ancestry", "-Ho", "uuid,type", image.uuid()).split() == [image.uuid(), "docker", image.uuid(1), "docker"]
    for path, data in (("/var/tmp/a.tar", archive(files)), ("/var/tmp/a.tar.gz", gzip.compress(archive(layout([image], dot=True))))):
        node.push(data, path)
        assert "is already installed" in node.ok("imgadm", "install", "-f", path)
        forget(node)
        assert "Imported image" in node.ok("imgadm", "install", "-f", path)
        assert listed(node)[0][1:3] == ["a", "latest"]


def test_names_of_layouts(clean):
    node = clean
    one, two = Image(BASE, Cmd=["1"]), Image(BASE, TOP, Cmd=["2"])
    files = layout({one: {"org.opencontainers.image.ref.name": "1.0", "io.containerd.image.name": "docker.io/library/app:1.0"},
                    two: {"org.opencontainers.image.ref.name": "2.0"}})
    node.push(archive(files), "/var/tmp/two.tar")
    said = refused(node, 1, "ImageNotFound", "imgadm", "install", "-f", "/var/tmp/two.tar")
    assert "2 images" in said and "app:1.0, 2.0" in said
    refused(node, 1, "ImageNotFound", "imgadm", "install", "-f", "/var/tmp/two.tar", "app:3.0")
    refused(node, 2, "InvalidName", "imgadm", "install", "-f", "/var/tmp/two.tar", "App:3.0")
    refused(node, 2, "Usage", "imgadm", "install", "-m", "/x", "-f", "/var/tmp/two.tar", "app")
    node.ok("imgadm", "install", "-q", "-f", "/var/tmp/two.tar", "app:1.0")
    node.ok("imgadm", "install", "-q", "-f", "/var/tmp/two.tar", "mine/app:2.0")
    assert [row[:3] for row in listed(node)] == sorted([[one.uuid(), "app", "1.0"], [two.uuid(), "mine/app", "2.0"]])
    assert listed(node, "-o", "tag,repository")[0] in (["1.0", "app"], ["2.0", "mine/app"])
    assert json.loads(node.ok("imgadm", "list", "--docker", "-j"))[0].keys() == {"uuid", "repository", "tag", "image_id", "created"}
    refused(node, 2, "Usage", "imgadm", "list", "--docker", "name=x")
    install(node, one, data=archive(layout({one: {"io.containerd.image.name": "docker.io/library/app:1.0"}})))
    assert tags_of(node, one.uuid())["docker:repo"] == "docker.io/library/app"


def test_bad_layouts(clean):
    node = clean
    before = datasets(node)
    image = Image(BASE, TOP)
    good = layout([image])

    def without(*names):
        return {k: v for k, v in good.items() if k not in names}

    layer = "blobs/sha256/" + image.layers[1]["digest"][7:]
    data = bytearray(good[layer])
    data[-1] ^= 1
    packed = gzip.compress(archive(good))
    broken_gzip = Image(b"")
    broken_gzip = Image(BASE, diff_ids=[oci.digest(TOP)])
    cases = [
        ("ImageFormat", archive(without("index.json")), "no OCI layout"),
        ("ImageFormat", archive(without(layer)), layer[13:]),
        ("ImageDigest", archive({**good, layer: bytes(data)}), "damaged"),
        ("ImageDigest", archive({**good, layer: good[layer] + b"x"}), "bytes"),
        ("ImageDigest", archive({**good, "blobs/sha256/" + image.id[7:]: b"{}"}), "expected"),
        ("ImageDigest", archive(layout([broken_gzip])), "the image's config says"),
        ("ImageDocument", archive({**good, "index.json": b"{"}), "index.json"),
        ("ImageDocument", archive({**good, "index.json": b"[]"}), "index.json"),
        ("ImageArchitecture", archive(layout([Image(BASE, arch="arm64")])), "arm64"),
        ("UncompressionError", packed[:-20], "gzip"),
        ("TarFormat", archive(good)[:5000], "ends in the middle"),
        ("TarFormat", b"hello" * 300, "no tar file"),
    ]
    for code, data, says in cases:
        node.push(data, "/var/tmp/bad.tar")
        assert says in refused(node, 1, code, "imgadm", "install", "-q", "-f", "/var/tmp/bad.tar")
        forget(node)
        assert datasets(node) == before, code
    refused(node, 1, "FileOpen", "imgadm", "install", "-f", "/none")
    refused(node, 2, "Usage", "imgadm", "install")
    put_layout(node, without("index.json"), "/var/tmp/bad.oci")
    refused(node, 1, "ImageFormat", "imgadm", "install", "-f", "/var/tmp/bad.oci")


def test_a_blob_that_is_a_link_out_of_the_layout(clean):
    node = clean
    image = Image(BASE)
    put_layout(node, layout([image]), "/var/tmp/out.oci")
    blob = f"/var/tmp/out.oci/blobs/sha256/{image.layers[0]['digest'][7:]}"
    node.sh(f"mv {blob} /var/tmp/elsewhere; ln -s /var/tmp/elsewhere {blob}")
    refused(node, 1, "FileOpen", "imgadm", "install", "-q", "-f", "/var/tmp/out.oci")


# ---- layers ----

def test_what_layers_take_away(clean):
    node = clean
    base = tar(folder("keep"), member("keep/a", "a"), folder("opaque"), member("opaque/old", "x"), folder("opaque/sub"),
               member("opaque/sub/x", "x"), folder("tree"), folder("tree/deep"), member("tree/deep/x", "x"), member("both", "old"),
               member("late", "old"), link("to", "keep"), member("keep/b", "b"))
    top = tar(member("late", "new"), member(".wh.late"), member(".wh.both"), member("both", "new"), folder("opaque"),
              member("opaque/new", "new"), member("opaque/.wh..wh..opq"), member(".wh.tree"), member("to/.wh.b"),
              member(".wh.never-was"), member("nodir/.wh.x"), member(".wh..wh.plnk", "x"))
    uuid = install(node, Image(base, top))
    assert look_inside(node, uuid, "find . | sort") == "\n".join([".", "./both", "./keep", "./keep/a", "./late", "./opaque",
                                                                "./opaque/new", "./to"])
    assert look_inside(node, uuid, "cat both late opaque/new") == "newnewnew"


def test_what_layers_replace(clean):
    node = clean
    base = tar(folder("dir"), folder("dir/sub"), member("dir/sub/x", "x"), member("file", "f"), link("link", "dir"), link("dangles", "/made/here"),
               folder("usr"), folder("usr/lib"), link("lib", "usr/lib"), member("hard1", "shared"), link("hard2", "hard1", hard=True),
               link("abs", "/usr/lib"), member("plain", "plain"))
    top = tar(member("dir", "a file"), folder("file"), member("file/x", "in"), folder("link"), member("link/x", "own"), member("dangles/y", "y"),
              member("lib/so", "so"), member("abs/so2", "so2"), link("hard3", "hard1", hard=True), member("hard2", "other"),
              member("plain/below", "below"))
    third = tar(link("hard4", "hard3", hard=True), link("hard1", "hard1", hard=True), link("file", "usr"))
    uuid = install(node, Image(base, top, third))
    assert look_inside(node, uuid, "cat dir link/x made/here/y usr/lib/so usr/lib/so2 hard1 hard2 hard3 plain/below; readlink lib file; "
                       "stat -c %h hard4 hard1 hard2; test -d link -a ! -L link") == \
        "a fileownysoso2sharedothersharedbelowusr/lib\nusr\n3\n3\n1"


def test_what_members_are(clean):
    node = clean
    long = "very/" + "long/" * 40 + "name" * 20
    cap = bytes.fromhex("0100000200200000000000000000000000000000")
    def escaped(data):
        return data.decode("utf-8", "surrogateescape")
    members = [
        folder("etc", uid=1, gid=2, mode=0o2750, mtime=1600000000), member("etc/x", "x", uid=33, gid=44, mode=0o4755),
        member("far", "x", uid=200000, gid=65534), member("fifo", type=tarfile.FIFOTYPE, mode=0o622),
        member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666), member(long, "long"),
        member("cap", "x", mode=0o755, pax_headers={"SCHILY.xattr.security.capability": escaped(cap), "SCHILY.xattr.user.n": "v"}),
        member("frac", "x", mtime=1700000000.25), link("l", "x" * 150),
        member("./dot/./x", "dotted"), member("/abs", "abs"), member("empty"), folder(".", mode=0o711, uid=5),
    ]
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        data = tar(*members, form=form)
        node.push(archive(layout([Image(data)])), "/var/tmp/i.tar")
        code, _, err = node.run("imgadm", "install", "-f", "/var/tmp/i.tar")
        assert code == 0 and "1 owners of files are above 65534" in err
        uuid = Image(data).uuid()
        assert look_inside(node, uuid, f"stat -c '%u:%g %a %Y' etc etc/x far fifo null . ; cat {long} dot/x abs; readlink l | wc -c; stat -c %s empty;"
                           "stat -c %F:%t:%T null") == "\n".join([
                               "1:2 2750 1600000000", "33:44 4755 1700000000", "65534:65534 644 1700000000", "0:0 622 1700000000",
                               "0:0 666 1700000000", "5:0 711 1700000000", "longdottedabs151", "0", "character special file:1:3"])
        if form == tarfile.PAX_FORMAT:
            assert look_inside(node, uuid, "getfattr -n user.n --only-values cap 2>/dev/null || echo v; stat -c %.2Y frac").split() in (
                ["v", "1700000000.25"], ["v1700000000.25"])
        forget(node)


def test_hostile_layers_stay_in_the_root(clean):
    """What tries to get out either lands in the root or is refused; nothing outside changes."""
    node = clean
    node.sh("mkdir -p /var/tmp/out && echo safe >/var/tmp/out/x && rm -rf /var/tmp/pwned")
    out = "/var/tmp/out"
    up = "../" * 12 + "var/tmp/out"
    for bad in ([member("../x", "evil")], [member("a/../../x", "evil")], [link("h", up + "/x", hard=True)], [member("..", type=tarfile.DIRTYPE)],
                [member("d/.wh...", "")], [member(".wh."), ], [member("a" * 300, "x")]):
        image = Image(BASE, tar(*bad))
        node.push(archive(layout([image])), "/var/tmp/i.tar")
        refused(node, 1, "LayerPath", "imgadm", "install", "-q", "-f", "/var/tmp/i.tar")
        assert image.uuid() not in installed(node)
    for name, layers in {
        "absolute link": [[link("d", out)], [member("d/x", "evil"), member("d/pwned", "evil")]],
        "relative link": [[link("d", up)], [member("d/x", "evil")]],
        "in one layer": [[link("d", up), member("d/x", "evil"), member("d/y/z", "evil")]],
        "a link at the end": [[link("x", out + "/x")], [member("x", "evil")]],
        "a directory at a link": [[link("d", out)], [folder("d"), member("d/x", "evil")]],
        "taken away through a link": [[link("d", out)], [member("d/.wh.x"), member("d/.wh..wh..opq")]],
        "a loop": [[link("l", "l")], [member("l", "x")]],
    }.items():
        image = Image(*(tar(*members) for members in layers))
        install(node, image)
        assert node.sh(f"ls {out}; cat {out}/x") == "x\nsafe", name
    for name, members in {"hard link out by a link": [link("d", out), link("h", "d/x", hard=True)],
                          "a loop on the way": [link("l", "l"), member("l/x", "x")]}.items():
        node.push(archive(layout([Image(tar(*members))])), "/var/tmp/i.tar")
        refused(node, 1, "LayerWrite", "imgadm", "install", "-q", "-f", "/var/tmp/i.tar")
        assert node.sh(f"stat -c %h {out}/x") == "1", name
    assert node.sh(f"cat {out}/x") == "safe"


# ---- Debian's registry ----

def test_import(clean, debians):
    node = clean
    image = Image(BASE, TOP, Cmd=["sh", "-c", "true"], Env=["A=b"])
    name = debians.push(image, "some/app", "1.0")
    assert debians.url + ": ok" in node.ok("imgadm", "sources", "-c")
    assert node.ok("imgadm", "avail", "-H") == ""
    shown = json.loads(node.ok("imgadm", "show", "some/app:1.0"))
    assert shown["uuid"] == image.uuid() and shown["origin"] == image.uuid(1) and shown["type"] == "docker"
    said = node.ok("imgadm", "import", "some/app:1.0")
    assert said.count("Importing layer") == 2 and f"Imported image {image.uuid()} ({name})" in said
    got = json.loads(node.ok("imgadm", "get", image.uuid()))
    assert got["manifest"] == shown and got["source"] == debians.url
    assert listed(node) == [[image.uuid(), name.rsplit(":", 1)[0], "1.0", image.id[7:19], "2026-01-31T12:00:00Z"]]
    assert "is already installed" in node.ok("imgadm", "import", name)
    assert node.ok("imgadm", "import", "-q", f"some/app@{image.manifest['digest']}") == ""
    assert listed(node)[0][2] == "1.0"
    debians.push(image, "some/app", "latest")
    node.ok("imgadm", "import", "-S", debians.url, "some/app")
    assert [row[2] for row in listed(node)] == ["latest", "1.0"]
    assert look_inside(node, image.uuid(), "cat etc/b d") == "two\na file now"
    for code, error, what in ((1, "ImageNotFound", "some/app:2"), (1, "ImageNotFound", "no/such"), (2, "InvalidName", "Some/App"),
                              (1, "ImageNotFound", "some/app@sha256:" + "0" * 64), (2, "InvalidName", "app:"), (2, "InvalidName", "app@sha256:0")):
        refused(node, code, error, "imgadm", "import", what)
        refused(node, code, error, "imgadm", "show", what)
    refused(node, 1, "SourcePing", "imgadm", "sources", "-t", "docker", "-a", f"http://10.0.2.2:{oci.free_port()}")
    node.ok("imgadm", "sources", "-d", debians.url)
    refused(node, 1, "NoSources", "imgadm", "import", "some/app")
    refused(node, 1, "HttpTls", "imgadm", "import", name)
    node.ok("imgadm", "sources", "-t", "docker", "-a", debians.url)


def test_https(clean, tmp_path):
    """A registry whose certificate the node does not trust is refused, unless it is told to, or its certificate is trusted."""
    node = clean
    image = Image(BASE)
    registry = oci.Registry(tmp_path, tls=True)
    try:
        name = registry.push(image, "some/app", "1")
        refused(node, 1, "HttpTls", "imgadm", "import", name)
        refused(node, 1, "SourcePing", "imgadm", "sources", "-t", "docker", "-a", registry.url)
        node.ok("imgadm", "sources", "-k", "-t", "docker", "-a", registry.url)
        node.ok("imgadm", "import", "-q", "some/app:1")
        forget(node)
        node.ok("imgadm", "sources", "-d", registry.url)
        node.push(registry.cert, "/var/tmp/cert.pem")
        node.sh("cp /etc/ssl/certs/ca-certificates.crt /var/tmp/trusted; cat /var/tmp/cert.pem >>/etc/ssl/certs/ca-certificates.crt")
        node.ok("imgadm", "import", "-q", name)
        assert installed(node) == {image.uuid()}
    finally:
        node.sh("[ ! -e /var/tmp/trusted ] || mv /var/tmp/trusted /etc/ssl/certs/ca-certificates.crt")
        node.run("imgadm", "sources", "-d", registry.url)
        registry.stop()


def test_layers_are_shared(clean, debians):
    node = clean
    base, one, two = Image(BASE, Cmd=["base"]), Image(BASE, TOP, Cmd=["one"]), Image(BASE, tar(member("two", "2")), Cmd=["two"])
    for image, name in ((base, "base"), (one, "one"), (two, "two")):
        debians.push(image, name, "latest")
    assert node.ok("imgadm", "import", "one").count("Importing layer") == 2
    assert [row[1].split("/")[1] for row in listed(node)] == ["one"]
    assert node.ok("imgadm", "import", "two").count("Importing layer") == 1
    assert "already installed" in node.ok("imgadm", "import", "base")
    assert sorted(row[1].split("/")[1] for row in listed(node)) == ["base", "one", "two"]
    assert tags_of(node, base.uuid())["docker:config"] == {"Cmd": ["base"]}
    assert installed(node) == {base.uuid(), one.uuid(), two.uuid()}
    refused(node, 1, "ImageHasDependentClones", "imgadm", "delete", base.uuid())


def test_tags_move(clean, debians):
    node = clean
    old, new, same = Image(BASE, Cmd=["old"]), Image(BASE, TOP, Cmd=["new"]), Image(BASE, TOP, Cmd=["same layers"])
    debians.push(old, "app", "latest")
    node.ok("imgadm", "import", "app")
    debians.push(new, "app", "latest")
    node.ok("imgadm", "import", "app")
    assert [(row[0], row[2]) for row in listed(node)] == [(new.uuid(), "latest")]
    debians.push(same, "app", "2")
    code, _, err = node.run("imgadm", "import", "app:2")
    assert code == 0 and "has the same layers and is run in another way" in err
    assert [(row[0], row[2]) for row in listed(node)] == [(new.uuid(), "2")]
    assert tags_of(node, new.uuid())["docker:config"] == {"Cmd": ["same layers"]}


def test_multi_arch(clean, debians):
    node = clean
    for kind in ("oci", "docker"):
        images = [Image(BASE, arch="arm64", kind=kind), Image(BASE, TOP, kind=kind, Cmd=[kind]), Image(BASE, arch="s390x", kind=kind)]
        for n, image in enumerate(images):
            debians.push(image, f"multi-{kind}", f"part{n}")
        debians.put_manifest(f"multi-{kind}", "latest", oci.index(*images, kind=kind), oci.TYPES[kind][0])
        node.ok("imgadm", "import", f"multi-{kind}")
        assert tags_of(node, images[1].uuid())["docker:config"] == {"Cmd": [kind]}
        debians.put_manifest(f"multi-{kind}", "others", oci.index(images[0], images[2], kind=kind), oci.TYPES[kind][0])
        assert "linux/arm64, linux/s390x" in refused(node, 1, "ImageArchitecture", "imgadm", "import", f"multi-{kind}:others")
        refused(node, 1, "ImageArchitecture", "imgadm", "import", f"multi-{kind}:part0")


def test_the_registry_dies_and_comes_back(node, debians):
    image = Image(BASE, tar(member("rand", bytes(range(256)) * 40000)), pack="")
    debians.push(image, "dies", "latest")
    debians.stop()
    try:
        refused(node, 1, "HttpConnect", "imgadm", "import", "-q", "dies")
    finally:
        debians.start()
    node.ok("imgadm", "import", "dies")
    forget(node)


# ---- one that misbehaves ----

def test_token(clean, odd):
    node = clean
    odd.token = "abc.DEF-123_~"
    image = Image(BASE, TOP)
    name = odd.offer(image, "private/app", "latest")
    assert ": ok" in node.ok("imgadm", "sources", "-c")
    node.ok("imgadm", "import", name)
    asked = [path for path, _ in odd.log if path.startswith("/token")]
    assert asked == ["/token?service=odd%20registry&scope=repository%3Aprivate%2Fapp%3Apull"]
    forget(node)
    odd.realm = f"http://10.0.2.2:{oci.free_port()}/token"
    refused(node, 1, "HttpConnect", "imgadm", "import", "-q", name)
    odd.realm = "ftp://x/"
    refused(node, 1, "HttpUrl", "imgadm", "import", "-q", name)
    odd.realm, odd.token = odd.url + "/v2/x", "never given"
    refused(node, 1, "Unauthorized", "imgadm", "import", "-q", name)


@pytest.mark.parametrize("token", [None, "abc.DEF-123_~"])
def test_login(clean, odd, token):
    """A registry that wants to know who asks, by itself or before it gives a token."""
    node = clean
    odd.login, odd.token = "ann:pass word:1", token
    name = odd.offer(Image(BASE, TOP), "private/app", "latest")

    def login(password, user="ann", code=0):
        done = node.run("imgadm", "login", "-u", user, odd.host, stdin=password.encode() + b"\n")
        assert done[0] == code, done
        return done[2]

    refused(node, 1, "Unauthorized", "imgadm", "import", "-q", name)
    # Its source says http: the password goes only where the operator does not mind.
    assert "without TLS" in login("pass word:1", code=1)
    source = next(line for line in node.ok("imgadm", "sources").split("\n") if odd.host in line)
    node.sh(f"imgadm sources -d {source}; imgadm sources -a {source} -t docker -k")
    assert "does not accept that name and password" in login("wrong", code=1) and "no name" in login("x", user="a:b", code=1)
    assert node.run("test", "-e", "/var/imgadm/auth.json")[0] == 1
    login("pass word:1")
    assert node.ok("stat", "-c", "%a", "/var/imgadm/auth.json") == "600"
    assert ": ok" in node.ok("imgadm", "sources", "-c")
    node.ok("imgadm", "import", name)
    forget(node)
    odd.login = "ann:changed"
    assert "imgadm login named" in refused(node, 1, "Unauthorized", "imgadm", "import", "-q", name)
    node.ok("imgadm", "logout", odd.host)
    assert "no name and password are kept" in refused(node, 1, "NotLoggedIn", "imgadm", "logout", odd.host)
    node.sh("echo '{\"auths\": {\"" + odd.host + "\": {\"auth\": \"a\\r\\nX: y\"}}}' >/var/imgadm/auth.json")
    refused(node, 1, "AuthFile", "imgadm", "import", "-q", name)
    node.sh(f"rm /var/imgadm/auth.json; imgadm sources -d {source}; imgadm sources -a {source} -t docker -f")


def test_what_a_registry_may_say(clean, odd):
    node = clean
    before = datasets(node)
    image = Image(BASE, TOP)
    odd.offer(image, "app", "latest")
    manifest_type = image.manifest["mediaType"]
    for error, data in (("ImageDocument", b"{}"), ("ImageDocument", b"not json"), ("ImageDocument", b'{"schemaVersion": 1}'),
                        ("ImageDocument", json.dumps({**json.loads(image.manifest_bytes), "layers": []}).encode()),
                        ("ImageDocument", json.dumps({**json.loads(image.manifest_bytes), "layers": image.layers * 100}).encode()),
                        ("ImageDigest", json.dumps({**json.loads(image.manifest_bytes), "layers": [{"digest": "md5:x", "size": 1}]}).encode()),
                        ("ImageDocument", json.dumps({**json.loads(image.manifest_bytes), "config": image.layers[0]}).encode()),
                        ("HttpTooBig", b" " * (5 << 20))):
        odd.images["app", "odd"] = (manifest_type, data)
        refused(node, 1, error, "imgadm", "import", "-q", "app:odd")
    odd.images["app", image.manifest["digest"]] = (manifest_type, image.manifest_bytes + b" ")
    refused(node, 1, "ImageDigest", "imgadm", "import", "-q", f"app@{image.manifest['digest']}")
    loop = json.dumps({"schemaVersion": 2, "manifests": [{"digest": "sha256:" + "1" * 64, "size": 9}]}).encode()
    odd.images["app", "loop"] = (oci.TYPES["oci"][0], loop)
    refused(node, 1, "ImageNotFound", "imgadm", "import", "-q", "app:loop")
    good = dict(odd.blobs)
    top = image.layers[1]["digest"]
    for error, data in (("DownloadError", b"x" * len(good[top])), ("DownloadError", good[top][:-1]), ("HttpTooBig", good[top] + b"x")):
        odd.blobs[top] = data
        refused(node, 1, error, "imgadm", "import", "-q", "app")
        forget(node)
        node.sh(f"rm -f {DOWNLOADS}/*.partial")
    odd.blobs = good
    odd.blobs[image.id] = b"{}"
    refused(node, 1, "ImageDigest", "imgadm", "import", "-q", "app")
    assert datasets(node) == before


@pytest.mark.parametrize("ranges", [True, False])
def test_a_transfer_that_breaks_goes_on(clean, odd, ranges):
    node = clean
    odd.ranges = ranges
    image = Image(tar(member("rand", node_random(300000))))
    name = odd.offer(image, "breaks", "latest")
    odd.cut, odd.cuts = 100000, 2
    node.ok("imgadm", "import", name)
    asked = [r for path, r in odd.log if "/blobs/" in path and image.layers[0]["digest"] in path]
    assert asked == ([None, "bytes=100000-", "bytes=200000-"] if ranges else [None, "bytes=100000-", None])
    assert look_inside(node, image.uuid(), "stat -c %s rand") == "300000"


def node_random(n):
    import random
    return random.Random(n).randbytes(n)


def test_a_later_import_goes_on(clean, odd):
    """What is whole is not asked for again; what is not, from where it broke; what is wrong, anew."""
    node = clean
    image = Image(BASE, tar(member("rand", node_random(300000))))
    name = odd.offer(image, "app", "latest")
    first, second = (layer["digest"] for layer in image.layers)
    odd.cut, odd.cut_only = 1, first
    refused(node, 1, "HttpBroken", "imgadm", "import", "-q", name)
    odd.cut = 0
    odd.log.clear()
    node.sh(f"printf broken >{DOWNLOADS}/sha256-{second[7:]}.partial")
    node.ok("imgadm", "import", "-q", name)
    asked = [(path.split(":")[-1], r) for path, r in odd.log if "/blobs/" in path and image.id not in path]
    assert asked == [(first[7:], "bytes=5-"), (second[7:], "bytes=6-"), (second[7:], None)]
    forget(node)
    node.sh(f"mkdir -p {DOWNLOADS}")
    node.push(odd.blobs[first], f"{DOWNLOADS}/sha256-{first[7:]}")
    odd.log.clear()
    node.ok("imgadm", "import", "-q", name)
    assert not [path for path, _ in odd.log if first in path]


def test_two_imports_at_once(clean, odd):
    node = clean
    image = Image(BASE, TOP)
    name = odd.offer(image, "app", "latest")
    odd.pause = 1
    node.sh(f"for i in 1 2 3; do imgadm import {name} & done; wait")
    for layer in image.layers:
        assert len([path for path, _ in odd.log if layer["digest"] in path]) == 1
    assert listed(node)[0][0] == image.uuid()


@pytest.mark.parametrize("signal", ["KILL", "INT"])
def test_ended_in_the_middle(clean, odd, signal):
    node = clean
    many = tar(*(member(f"d{n % 100}/f{n}", str(n)) for n in range(8000)))
    image = Image(BASE, many)
    name = odd.offer(image, "many", "latest")
    node.sh(f"setsid imgadm import {name} >/var/tmp/import.out 2>&1 & echo $! >/var/tmp/pid; disown 2>/dev/null || :")
    wait_for(node, f"zfs list -H zones/{image.uuid()}-partial >/dev/null 2>&1")
    node.sh(f"kill -{signal} {'-' if signal == 'INT' else ''}$(cat /var/tmp/pid); while kill -0 $(cat /var/tmp/pid) 2>/dev/null; do sleep 0.1; done")
    assert installed(node) == {image.uuid(1)}
    if signal == "INT":
        assert "error (Interrupted)" in node.ok("cat", "/var/tmp/import.out")
        assert not [d for d in datasets(node) if "-partial" in d]
    odd.log.clear()
    node.ok("imgadm", "import", name)
    assert not [path for path, _ in odd.log if image.layers[1]["digest"] in path], "it was there, whole"
    assert look_inside(node, image.uuid(), "find . -type f | wc -l") == str(8000 + 4)


def test_a_full_pool(clean, odd):
    node = clean
    before = datasets(node)
    image = Image(BASE, tar(member("big", node_random(100 << 20))), pack="")
    name = odd.offer(image, "big", "latest")

    def leave(mib):
        node.sh("zpool sync zones; zpool wait -t free zones")
        free = int(node.ok("zfs", "get", "-Hpo", "value", "available", "zones"))
        return node.sh(f"zfs create -o refreservation={free - (mib << 20)} zones/full")
    # Neither the download fits, of which /var has 64 MiB in reserve, nor what is unpacked of it.
    for room, error in ((20, "FileWrite"), (100, "FileWrite")):
        leave(room)
        try:
            assert "space" in refused(node, 1, error, "imgadm", "import", "-q", name).lower()
        finally:
            node.sh("zfs destroy zones/full")
        assert not [d for d in datasets(node) if "-partial" in d]
        node.sh(f"rm -f {DOWNLOADS}/sha256-*")
    forget(node)
    assert datasets(node) == before


def test_faults_at_every_step(clean):
    node = clean
    image = Image(BASE, TOP)
    node.push(archive(layout([image])), "/var/tmp/i.tar")
    for n in range(1, 60):
        code, _, err = node.run("env", f"NEREID_FAULT={n}", "imgadm", "install", "-q", "-f", "/var/tmp/i.tar")
        assert not [d for d in datasets(node) if "-partial" in d], f"fault {n}: {err}"
        if code == 0:
            break
        assert "error (Fault)" in err and code == 1
        forget(node)
    assert code == 0 and n > 15


def test_memory_stays_flat(clean):
    node = clean
    image = Image(BASE, tar(member("zero", bytes(150 << 20))))
    node.push(archive(layout([image])), "/var/tmp/i.tar")
    peak = node.sh("imgadm install -q -f /var/tmp/i.tar & p=$!; m=0; while h=$(awk '/^VmHWM/ { print $2 }' /proc/$p/status 2>/dev/null) && "
                   "[ -n \"$h\" ]; do m=$h; sleep 0.1; done; wait $p; echo $m", timeout=300)
    assert 0 < int(peak) < 24 << 10, f"{peak} KiB"


# ---- machines ----

def create(node, image_uuid, **more):
    payload = {"brand": "lx", "docker": True, "uuid": str(uuids.uuid4()), "image_uuid": image_uuid, "ram": 64, "quota": 1, "autoboot": False,
               "kernel_version": "4.3.0", **more}
    node.ok("vmadm", "create", stdin=json.dumps(payload).encode())
    return payload["uuid"]


def said_by(node, vm):
    """What its process said until it ended."""
    node.ok("vmadm", "start", vm)
    wait_for(node, f"[ \"$(zoneadm -z {vm} list -p | cut -d: -f3)\" = installed ]")
    return "".join(json.loads(line)["log"] for line in node.ok("cat", f"/zones/{vm}/logs/stdio.log").split("\n")).split("\n")


@pytest.fixture(scope="module")
def program():
    return app().read_bytes()


def test_a_machine_of_an_image(clean, program):
    """Entrypoint, Cmd, Env, WorkingDir and User of the image are what the zone runs, in and as."""
    node = clean
    passwd = member("etc/passwd", "root:x:0:0::/:/bin/sh\nweb:x:70:71::/:/bin/sh\n")
    image = Image(tar(folder("opt"), folder("opt/bin"), member("opt/bin/app", program, mode=0o755)),
                  tar(folder("srv"), folder("etc"), passwd),
                  Entrypoint=["app", "from entrypoint"], Cmd=["exit", "4"], Env=["PATH=/bin:/opt/bin", "LANG=C.UTF-8", "X=a=b"],
                  WorkingDir="/srv/", User="web")
    uuid = install(node, image, name=["shop/app:1"])
    vm = create(node, uuid)
    c = config(node, vm)
    assert c["init_name"] == "/opt/bin/app" and c["init_args"] == ["from entrypoint", "exit", "4"]
    assert (c["init_dir"], c["init_user"]) == ("/srv", "web")
    assert c["internal_metadata"] == {
        "docker:entrypoint": '["app","from entrypoint"]', "docker:cmd": '["exit","4"]', "docker:workdir": "/srv/", "docker:user": "web",
        "docker:env": '["PATH=/bin:/opt/bin","LANG=C.UTF-8","X=a=b"]', "docker:imageid": image.id, "docker:imagename": "shop/app:1"}
    lines = said_by(node, vm)
    assert lines[:4] == ["arg /opt/bin/app", "arg from entrypoint", "arg exit", "arg 4"]
    assert {"env PATH=/bin:/opt/bin", "env LANG=C.UTF-8", "env X=a=b", "dir /srv", "user 70:71"} <= set(lines)
    assert json.loads(node.ok("cat", f"/run/zones/{vm}/state.json"))["exit_status"] == 4 << 8
    node.ok("vmadm", "delete", vm)


def test_what_the_payload_says_wins(clean, program):
    node = clean
    image = Image(tar(folder("bin"), member("bin/app", program, mode=0o755), member("bin/text", "x"), folder("tmp")), Entrypoint=["/bin/app"],
                  Cmd=["serve"], Env=["A=image", "B=image"], WorkingDir="/tmp", User="5")
    uuid = install(node, image)
    vm = create(node, uuid, internal_metadata={"docker:cmd": '["exit","0"]', "docker:env": '["B=payload","C=payload"]', "docker:user": "6:7"})
    lines = said_by(node, vm)
    assert {"arg exit", "env A=image", "env B=payload", "env C=payload", "user 6:7", "dir /tmp"} <= set(lines) and "arg serve" not in lines
    node.ok("vmadm", "delete", vm)
    vm = create(node, uuid, internal_metadata={"docker:entrypoint": '["app","exit","1"]'})
    assert config(node, vm)["init_args"] == ["exit", "1"], "an entrypoint of the payload drops the image's cmd"
    node.ok("vmadm", "delete", vm)
    vm = create(node, uuid, init_name="/bin/app", init_args=["exit", "0"], init_env=["ONLY=this"], init_user="0", init_dir="/")
    assert {"arg exit", "env ONLY=this", "user 0:0", "dir /"} <= set(said_by(node, vm))
    node.ok("vmadm", "delete", vm)
    vm = create(node, uuid, docker=False, init_name="/bin/app")
    assert "internal_metadata" not in config(node, vm)
    node.ok("vmadm", "delete", vm)

    def wrong(says, **more):
        payload = {"brand": "lx", "docker": True, "image_uuid": uuid, "ram": 64, "autoboot": False, **more}
        said = node.refused(1, "vmadm", "create", stdin=json.dumps(payload).encode())
        assert says in said, said

    before = datasets(node)
    wrong("no program \"none\" in the image's PATH", internal_metadata={"docker:entrypoint": '["none"]'})
    wrong("docker:cmd: must be a JSON array of strings", internal_metadata={"docker:cmd": "serve"})
    wrong("docker:workdir: there is no directory /none", internal_metadata={"docker:workdir": "/none"})
    assert datasets(node) == before
    nothing = install(node, Image(tar(member("x", "x"))))
    payload = {"brand": "lx", "docker": True, "image_uuid": nothing, "ram": 64, "autoboot": False}
    assert "says no program to run" in node.refused(1, "vmadm", "create", stdin=json.dumps(payload).encode())
