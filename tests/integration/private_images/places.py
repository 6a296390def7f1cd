"""The two places that images are pulled to: the development engine and the development cluster."""
import ipaddress
import json
import pathlib
import socket
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "conformance"), str(TESTS / "support")]
import backends  # noqa: E402
import kubernetes_api  # noqa: E402
import registry as registries  # noqa: E402

SCRIPTS = TESTS.parent / "scripts"


def run(*words):
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: exit status {done.returncode}: {done.stdout}")


class Place:
    """Where images are pulled to; `program` is told of registries."""

    program = None

    def trust(self, host, authority):
        run(self.program, "registry", host, authority)

    def distrust(self, host):
        run(self.program, "registry", "--forget", host)


class Docker(Place):
    """The engine of scripts/dev-engine."""

    suite = "docker"
    # What it says of a pull that it will try again, and where to look for its refusals.
    again = "is tried again"
    refused = ("no basic auth credentials", "unauthorized")
    absent = ("manifest unknown",)
    # Connections that a test cuts: more than one try has.
    cuts = 4
    program = SCRIPTS / "dev-engine"

    def __init__(self, bin_dir):
        self.backend = backends.DockerBackend(bin_dir)

    def address(self):
        """One that the engine does not take on trust."""
        info = self.backend.engine.call("GET", "/info")
        trusted = [ipaddress.ip_network(one) for one in info["RegistryConfig"]["InsecureRegistryCIDRs"]]
        listed = subprocess.run(["ip", "-json", "-4", "address"], stdout=subprocess.PIPE, check=True)
        for link in json.loads(listed.stdout):
            for one in link["addr_info"]:
                if not any(ipaddress.ip_address(one["local"]) in net for net in trusted):
                    return one["local"]
        raise registries.NoRegistry("this machine has no address that the engine does not take on trust")

    def about(self, job):
        """All that the engine says of the job's containers."""
        engine = self.backend.engine
        names = [one for one in engine.objects(job.tmpdir) if one.startswith("berth-")]
        found = []
        for name in names:
            try:
                found.append(json.dumps(engine.call("GET", f"/containers/{name}/json")))
            except RuntimeError:  # a network, a volume
                continue
        return found

    def forget(self, image):
        try:
            self.backend.engine.call("DELETE", f"/images/{image}?force=1")
        except RuntimeError:
            pass


class Kubernetes(Place):
    """The cluster of scripts/dev-cluster."""

    suite = "kubernetes"
    again = "' yet: "
    refused = ("authorization failed", "unauthorized", "401 Unauthorized", "no basic auth credentials")
    absent = ("not found",)
    # A kubelet's tries are 10 s apart, then 20, then 40.
    cuts = 2
    program = SCRIPTS / "dev-cluster"

    def __init__(self, bin_dir):
        cluster = kubernetes_api.Cluster()
        own = subprocess.run([self.program, "kubeconfig"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        if cluster.kubeconfig != own:
            raise kubernetes_api.NoCluster("this cluster is not of scripts/dev-cluster, which can be told of a registry")
        self.backend = backends.KubernetesBackend(bin_dir)

    def address(self):
        """Of this machine, as the node sees it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect((self.backend.cluster.host, self.backend.cluster.port))
            return way.getsockname()[0]

    def about(self, job):
        pods = self.backend.cluster.items(self.backend.namespace, "pods")
        return [json.dumps(one) for one in pods if one["metadata"]["annotations"].get("berth.tmpdir") == str(job.tmpdir)]

    def forget(self, image):
        subprocess.run([self.program, "enter", "ctr", "--namespace", "k8s.io", "images", "rm", image], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
