"""The Docker engine of a test, asked over its unix socket: what is there, what is left."""
import http.client
import json
import os
import socket
import urllib.parse


class NoEngine(Exception):
    """No engine answers at DOCKER_HOST."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("engine")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Engine:
    def __init__(self, host=None):
        host = host or os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        if not host.startswith("unix://"):
            raise NoEngine(f"{host}: these tests look at an engine through its unix socket")
        self.host, self.path = host, host[len("unix://"):]
        try:
            self.call("GET", "/_ping")
        except OSError as error:
            raise NoEngine(f"{host}: {error}") from error

    def call(self, method, path, body=None):
        connection = _Connection(self.path)
        try:
            connection.request(method, path if path == "/_ping" else "/v1.41" + path,
                               None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {data.decode(errors='replace')}")
            return json.loads(data) if data[:1] in (b"{", b"[") else data
        finally:
            connection.close()

    def _list(self, path, label):
        mark = "&" if "?" in path else "?"
        filters = urllib.parse.quote(json.dumps({"label": [label]}))
        return self.call("GET", f"{path}{mark}filters={filters}")

    def objects(self, tmpdir_prefix, label="berth.tmpdir"):
        """Names of what attempts with a TMPDIR under the prefix have left, sorted."""
        found = []
        for one in self._list("/containers/json?all=1", label):
            found.append((one["Labels"], one["Names"][0].lstrip("/")))
        for one in self._list("/networks", label):
            found.append((one["Labels"], one["Name"]))
        for one in self._list("/volumes", label)["Volumes"] or []:
            found.append((one["Labels"], one["Name"]))
        return sorted(name for labels, name in found if labels[label].startswith(str(tmpdir_prefix)))

    def containers(self, tmpdir, label="berth.tmpdir"):
        """Ids of the containers of attempts with a TMPDIR under the prefix, ended ones too."""
        return [one["Id"] for one in self._list("/containers/json?all=1", label)
                if one["Labels"][label].startswith(str(tmpdir))]

    def descriptions(self, tmpdir, label="berth.tmpdir"):
        """All that the engine tells of an attempt's containers, volumes and networks, as texts."""
        texts = [self.call("GET", f"/containers/{one}/json") for one in self.containers(tmpdir)]
        texts += [one for path in ("/networks", "/volumes") for all_of in [self._list(path, label)]
                  for one in (all_of["Volumes"] or [] if path == "/volumes" else all_of)
                  if one["Labels"][label].startswith(str(tmpdir))]
        return [json.dumps(one) for one in texts]

    def remove_kept_volumes(self, project):
        """The checkouts and caches that jobs of the project have left for its next job."""
        label = f"com.gitlab.gitlab-runner.project.id={project}"
        for one in self._list("/volumes", label)["Volumes"] or []:
            self.call("DELETE", f"/volumes/{one['Name']}")

    def has_image(self, name):
        try:
            self.call("GET", f"/images/{name}/json")
            return True
        except RuntimeError:
            return False
