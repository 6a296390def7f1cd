"""What a pipeline of tests/pipelines/guides finds around it: a private registry, a mirror of the public one, a place
with downloads, namespaces of the cluster with deployers, and the project's variables. world.json beside the pipeline
says what of it:

    project      name of the project's directory
    mirror       {IMAGE: {"command": [...]}} in the registry that daemons take for the public one
    private      {IMAGE: {FILE: TEXT}} in the private one, at @REGISTRY@ for @USER@ with @PASSWORD@
    copied       {IMAGE: IMAGE OF THE ENGINE} in the private one
    namespaces   {NAME: CONTEXT}, @NAMESPACE:NAME@; each has a deployer, whose token is the user of the context
    kubeconfig   {"variable": KEY, "wrapped": bool} of all contexts, in base64
    service_account_key  {"variable": KEY, "project": P, "namespace": NAME, "raw": bool}: a cloud's key, which is a
                 login for the registry as _json_key too
    variables    {KEY: VALUE or {"value": VALUE, "masked": true}} of the project
    by_environment  {KEY: {ENVIRONMENT: VALUE}}
    settings     more lines of berth.yaml

@FILES@ is where downloads are.
"""
import base64
import contextlib
import crypt
import functools
import hashlib
import http.server
import io
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import tarfile
import threading

TESTS = pathlib.Path(__file__).resolve().parents[2]
ROOT = TESTS.parent
sys.path.insert(0, str(TESTS / "support"))
import kubernetes_api  # noqa: E402
import registry as registries  # noqa: E402

INSTALLER = b"""#!/bin/sh
# Where the real one would change the profile.
for argument; do
	case $argument in
	--usage-reporting=* | --path-update=*) ;;
	*) echo "unrecognized arguments: $argument" >&2; exit 2 ;;
	esac
done
"""


class Downloads(http.server.ThreadingHTTPServer):
    """The archive with the cloud's command line."""

    def __init__(self, address, folder):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w:gz") as archive:
            for name, content in (("bin/gcloud", (TESTS / "images/deploy-tools/files/usr/local/bin/gcloud").read_bytes()),
                                  ("install.sh", INSTALLER)):
                info = tarfile.TarInfo("google-cloud-sdk/" + name)
                info.mode, info.size = 0o755, len(content)
                archive.addfile(info, io.BytesIO(content))
        (folder / "google-cloud-sdk.tar.gz").write_bytes(raw.getvalue())

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        super().__init__((address, 0), functools.partial(Quiet, directory=str(folder)))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://%s:%d" % self.server_address


