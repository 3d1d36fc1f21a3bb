# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""OCI images made from nothing, layouts and archives of them, and registries that have them: Debian's, and one that misbehaves."""

import base64
import contextlib
import gzip
import hashlib
import http.client
import http.server
import io
import json
import socket
import ssl
import subprocess
import tarfile
import threading
import time
import urllib.parse

import pytest

from machine import BUILD, TOP

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."
TYPES = {  # index, manifest, config, layer without its packing
    "oci": (OCI + "index.v1+json", OCI + "manifest.v1+json", OCI + "config.v1+json", OCI + "layer.v1.tar"),
    "docker": (DOCKER + "distribution.manifest.list.v2+json", DOCKER + "distribution.manifest.v2+json",
               DOCKER + "container.image.v1+json", DOCKER + "image.rootfs.diff.tar"),
}


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def member(name, data=b"", **more):
    """A member of a tar file: a file with that contents, unless `type` says something else."""
    info = tarfile.TarInfo(name)
    data = data.encode() if isinstance(data, str) else data
    info.size, info.mode, info.mtime = len(data), 0o644, 1700000000
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def folder(name, **more):
    return member(name, **{"type": tarfile.DIRTYPE, "mode": 0o755, **more})


def link(name, target, hard=False, **more):
    return member(name, type=tarfile.LNKTYPE if hard else tarfile.SYMTYPE, linkname=target, **more)


def tar(*members, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as t:
        for info, data in members:
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


PACKS = {"": lambda d: d, "gzip": lambda d: gzip.compress(d, 6, mtime=0), "zstd": zstd}


class Image:
    """Layers (tar files) and a configuration; `blobs` has all of it, by digest."""

    def __init__(self, *layers, pack="gzip", kind="oci", arch="amd64", types=True, diff_ids=None, **config):
        self.blobs, self.kind, self.arch = {}, kind, arch
        _, manifest, config_type, layer_type = TYPES[kind]
        packed = [PACKS[pack](layer) for layer in layers]
        suffix = pack and ("+" if kind == "oci" else ".") + pack
        config = {"architecture": arch, "os": "linux", "created": "2026-01-31T12:00:00.123456789Z", "config": config,
                  "rootfs": {"type": "layers", "diff_ids": diff_ids or [digest(layer) for layer in layers]}}
        self.config = self.add(json.dumps(config).encode(), config_type)
        self.layers = [self.add(p, layer_type + suffix) for p in packed]
        doc = {"schemaVersion": 2, "config": self.config, "layers": self.layers}
        if types:
            doc["mediaType"] = manifest
        self.manifest_bytes = json.dumps(doc).encode()
        self.manifest = self.add(self.manifest_bytes, manifest)

    def add(self, data, media_type):
        self.blobs[digest(data)] = data
        return {"mediaType": media_type, "size": len(data), "digest": digest(data)}

    def uuid(self, n=None):
        """Of the image that the lowest n layers make."""
        text = " ".join(layer["digest"] for layer in self.layers[:n])
        h = hashlib.sha256(text.encode()).hexdigest()
        return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:32]))

    def uuids(self):
        return [self.uuid(n + 1) for n in range(len(self.layers))]

    @property
    def id(self):
        return self.config["digest"]


def index(*images, kind="oci"):
    """The bytes of a multi-arch index."""
    manifests = [{**i.manifest, "platform": {"os": "linux", "architecture": i.arch}} for i in images]
    return json.dumps({"schemaVersion": 2, "mediaType": TYPES[kind][0], "manifests": manifests}).encode()


def layout(named, dot=False):
    """The files of a layout: named is image -> annotations, or a list of images."""
    named = named if isinstance(named, dict) else {image: {} for image in named}
    entries = [{**i.manifest, **({"annotations": notes} if notes else {})} for i, notes in named.items()]
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
             "index.json": json.dumps({"schemaVersion": 2, "manifests": entries}).encode()}
    for image in named:
        files.update({"blobs/sha256/" + d[7:]: data for d, data in image.blobs.items()})
    return {("./" if dot else "") + name: data for name, data in files.items()}


def archive(files):
    return tar(*(member(name, data) for name, data in files.items()))


def put_layout(node, files, path):
    """The same as a directory of the node."""
    node.sh(f"rm -rf {path}; mkdir -p {path}")
    node.ok("tar", "-C", path, "-xf", "-", stdin=archive(files))
    return path


