"""A registry on this machine that asks for a login: Debian's docker-registry with TLS and htpasswd, made for one test.

    with Registry("10.0.0.1") as registry:            # an address of this machine that the puller reaches
        registry.push("group/tool:1", {"mark": b"x"})  # an image with a shell and these files
        registry.image("group/tool:1")                # as a job writes it
        registry.authority                            # file: the certificate that signed its own

Registry(address, public=True) asks for no login and speaks plain HTTP, as a mirror of public images does. What this
machine lacks for it raises NoRegistry.
"""
import base64
import contextlib
import hashlib
import http.client
import io
import json
import pathlib
import secrets
import shutil
import socket
import ssl
import subprocess
import tarfile
import tempfile
import time

PROGRAM = "docker-registry"
BUSYBOX = "/bin/busybox"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIGURATION = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
http:
  addr: "{host}"
  relativeurls: true
"""
PRIVATE = """\
  tls: {{certificate: {folder}/registry.crt, key: {folder}/registry.key}}
auth:
  htpasswd: {{realm: berth, path: {folder}/htpasswd}}
"""


class NoRegistry(Exception):
    """This machine has no registry to start, or nothing to put into one."""


def _run(*words, text=None):
    done = subprocess.run(words, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]}: exit status {done.returncode}: {done.stdout}")
    return done.stdout


def _make_certificates(folder, address):
    """authority.crt, and registry.crt and .key for the address."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _run("openssl", "req", "-x509", *curve, "-subj", "/CN=berth test authority", "-days", "2",
         "-keyout", f"{folder}/authority.key", "-out", f"{folder}/authority.crt")
    _run("openssl", "req", *curve, "-subj", "/CN=registry", "-keyout", f"{folder}/registry.key", "-out", f"{folder}/registry.csr")
    (folder / "names").write_text(f"subjectAltName=IP:{address}\n")
    _run("openssl", "x509", "-req", "-in", f"{folder}/registry.csr", "-CA", f"{folder}/authority.crt", "-CAkey",
         f"{folder}/authority.key", "-CAcreateserial", "-days", "2", "-extfile", f"{folder}/names", "-out", f"{folder}/registry.crt")


def _layer(files):
    """A tar of a static busybox under the names that scripts use, and of these files in /."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        def add(name, content=b"", **fields):
            info = tarfile.TarInfo(name)
            for key, value in fields.items():
                setattr(info, key, value)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for directory in ("bin", "tmp"):
            add(directory, type=tarfile.DIRTYPE, mode=0o1777 if directory == "tmp" else 0o755)
        add("bin/busybox", mode=0o755, content=pathlib.Path(BUSYBOX).read_bytes())
        for name in ("sh", "cat", "echo", "nc", "sleep", "mkdir", "rm", "touch"):
            add(f"bin/{name}", type=tarfile.SYMTYPE, linkname="busybox")
        for name, content in files.items():
            add(name, mode=0o644, content=content)
    return raw.getvalue()


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    user = "deployer"

    def __init__(self, address, public=False):
        for program in (PROGRAM, "htpasswd", "openssl"):
            if shutil.which(program) is None:
                raise NoRegistry(f"no {program} on PATH: scripts/test installs what these tests need")
        if not pathlib.Path(BUSYBOX).exists():
            raise NoRegistry(f"no {BUSYBOX}: scripts/test installs what these tests need (busybox-static)")
        self.address = address
        self.public = public
        self.password = "S3cret-" + secrets.token_hex(12)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-registry-"))
        self.authority = self.folder / "authority.crt"
        self.process = None

    def __enter__(self):
        try:
            _make_certificates(self.folder, self.address)
            (self.folder / "htpasswd").write_text(_run("htpasswd", "-inB", self.user, text=self.password))
            with socket.socket() as free:
                free.bind((self.address, 0))
                self.host = f"{self.address}:{free.getsockname()[1]}"
            (self.folder / "config.yml").write_text((CONFIGURATION if self.public else CONFIGURATION + PRIVATE).format(
                folder=self.folder, host=self.host))
            with open(self.folder / "log", "wb") as log:
                self.process = subprocess.Popen([PROGRAM, "serve", str(self.folder / "config.yml")], stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log)
            self._await_answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)

    def _await_answer(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                self.call("GET", "/v2/")
                return
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{PROGRAM} does not answer: {error}: {(self.folder / 'log').read_text()[-2000:]}") from error
                time.sleep(0.02)

    @property
    def basic(self):
        """user:password in base64"""
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def connect(self):
        host, port = self.host.rsplit(":", 1)
        if self.public:
            return http.client.HTTPConnection(host, int(port), timeout=60)
        context = ssl.create_default_context(cafile=self.authority)
        return http.client.HTTPSConnection(host, int(port), timeout=60, context=context)

    def call(self, method, path, body=None, kind="application/octet-stream"):
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, {"Authorization": "Basic " + self.basic, "Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
            return answer.headers

    def _push_blob(self, repository, data):
        place = self.call("POST", f"/v2/{repository}/blobs/uploads/")["Location"]
        self.call("PUT", f"{place}{'&' if '?' in place else '?'}digest={_digest(data)}", data)

    def push(self, name, files, command=("sh",)):
        """An image of its own: no two calls give the same one."""
        repository, tag = name.split(":")
        layer = _layer({**files, "tmp/unique": secrets.token_bytes(16)})
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": list(command), "Env": ["PATH=/bin"]},
                             # One step for the layer: --cache-from counts them.
                             "history": [{"created": "2018-01-01T00:00:00Z", "created_by": "tests/support/registry.py"}],
                             "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]}}).encode()
        for data in (layer, config):
            self._push_blob(repository, data)

        def described(kind, data):
            return {"mediaType": f"application/vnd.docker.{kind}", "size": len(data), "digest": _digest(data)}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": described("container.image.v1+json", config),
                    "layers": [described("image.rootfs.diff.tar", layer)]}
        self.call("PUT", f"/v2/{repository}/manifests/{tag}", json.dumps(manifest), MANIFEST)

    def image(self, name):
        return f"{self.host}/{name}"

    def auth_config(self, server=None, password=None):
        """The text of a Docker configuration with this login."""
        pair = self.basic if password is None else base64.b64encode(f"{self.user}:{password}".encode()).decode()
        return json.dumps({"auths": {server or self.host: {"auth": pair}}})

    def payload(self, url=None, password=None):
        """As GitLab sends it: an entry of credentials[]."""
        return {"type": "registry", "url": url or self.host, "username": self.user, "password": password or self.password}