class World:
    """A context manager. Its servers listen where the node sees this machine; the engine's containers get there too."""

    def __init__(self, wanted, scratch):
        self.wanted = wanted
        self.scratch = pathlib.Path(scratch)
        self.cluster = kubernetes_api.Cluster()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect((self.cluster.host, self.cluster.port))
            self.address = way.getsockname()[0]
        self.private = registries.Registry(self.address)
        self.mirror = registries.Registry(self.address, public=True)
        self.suffix = secrets.token_hex(3)
        self.cleanup = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.push(self.cleanup)
            self.cleanup.enter_context(self.private)
            self.cleanup.enter_context(self.mirror)
            self._trust("dev-cluster")
            self._trust("dev-engine")
            folder = self.scratch / "downloads"
            folder.mkdir()
            self.downloads = Downloads(self.address, folder)
            self.cleanup.callback(self.downloads.shutdown)
            self._fill_registries()
            self.tokens = {name: self._make_namespace(name) for name in self.wanted.get("namespaces", {})}
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self.cleanup.close()

    def _trust(self, program):
        words = [str(ROOT / "scripts" / program), "registry"]
        subprocess.run([*words, self.private.host, str(self.private.authority)], check=True)
        self.cleanup.callback(subprocess.run, [*words, "--forget", self.private.host], check=True)

    def _fill_registries(self):
        for name, more in self.wanted.get("mirror", {}).items():
            self.mirror.push(name, {}, command=more.get("command", ["sh"]))
        for name, files in self.wanted.get("private", {}).items():
            self.private.push(name, {path: text.encode() for path, text in files.items()})
        copied = self.wanted.get("copied", {})
        if copied:
            config = self.scratch / "docker-login"
            config.mkdir()
            (config / "config.json").write_text(self.private.auth_config())
            for name, image in copied.items():
                there = self.private.image(name)
                subprocess.run(["docker", "tag", image, there], check=True)
                try:
                    subprocess.run(["docker", "--config", str(config), "push", "--quiet", there], check=True, stdout=subprocess.DEVNULL)
                finally:  # the jobs shall have to pull it
                    subprocess.run(["docker", "rmi", there], check=True, stdout=subprocess.DEVNULL)

    def namespace(self, name):
        return f"berth-guide-{name}-{self.suffix}"

    def _make_namespace(self, name):
        """The token of its deployer."""
        namespace = self.namespace(name)
        self.cluster.make_namespace(namespace)
        self.cleanup.callback(self.cluster.remove_namespace, namespace)
        root = f"/api/v1/namespaces/{namespace}"
        self.cluster.call("POST", f"{root}/secrets", {
            "metadata": {"name": "registry"}, "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": base64.b64encode(self.private.auth_config().encode()).decode()}})
        for account in ("default", "deployer"):
            if account == "deployer":
                self.cluster.call("POST", f"{root}/serviceaccounts", {"metadata": {"name": account}})
            self.cluster.call("PATCH", f"{root}/serviceaccounts/{account}", {"imagePullSecrets": [{"name": "registry"}]},
                              "application/merge-patch+json")
        self.cluster.call("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", {
            "metadata": {"name": "deployer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": namespace}]})
        return self.cluster.call("POST", f"{root}/serviceaccounts/deployer/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}})["status"]["token"]

    def kubeconfig(self, names):
        contexts = {name: self.wanted["namespaces"][name] for name in names}
        return json.dumps({
            "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": next(iter(contexts.values())),
            "clusters": [{"name": "cluster", "cluster": {"server": f"https://{self.cluster.host}:{self.cluster.port}",
                                                         "certificate-authority-data": self.cluster.authority}}],
            "users": [{"name": f"deployer-{name}", "user": {"token": self.tokens[name]}} for name in names],
            "contexts": [{"name": context, "context": {"cluster": "cluster", "user": f"deployer-{name}",
                                                       "namespace": self.namespace(name)}}
                         for name, context in contexts.items()]})

    def service_account_key(self, wanted):
        """One member a line, as the cloud writes it; the registry takes it for _json_key."""
        lines = base64.encodebytes(secrets.token_bytes(1200)).decode().split()
        private = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(lines) + "\n-----END PRIVATE KEY-----\n"
        escaped = json.dumps(private)[1:-1]
        text = json.dumps({
            "type": "service_account", "project_id": wanted["project"],
            "private_key_id": hashlib.sha256(escaped.encode()).hexdigest(), "private_key": private,
            "client_email": f"deployer@{wanted['project']}.example", "client_id": "104",
            "token_uri": "https://oauth2.example/token",
            "stand_in_kubeconfig": base64.b64encode(self.kubeconfig([wanted["namespace"]]).encode()).decode()}, indent=2)
        # bcrypt looks at 72 bytes; the library that makes it here takes no more than 512.
        with open(self.private.folder / "htpasswd", "a") as users:
            users.write(f"_json_key:{crypt.crypt(text[:72], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))}\n")
        return text

    def put_in(self, text):
        for mark, value in (("@REGISTRY@", self.private.host), ("@FILES@", self.downloads.url), ("@USER@", self.private.user),
                            ("@PASSWORD@", self.private.password)):
            text = text.replace(mark, value)
        for name in self.wanted.get("namespaces", {}):
            text = text.replace(f"@NAMESPACE:{name}@", self.namespace(name))
        return text

    def write_variables(self, path):
        """As `berth local --variables-file` reads them."""
        every = []

        def add(key, value, **more):
            more = {"raw": True, **more}
            every.append({"key": key, "value": self.put_in(value), **more})
        for key, value in self.wanted.get("variables", {}).items():
            value = value if isinstance(value, dict) else {"value": value}
            add(key, value["value"], masked=value.get("masked", False))
        for key, values in self.wanted.get("by_environment", {}).items():
            for environment, value in values.items():
                add(key, value, environment_scope=environment)
        if kubeconfig := self.wanted.get("kubeconfig"):
            raw = self.kubeconfig(list(self.wanted["namespaces"])).encode()
            # As `base64` wraps it where it is told nothing.
            encoded = base64.encodebytes(raw) if kubeconfig.get("wrapped") else base64.b64encode(raw)
            add(kubeconfig["variable"], encoded.decode())
        if key := self.wanted.get("service_account_key"):
            text = self.service_account_key(key)
            add(key["variable"], text if key.get("raw") else base64.encodebytes(text.encode()).decode())
        path.touch(mode=0o600)
        path.write_text(json.dumps(every))

    def daemon_settings(self):
        """For the jobs' own daemons, as an operator mounts it."""
        path = self.scratch / "daemon.json"
        path.write_text(json.dumps({"registry-mirrors": [f"http://{self.mirror.host}"],
                                    "insecure-registries": [self.private.host]}))
        os.chmod(path, 0o644)
        return path

    def workload(self, namespace, path):
        kind = path.split("/")[0]
        group = {"deployments": "apis/apps/v1", "jobs": "apis/batch/v1"}[kind]
        return self.cluster.call("GET", f"/{group}/namespaces/{self.namespace(namespace)}/{path}")
