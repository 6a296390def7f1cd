#!/usr/bin/env python3
"""Brings a cluster of its own up and down, twice, and asks it for what the other suites rely on.

    test_dev_cluster.py SCRIPTS_DIR

Exit status: 0, 1, or 125 where no cluster can be started (not root, no Docker engine to take an image
from, programs not built).
"""
import glob
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import unittest

from cluster_api import Api, Refused

SCRIPTS = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "scripts")
NAME = "selftest"
STATE = pathlib.Path(os.environ.get("BERTH_DEV_STATE", "/var/lib/berth-dev"), NAME)
ENVIRONMENT = {**os.environ, "BERTH_DEV_CLUSTER": NAME}
IMAGE = "busybox:latest"


def run(script, *words):
    """Exit status and everything that was said."""
    done = subprocess.run([SCRIPTS / script, *words], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def must(script, *words):
    status, said = run(script, *words)
    assert status == 0, f"{script} {' '.join(words)} ended with {status}:\n{said}"
    return said


def pod(name, script, **container):
    return {"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [
        {"name": "main", "image": IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-c", script], **container}]}}


def traces():
    """What a cluster may have left on the machine."""
    found = [path for path in glob.glob(f"/sys/fs/cgroup/*berth-dev-{NAME}") + glob.glob(f"/sys/fs/cgroup/*/berth-dev-{NAME}")]
    found += [path for path in (f"/sys/class/net/bd-{NAME}", f"{STATE}/run", f"{STATE}/kubeconfig", f"{STATE}/pid") if os.path.exists(path)]
    for process in glob.glob("/proc/[0-9]*"):
        for file in ("cmdline", "mountinfo"):
            try:
                if f"{STATE}/" in pathlib.Path(process, file).read_text():
                    found.append(f"{process}/{file}")
            except OSError:
                pass
    rules = subprocess.run(["iptables-save"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found += [line for line in rules.splitlines() if f"berth-dev {NAME}" in line]
    return found


class DevCluster(unittest.TestCase):
    maxDiff = None

    @classmethod
    def tearDownClass(cls):
        run("dev-cluster", "down", "--purge")

    def api(self, token=None):
        return Api(json.loads(must("dev-cluster", "kubectl", "config", "view", "--raw", "--output", "json")), token)

    def namespace(self, api, name, labels=None):
        api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels or {}}})
        next(api.watch(f"/api/v1/namespaces/{name}/serviceaccounts", "default"))
        return f"/api/v1/namespaces/{name}"

    def log_of(self, api, namespace, body):
        """Runs the pod to its end; its phase and its log."""
        name = body["metadata"]["name"]
        api.call("POST", f"{namespace}/pods", body)
        for seen in api.watch(f"{namespace}/pods", name):
            if seen["status"].get("phase") in ("Succeeded", "Failed"):
                break
        log = api.text("GET", f"{namespace}/pods/{name}/log")
        api.call("DELETE", f"{namespace}/pods/{name}")
        return seen["status"]["phase"], log

    def refused(self, status, words, call, *arguments):
        with self.assertRaises(Refused) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.status, status, caught.exception.message)
        self.assertIn(words, caught.exception.message)

    def check_down(self):
        status, said = run("dev-cluster", "status")
        self.assertEqual((status, said), (3, f"{NAME}: down\n"))
        self.assertEqual(traces(), [])

    def check_pods(self, api):
        namespace = self.namespace(api, "pods")
        # Its log, its name server, and a service's address by way of kube-proxy.
        self.assertEqual(self.log_of(api, namespace, pod("talks", "echo one; echo two; exit 3")), ("Failed", "one\ntwo\n"))
        phase, log = self.log_of(api, namespace, pod(
            "asks", "nslookup kubernetes.default.svc.cluster.local && nc -w 10 kubernetes.default 443 </dev/null"))
        self.assertEqual(phase, "Succeeded", log)
        # All that CAP_SYS_RESOURCE would be needed for, where the machine lacks it.
        privileged = pod("may-all", "mount -t tmpfs none /tmp && echo mounted", securityContext={"privileged": True})
        self.assertEqual(self.log_of(api, namespace, privileged), ("Succeeded", "mounted\n"))

    def check_ways(self, api):
        """From the machine to a pod and to a service, from a pod to the machine: each by its own address."""
        namespace = self.namespace(api, "ways")
        api.call("POST", f"{namespace}/pods", pod("listens", "nc -l -p 8080 -e echo hello"))
        for seen in api.watch(f"{namespace}/pods", "listens"):
            if seen["status"].get("phase") == "Running":
                break
        with self.connected((seen["status"]["podIP"], 8080)) as connection:
            self.assertEqual(connection.recv(100), b"hello\n")
        self.connected((api.call("GET", "/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"], 443)).close()
        with socket.create_server(("0.0.0.0", 0)) as server:
            server.settimeout(60)
            api.call("POST", f"{namespace}/pods", pod("calls", f"echo hello | nc -w 10 machine.berth-dev.test {server.getsockname()[1]}"))
            connection, peer = server.accept()
            with connection:
                self.assertEqual(connection.recv(100), b"hello\n")
        for seen in api.watch(f"{namespace}/pods", "calls"):
            if seen["status"].get("podIP"):
                break
        self.assertEqual(peer[0], seen["status"]["podIP"])

    def connected(self, address):
        """A process that has just started listens a moment later."""
        for _ in range(1000):
            try:
                return socket.create_connection(address, 10)
            except ConnectionRefusedError:
                pass
        return self.fail(f"{address} refuses connections")

    def check_pod_security(self, api):
        namespace = self.namespace(api, "strict", {"pod-security.kubernetes.io/enforce": "restricted"})
        self.refused(403, "violates PodSecurity", api.call, "POST", f"{namespace}/pods",
                     pod("may-all", "true", securityContext={"privileged": True}))
        meek = pod("meek", "id -u", securityContext={"allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 1000,
                   "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}})
        self.assertEqual(self.log_of(api, namespace, meek), ("Succeeded", "1000\n"))

    def check_rbac(self, api):
        namespace = self.namespace(api, "rights")
        token = api.call("POST", f"{namespace}/serviceaccounts/default/token", {"spec": {}})["status"]["token"]
        meek = self.api(token)
        self.refused(403, 'cannot list resource "pods"', meek.call, "GET", f"{namespace}/pods")
        group = "/apis/rbac.authorization.k8s.io/v1/namespaces/rights"
        api.call("POST", f"{group}/roles", {"metadata": {"name": "reader"}, "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]})
        api.call("POST", f"{group}/rolebindings", {
            "metadata": {"name": "reader"}, "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "rights"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}})
        for _ in range(1000):
            # The authorizer sees the binding by a watch of its own.
            try:
                self.assertEqual(meek.call("GET", f"{namespace}/pods")["items"], [])
                break
            except Refused:
                pass
        else:
            self.fail("a role and its binding give no right")
        self.refused(403, 'cannot delete resource "pods"', meek.call, "DELETE", f"{namespace}/pods/any")

    def check_restarts(self, api):
        """Each daemon killed, and another pod after that; the pod that runs meanwhile goes on."""
        namespace = self.namespace(api, "restarts")
        api.call("POST", f"{namespace}/pods", pod("stays", "sleep infinity"))
        for seen in api.watch(f"{namespace}/pods", "stays"):
            if seen["status"].get("phase") == "Running":
                break
        for daemon in ("etcd", "containerd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns"):
            must("dev-cluster", "kill", daemon)
        must("dev-cluster", "up")
        self.assertEqual(self.log_of(api, namespace, pod("after", "echo after")), ("Succeeded", "after\n"))
        stays = api.call("GET", f"{namespace}/pods/stays")["status"]
        self.assertEqual((stays["phase"], stays["containerStatuses"][0]["restartCount"]), ("Running", 0))

    def test_up_and_down_twice(self):
        self.check_down()
        must("dev-cluster", "up")
        first = (STATE / "pid").read_text()
        must("dev-cluster", "up")
        self.assertEqual((STATE / "pid").read_text(), first, "a second `up` started another one")
        said = must("dev-cluster", "status")
        for words in ("etcd runs", "kubelet runs", "the node is ready"):
            self.assertIn(words, said)
        self.assertEqual(must("dev-cluster", "env"), f"export KUBECONFIG={STATE}/kubeconfig\n")
        self.assertIn(IMAGE, must("dev-images", "--cluster", IMAGE))
        self.assertEqual(must("dev-images", "--cluster", IMAGE), "", "an image was imported though it was there")

        api = self.api()
        self.check_pods(api)
        self.check_ways(api)
        self.check_pod_security(api)
        self.check_rbac(api)
        self.check_restarts(api)

        # With pods running.
        must("dev-cluster", "down")
        self.check_down()
        must("dev-cluster", "down")
        must("dev-cluster", "up")
        # A new cluster, with the images of the old one and none of its pods.
        api = self.api()
        self.refused(404, "not found", api.call, "GET", "/api/v1/namespaces/restarts")
        namespace = self.namespace(api, "again")
        self.assertEqual(self.log_of(api, namespace, pod("again", "echo again")), ("Succeeded", "again\n"))
        must("dev-cluster", "down", "--purge")
        self.check_down()
        self.assertFalse(STATE.exists())


def cannot_run():
    if os.geteuid() != 0:
        return "only root starts clusters"
    if not shutil.which("docker") or run("dev-images", "--list")[0] != 0:
        return "no Docker engine to take an image from"
    cache = os.environ.get("BERTH_DEV_CACHE", "/var/cache/berth")
    if not required() and not glob.glob(f"{cache}/cluster-node/*/cluster-node"):
        return "its programs are not built, which takes minutes: scripts/dev-cluster build"
    return None


def required():
    return "kubernetes" in os.environ.get("BERTH_REQUIRE", "").split()


if __name__ == "__main__":
    reason = cannot_run()
    if reason:
        print(reason)
        sys.exit(1 if required() else 125)
    unittest.main(argv=sys.argv[:1])
