"""What the behaviours need of a backend, and nothing they assert."""
import itertools
import json
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import engine_api  # noqa: E402
import kubernetes_api  # noqa: E402
import play_runner  # noqa: E402

HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v19.4.0"


def processes(mark):
    """The pids of this machine's processes, containers' among them, that have the mark in an argument."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if mark.encode() in text:
            found.append(int(path.parent.name))
    return found


class DockerBackend:
    """A Docker engine; `direct` by the agents' sockets, otherwise through engine execs."""

    suite = "docker"
    keeps_checkouts = True

    def __init__(self, bin_dir, direct=True):
        self.engine = engine_api.Engine()
        self.bin = bin_dir
        self.direct = direct
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="berth-conformance-"))
        self.jobs = self.root / "jobs"
        self.state = self.root / "state"
        # Lines of the settings file outside of its docker section.
        self.common = []
        self.count = itertools.count(1)

    def settings(self, **docker):
        values = {"host": self.engine.host, "helper_image": HELPER, "pull_policy": "if-not-present", **docker}
        lines = ["backend: docker", f"state_dir: {self.state}", *self.common, "docker:"]
        lines += [f"  {key}: {value}" for key, value in values.items()]
        path = self.root / f"berth-{next(self.count)}.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def attempt(self, response, variables=None, **settings):
        environment = dict(os.environ)
        environment["BERTH_TRANSPORT"] = "direct" if self.direct else "exec"
        return play_runner.Attempt(self.bin, self.settings(**settings), response, self.jobs,
                                   environment=environment, variables=variables)

    def leftovers(self, tmpdir=None):
        """Objects and files that this test's jobs, or the one with this TMPDIR, have left."""
        records = [*(self.state / "run").glob("*/owner"), *(self.state / "holders").glob("*")]
        files = [str(path) for path in records if tmpdir is None or str(tmpdir) in path.read_text()]
        return self.engine.objects(tmpdir or self.jobs) + files

    def containers(self, tmpdir):
        return self.engine.containers(tmpdir)

    def descriptions(self, tmpdir):
        """All that the engine tells of a job's objects, as texts."""
        return self.engine.descriptions(tmpdir)

    def close(self):
        self.engine.remove_kept_volumes(PROJECT)
        shutil.rmtree(self.root)


MANIFESTS = pathlib.Path(__file__).resolve().parent.parent.parent / "runner-config" / "kubernetes"


class KubernetesBackend:
    """A cluster, in a namespace of these tests' own. Berth is the service account of runner-config/kubernetes/rbac.yaml
    and may do what its Role says; the tests themselves look at the cluster as its administrator."""

    suite = "kubernetes"
    # /builds is the pod's own, and goes with it.
    keeps_checkouts = False

    def __init__(self, bin_dir):
        self.cluster = kubernetes_api.Cluster()
        self.bin = bin_dir
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="berth-conformance-"))
        self.jobs = self.root / "jobs"
        self.state = self.root / "state"
        # Lines of the settings file outside of its kubernetes section.
        self.common = []
        self.namespace = f"berth-conformance-{os.getpid()}"
        self.cluster.make_namespace(self.namespace)
        self.cluster.apply(MANIFESTS / "rbac.yaml", self.namespace)
        self.kubeconfig = self.cluster.account_kubeconfig(self.namespace, "berth-driver", self.root / "kubeconfig")
        self.count = itertools.count(1)

    def settings(self, **more):
        # The behaviours speak in Docker's words where the two differ.
        if "memory" in more:
            more["memory_limit"] = more.pop("memory").replace("m", "Mi")
        if "shm_size" in more:
            more["volumes"] = "{empty_dir: [{name: shm, mount_path: /dev/shm, medium: Memory, size_limit: %d}]}" % more.pop("shm_size")
        values = {"kubeconfig": self.kubeconfig, "namespace": self.namespace, "helper_image": HELPER,
                  "pull_policy": "if-not-present", **more}
        lines = ["backend: kubernetes", f"state_dir: {self.state}", *self.common, "kubernetes:"]
        lines += [f"  {key}: {value}" for key, value in values.items()]
        path = self.root / f"berth-{next(self.count)}.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def attempt(self, response, variables=None, tunnels=True, **settings):
        """`tunnels`: whether execs are kept for all stages, or each makes its own."""
        if response["image"].get("entrypoint"):
            variables = {"FF_KUBERNETES_HONOR_ENTRYPOINT": "true", **(variables or {})}
        environment = dict(os.environ, BERTH_TRANSPORT="direct" if tunnels else "exec")
        return play_runner.Attempt(self.bin, self.settings(**settings), response, self.jobs,
                                   environment=environment, variables=variables)

    def leftovers(self, tmpdir=None):
        """What this test's jobs, or the one with this TMPDIR, have left and nobody deletes."""
        mark = "berth.tmpdir"
        pods = self.cluster.items(self.namespace, "pods")
        going = {one["metadata"]["uid"] for one in pods if "deletionTimestamp" in one["metadata"]}
        uids = {one["metadata"]["uid"] for one in pods}
        left = [one for one in pods if one["metadata"]["uid"] not in going]
        for one in self.cluster.items(self.namespace, "secrets"):
            owners = [owner["uid"] for owner in one["metadata"].get("ownerReferences", [])]
            # One whose owner goes, or is gone, is collected by the cluster.
            if not owners or any(owner in uids - going for owner in owners):
                left.append(one)
        return sorted(one["metadata"]["name"] for one in left
                      if one["metadata"].get("annotations", {}).get(mark, "").startswith(str(tmpdir or self.jobs)))

    def containers(self, tmpdir):
        return [one["metadata"]["name"] for one in self.cluster.items(self.namespace, "pods")
                if one["metadata"].get("annotations", {}).get("berth.tmpdir", "").startswith(str(tmpdir))
                and "deletionTimestamp" not in one["metadata"]]

    def descriptions(self, tmpdir):
        """All that the cluster tells of a job's objects but its Secret, as texts."""
        return [json.dumps(one) for one in self.cluster.items(self.namespace, "pods")
                if one["metadata"].get("annotations", {}).get("berth.tmpdir", "").startswith(str(tmpdir))]

    def close(self):
        try:
            self.cluster.wait_for(lambda: not self.cluster.items(self.namespace, "pods"), "all pods gone")
            self.cluster.wait_for(lambda: not self.cluster.items(self.namespace, "secrets"), "all secrets gone")
        finally:
            self.cluster.remove_namespace(self.namespace)
            shutil.rmtree(self.root)


# A project of these tests' own, so that their kept volumes can be told from others.
PROJECT = 900000 + os.getpid() % 90000


def make(name, bin_dir):
    return {"docker": lambda: DockerBackend(bin_dir), "docker-exec": lambda: DockerBackend(bin_dir, direct=False),
            "kubernetes": lambda: KubernetesBackend(bin_dir)}[name]()