# ---- Debian's registry ----

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Registry:
    """docker-registry, beside the node. `url` is how the node sees it; with tls it has a certificate that signs itself, `cert`."""

    def __init__(self, work, tls=False):
        self.dir = BUILD / "registry"
        if not (self.dir / "docker-registry").exists():
            subprocess.run([TOP / "live/build", "registry"], check=True, stdin=subprocess.DEVNULL)
        self.port = free_port()
        self.config = work / "registry.yml"
        self.cert = work / "cert.pem" if tls else None
        self.context = None
        server = {"addr": f"127.0.0.1:{self.port}"}
        if tls:
            key = work / "key.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=registry", "-addext",
                            "subjectAltName=IP:10.0.2.2,IP:127.0.0.1", "-keyout", key, "-out", self.cert], check=True, capture_output=True)
            server["tls"] = {"certificate": str(self.cert), "key": str(key)}
            self.context = ssl.create_default_context(cafile=self.cert)
        self.config.write_text(json.dumps({
            "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(work / "data")}, "delete": {"enabled": True}},
            "http": server}))
        self.log = work / "registry.log"
        self.host = f"10.0.2.2:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        self.start()

    def start(self):
        d = self.dir.resolve()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [d / "ld-linux-x86-64.so.2", "--library-path", d, d / "docker-registry", "serve", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError):
                if self.ask("GET", "/v2/")[0] == 200:
                    return
            time.sleep(0.1)
        pytest.fail(f"docker-registry does not answer: {self.log.read_text()}")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None, **headers):
        if self.context:
            c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.context)
        else:
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = c.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            c.close()

    def push(self, image, name, tag):
        for d, data in image.blobs.items():
            if data is image.manifest_bytes:
                continue
            status, headers, said = self.ask("POST", f"/v2/{name}/blobs/uploads/", b"")
            assert status == 202, said
            to = urllib.parse.urlsplit(headers["Location"])
            status, _, said = self.ask("PUT", f"{to.path}?{to.query}&digest={d}", data, Content_Type="application/octet-stream")
            assert status == 201, said
        self.put_manifest(name, tag, image.manifest_bytes, image.manifest["mediaType"])
        return f"{self.host}/{name}:{tag}"

    def put_manifest(self, name, tag, data, media_type):
        status, _, said = self.ask("PUT", f"/v2/{name}/manifests/{tag}", data, Content_Type=media_type)
        assert status == 201, said


# ---- one that misbehaves ----

class OddRegistry(http.server.BaseHTTPRequestHandler):
    """As much of the protocol as imgadm asks for. The class's owner says what is odd about it."""
    protocol_version = "HTTP/1.1"
    images: dict           # (name, tag or digest) -> (media type, bytes)
    blobs: dict            # digest -> bytes
    log: list
    cut = 0                # blobs end after so many bytes
    cuts = 10 ** 9         # so many times
    cut_only = None        # only the blob of this digest
    ranges = True          # Range is understood
    pause = 0              # seconds before a blob
    token = None           # wanted for everything but /token
    realm = None           # of it, where it is not ours
    login = None           # "user:password" wanted: for tokens, or without those for everything

    def answer(self, status, data=b"", media_type="application/json", **headers):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        handler, path = type(self), self.path.split("?")[0]
        self.log.append((self.path, self.headers.get("Range")))
        basic = self.login and "Basic " + base64.b64encode(self.login.encode()).decode()
        if path == "/token":
            if basic and self.headers.get("Authorization") != basic:
                return self.answer(401, b"{}")
            return self.answer(200, json.dumps({"token": self.token or "t"}).encode())
        if self.token and self.headers.get("Authorization") != f"Bearer {self.token}":
            name = "/".join(path.split("/")[2:-2])
            return self.answer(401, b"{}", WWW_Authenticate=f'Bearer realm="{self.realm or handler.url + "/token"}",'
                               f'service="odd registry",scope="repository:{name}:pull"')
        if basic and not self.token and self.headers.get("Authorization") != basic:
            return self.answer(401, b"{}", WWW_Authenticate='Basic realm="odd"')
        if path == "/v2/":
            return self.answer(200, b"{}")
        *name, what, last = path.removeprefix("/v2/").split("/")
        if what == "manifests" and ("/".join(name), last) in self.images:
            media_type, data = self.images["/".join(name), last]
            return self.answer(200, data, media_type, Docker_Content_Digest=digest(data))
        if what == "blobs" and last in self.blobs:
            return self.blob(handler, self.blobs[last], self.cut if self.cut_only in (None, last) else 0)
        return self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')

    def blob(self, handler, data, cut):
        time.sleep(self.pause)
        start, total = 0, len(data)
        asked = self.headers.get("Range")
        if asked and self.ranges:
            start = int(asked.removeprefix("bytes=").split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        end = total
        if cut and self.cuts > 0 and start + cut < total:
            handler.cuts -= 1
            end = start + cut
        self.wfile.write(data[start:end])
        if end < total:
            self.close_connection = True

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def odd_registry():
    handler = type("Handler", (OddRegistry,), {"images": {}, "blobs": {}, "log": []})

    def offer(image, name, tag):
        handler.images[name, tag] = handler.images[name, image.manifest["digest"]] = (image.manifest["mediaType"], image.manifest_bytes)
        handler.blobs.update(image.blobs)
        return f"{handler.host}/{name}:{tag}"

    handler.offer = staticmethod(offer)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        handler.host = f"10.0.2.2:{server.server_port}"
        handler.url = f"http://{handler.host}"
        try:
            yield handler
        finally:
            server.shutdown()
