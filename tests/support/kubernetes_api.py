"""The Kubernetes cluster of a test, asked over its API with the kubeconfig's client certificate."""
import base64
import http.client
import json
import os
import pathlib
import re
import ssl
import tempfile
import time
import urllib.parse


class NoCluster(Exception):
    """No cluster answers where KUBECONFIG says."""


class ApiError(RuntimeError):
    def __init__(self, method, path, status, text):
        super().__init__(f"{method} {path}: {status} {text}")
        self.status = status


def manifests(path, namespace):
    """The documents of a file of runner-config/kubernetes, for this namespace in place of `berth`."""
    text = re.sub(r"^(\s*(?:- )?namespace:) berth$", rf"\1 {namespace}", pathlib.Path(path).read_text(), flags=re.MULTILINE)
    return [one for one in re.split(r"^---$", text, flags=re.MULTILINE) if re.search(r"^kind:", one, re.MULTILINE)]


class Cluster:
    """Of the first context alone, and of a user with a certificate: what scripts/dev-cluster makes."""

    def __init__(self):
        path = os.environ.get("KUBECONFIG", "")
        if not path or not pathlib.Path(path).exists():
            raise NoCluster("KUBECONFIG names no file: scripts/dev-cluster up, then eval \"$(scripts/dev-cluster env)\"")
        self.kubeconfig = path
        text = pathlib.Path(path).read_text()

        def field(name):
            match = re.search(rf"^\s+{name}:\s*\"?([^\s\"]+)", text, re.MULTILINE)
            if match is None:
                raise NoCluster(f"{path}: no {name}; these tests want a client certificate in the file")
            return match.group(1)

        server = urllib.parse.urlsplit(field("server"))
        self.host, self.port = server.hostname, server.port or 443
        self.authority = field("certificate-authority-data")
        self.tls = ssl.create_default_context(cadata=base64.b64decode(self.authority).decode())
        with tempfile.NamedTemporaryFile("wb") as both:
            both.write(base64.b64decode(field("client-certificate-data")) + b"\n")
            both.write(base64.b64decode(field("client-key-data")))
            both.flush()
            self.tls.load_cert_chain(both.name)
        try:
            self.call("GET", "/readyz")
        except OSError as error:
            raise NoCluster(f"{self.host}:{self.port}: {error}") from error

    def kubeconfig_through(self, address, path):
        """A copy at `path` that reaches the same server at another address, a proxy's."""
        host, port = address
        text = pathlib.Path(self.kubeconfig).read_text()
        # A name that every API server's certificate has.
        text, count = re.subn(r"^(\s+)server:.*$", rf"\1server: https://{host}:{port}\n\1tls-server-name: kubernetes", text,
                              flags=re.MULTILINE)
        if count != 1:
            raise NoCluster(f"{self.kubeconfig}: {count} servers; these tests want one")
        path = pathlib.Path(path)
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def call(self, method, path, body=None, content_type="application/json"):
        """`body`: an object, or text as it is."""
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=60)
        try:
            connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body),
                               {"Content-Type": content_type})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status >= 400:
                raise ApiError(method, path, answer.status, data.decode(errors="replace"))
            return json.loads(data) if data[:1] == b"{" else data
        finally:
            connection.close()

    def make_namespace(self, name, labels=None):
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels or {}}})
        # Without it no pod is admitted.
        self.wait_for(lambda: self.find(f"/api/v1/namespaces/{name}/serviceaccounts/default"), "service account")

    def remove_namespace(self, name):
        self.call("DELETE", f"/api/v1/namespaces/{name}")

    def apply(self, manifest, namespace, dry_run=False):
        """Objects of a file of runner-config/kubernetes, server-side, in this namespace in place of its own.
        Returns what the server makes of each; a field it does not know is an error."""
        made = []
        for text in manifests(manifest, namespace):
            kind, name = (re.search(pattern, text, re.MULTILINE).group(1) for pattern in (r"^kind: (\S+)", r"^  name: (\S+)"))
            group = re.search(r"^apiVersion: (\S+)", text, re.MULTILINE).group(1)
            root = f"/apis/{group}" if "/" in group else f"/api/{group}"
            query = "?fieldManager=berth-tests&force=true&fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
            made.append(self.call("PATCH", f"{root}/namespaces/{namespace}/{kind.lower()}s/{name}{query}", text,
                                  "application/apply-patch+yaml"))
        return made

    def account_kubeconfig(self, namespace, account, path):
        """Writes a kubeconfig of a service account, with a token for an hour, as `kubectl create token` gives it."""
        token = self.call("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
                          {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                           "spec": {"expirationSeconds": 7200}})["status"]["token"]
        context = {"cluster": "c", "user": "u", "namespace": namespace}
        path.touch(mode=0o600)
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "c", "cluster": {"server": f"https://{self.host}:{self.port}",
                                                   "certificate-authority-data": self.authority}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": context}]}))
        return path

    def find(self, path):
        try:
            return self.call("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def listable(self, namespace=None):
        """Paths of the lists of every kind that can be listed and watched: in this namespace, or in the whole cluster."""
        groups = self.call("GET", "/apis")["groups"]
        roots = ["/api/v1"] + [f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups]
        paths = []
        for root in roots:
            for kind in self.call("GET", root)["resources"]:
                if {"list", "watch"} <= set(kind["verbs"]) and (kind["namespaced"] or namespace is None):
                    paths.append(f"{root}/namespaces/{namespace}/{kind['name']}" if namespace else f"{root}/{kind['name']}")
        return paths

    def items(self, namespace, plural, selector=""):
        query = "?labelSelector=" + urllib.parse.quote(selector) if selector else ""
        return self.call("GET", f"/api/v1/namespaces/{namespace}/{plural}{query}")["items"]

    @staticmethod
    def wait_for(what, name, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = what()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{name}: not within {seconds} s")
