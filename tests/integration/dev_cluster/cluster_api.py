"""The Kubernetes API by plain HTTPS requests."""
import base64
import http.client
import json
import os
import pathlib
import ssl
import tempfile
import urllib.parse


class Refused(Exception):
    """An answer with an error status; `message` is the server's."""

    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Api:
    """Of the cluster and the user of a kubeconfig (its JSON form), or of a service account by its token."""

    def __init__(self, config, token=None):
        cluster = config["clusters"][0]["cluster"]
        user = config["users"][0]["user"]
        self.server = urllib.parse.urlparse(cluster["server"])
        self.headers = {"Content-Type": "application/json"}
        self.tls = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
            return
        with tempfile.TemporaryDirectory() as folder:
            for name in ("client-certificate", "client-key"):
                pathlib.Path(folder, name).write_bytes(base64.b64decode(user[f"{name}-data"]))
            self.tls.load_cert_chain(os.path.join(folder, "client-certificate"), os.path.join(folder, "client-key"))

    def _open(self, method, path, body, timeout):
        connection = http.client.HTTPSConnection(
            self.server.hostname, self.server.port, context=self.tls, timeout=timeout)
        connection.request(method, path, json.dumps(body) if body is not None else None, self.headers)
        answer = connection.getresponse()
        if answer.status >= 400:
            text = answer.read().decode()
            connection.close()
            try:
                text = json.loads(text)["message"]
            except (ValueError, KeyError):
                pass
            raise Refused(answer.status, text)
        return connection, answer

    def text(self, method, path, body=None):
        connection, answer = self._open(method, path, body, 60)
        try:
            return answer.read().decode()
        finally:
            connection.close()

    def call(self, method, path, body=None):
        return json.loads(self.text(method, path, body))

    def watch(self, path, name, seconds=120):
        """Every state of that object, from the present one on; ends with an error when the seconds have passed."""
        query = urllib.parse.urlencode(
            {"watch": "1", "fieldSelector": f"metadata.name={name}", "timeoutSeconds": seconds})
        connection, answer = self._open("GET", f"{path}?{query}", None, seconds + 30)
        last = None
        try:
            for line in answer:
                event = json.loads(line)
                if event["type"] not in ("BOOKMARK", "ERROR"):
                    last = event["object"]
                    yield last
        finally:
            connection.close()
        raise AssertionError(f"{path}/{name} did not come to what was waited for; last seen: {json.dumps(last)}")
