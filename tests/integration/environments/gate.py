#!/usr/bin/env python3
"""Prepared rollouts on a real cluster: the health gate's verdict on each is right, with the cause in one line; and
what stood there before comes back, as read from the cluster.

    gate.py GATE_TOOL [--record DIR] [unittest arguments]

Scripts are kubectl's own, as in a deploy job. `--record DIR` keeps the objects that each verdict was given on, for
tests/unit/environments. Where no cluster can be had it ends with 125, or fails if BERTH_REQUIRE names it.
"""
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "support")]
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402

CLUSTER = None
TOOL = None
KUBECTL = None
RECORD = None
REGISTRY = ("10.90.0.1", 5401)
KEPT = {"deployments": "apps/v1", "statefulsets": "apps/v1", "daemonsets": "apps/v1", "replicasets": "apps/v1",
        "jobs": "batch/v1", "pods": "v1", "events": "v1"}


class Closed(http.server.BaseHTTPRequestHandler):
    """A registry that wants a login for everything."""

    def do_GET(self):
        body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="registry"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def container(image="busybox:latest", script="sleep 3600", **more):
    return {"name": "app", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script], **more}


def pod(*containers, **more):
    return {"metadata": {"labels": {"app": "web"}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": list(containers or [container()]), **more}}


def deployment(template=None, **spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template or pod(), **spec}}


def stateful_set(template=None):
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
            "spec": {"replicas": 1, "serviceName": "web", "selector": {"matchLabels": {"app": "web"}},
                     "template": template or pod()}}


def job(script, image="busybox:latest"):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
            "spec": {"backoffLimit": 0,
                     "template": {"spec": {"restartPolicy": "Never", "containers": [container(image, script)]}}}}


READY = {"readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}}


class Gate(unittest.TestCase):
    def setUp(self):
        self.namespace = f"berth-gate-{os.getpid()}-{self._testMethodName.removeprefix('test_').replace('_', '-')}"[:63]
        CLUSTER.make_namespace(self.namespace)
        self.output = ""

    def tearDown(self):
        CLUSTER.remove_namespace(self.namespace)

    def kubectl(self, *words, given=None, good=True):
        done = subprocess.run([KUBECTL, "--namespace", self.namespace, *words], input=given, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        self.output += done.stdout
        if good:
            self.assertEqual(done.returncode, 0, done.stdout)
        return done

    def apply(self, *objects, good=True):
        for one in objects:
            self.kubectl("apply", "-f", "-", given=json.dumps(one), good=good)

    def tool(self, step, **request):
        request.update(step=step, namespace=self.namespace, kubeconfig=CLUSTER.kubeconfig)
        done = subprocess.run([TOOL], input=json.dumps(request), text=True, capture_output=True, timeout=240, check=False)
        self.log = done.stderr
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def before(self, *objects):
        """What stands there, healthy, before the deployment under test."""
        self.apply(*objects)
        for one in objects:
            name = f"{one['kind'].lower()}/{one['metadata']['name']}"
            if one["kind"] == "Job":
                self.kubectl("wait", "--for=condition=Complete", name, "--timeout=60s")
            else:
                self.kubectl("rollout", "status", name, "--timeout=60s")
        self.output = ""
        return self.tool("observe")

    def verdict(self, before, **request):
        answer = self.tool("conclude", before=before, output=self.output, **request)
        if RECORD:
            kept = {"namespace": self.namespace, "before": before, "after": answer.get("after"),
                    "trouble": answer.get("trouble")}
            for kind, group in KEPT.items():
                root = "/api/v1" if group == "v1" else f"/apis/{group}"
                kept[kind] = CLUSTER.call("GET", f"{root}/namespaces/{self.namespace}/{kind}")["items"]
                for one in kept[kind]:
                    for manager in one["metadata"].get("managedFields", []):
                        manager.pop("fieldsV1", None)
            name = self._testMethodName.removeprefix("test_")
            (RECORD / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")
        return answer

    def passes(self, before, **request):
        answer = self.verdict(before, **request)
        self.assertNotIn("error", answer)
        self.assertTrue(answer["passed"], f"{answer}\n{self.log}")
        return answer

    def fails(self, before, trouble, cause, **request):
        answer = self.verdict(before, **request)
        self.assertNotIn("error", answer)
        self.assertFalse(answer["passed"], f"{answer}\n{self.log}")
        self.assertEqual(answer["trouble"], trouble, f"{answer['cause']}\n{self.log}")
        self.assertNotIn("\n", answer["cause"])
        self.assertRegex(answer["cause"], cause)
        return answer

    def images(self):
        pods = CLUSTER.call("GET", f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return sorted({c["image"] for one in pods if "deletionTimestamp" not in one["metadata"]
                       for c in one["spec"]["containers"]})

    # The twelve.

    def test_good(self):
        before = self.before(deployment(pod(container(**READY))))
        self.apply(deployment(pod(container("debian:bookworm", **READY))))
        answer = self.passes(before)
        self.assertEqual(len(answer["differences"]), 1)
        self.assertRegex(answer["differences"][0], r"^Deployment 'web' changed: app: busybox:latest \(sha256:\w{12}\) -> debian:bookworm")
        image = answer["after"]["workloads"][0]["images"][0]
        self.assertRegex(image["digest"], "^sha256:[0-9a-f]{64}$")

    def test_slow_good(self):
        before = self.before(deployment())
        probe = {"readinessProbe": {"exec": {"command": ["test", "-f", "/tmp/ready"]}, "periodSeconds": 1}}
        self.apply(deployment(pod(container(script="sleep 12; touch /tmp/ready; sleep 3600", **probe))))
        self.passes(before)
        self.assertIn("health gate: Deployment 'web': ", self.log)

    def test_bad_image(self):
        before = self.before(deployment())
        self.apply(deployment(pod(container("berth-dev.invalid/none:1"))))
        self.fails(before, "image_pull", r"^Deployment 'web': container 'app' of pod 'web-\S+' cannot get its image "
                   r"'berth-dev.invalid/none:1': .*no such host")

    def test_pull_denied(self):
        before = self.before(deployment())
        self.apply(deployment(pod(container("10.90.0.1:5401/private/app:1"))))
        self.fails(before, "pull_denied", r"cannot get its image '10.90.0.1:5401/private/app:1': .*(401|authoriz)")

    def test_crash_loop(self):
        before = self.before(deployment())
        self.apply(deployment(pod(container(script="echo no database at db:5432; exit 3"))))
        self.fails(before, "crash_loop", r"container 'app' of pod 'web-\S+' ends again and again: exit code 3, 3 starts; "
                   r"last words: no database at db:5432")
        self.assertIn("| no database at db:5432", self.log)

    def test_failing_readiness(self):
        before = self.before(deployment())
        probe = {"readinessProbe": {"exec": {"command": ["sh", "-c", "echo cold; false"]}, "periodSeconds": 1}}
        self.apply(deployment(pod(container(**probe)), progressDeadlineSeconds=12))
        self.fails(before, "readiness", r"made no progress for 12 s .*container 'app' of pod 'web-\S+' runs but is not "
                   r"ready: Readiness probe failed: .*cold")

    def test_out_of_memory(self):
        before = self.before(deployment())
        self.apply(deployment(pod(container(script="tail /dev/zero", resources={"limits": {"memory": "24Mi"}}))))
        self.fails(before, "out_of_memory", r"container 'app' of pod 'web-\S+' runs out of memory")

    def test_quota(self):
        before = self.before(deployment())
        self.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}})
        self.apply(deployment(pod(container("debian:bookworm"))))
        self.fails(before, "quota", r"^Deployment 'web': its pods are refused: .*exceeded quota: small")

    def test_unschedulable(self):
        before = self.before(deployment())
        self.apply(deployment(pod(nodeSelector={"berth.test/nowhere": "true"})))
        self.fails(before, "unschedulable", r"^Deployment 'web': no node for pod 'web-\S+': 0/\d+ nodes are available")

    def test_failing_migration(self):
        before = self.before(deployment())
        self.apply(job("echo relation exists already; exit 4"), deployment(pod(container("debian:bookworm"))))
        self.fails(before, "job_failed", r"^Job 'migrate' failed: BackoffLimitExceeded.*exit code 4; last words: relation exists already")

    def test_immutable_job(self):
        before = self.before(deployment(), job("true"))
        self.apply(job("true", "debian:bookworm"), good=False)
        self.assertIn("field is immutable", self.output)
        self.apply(deployment(pod(container("debian:bookworm"))))
        answer = self.fails(before, "immutable_job", r"^Job 'migrate' was not run again: it has finished with image 'busybox:latest'")
        self.assertIn("kubectl delete job migrate", answer["hint"])

    def test_paused(self):
        before = self.before(deployment())
        self.apply(deployment(pod(container("debian:bookworm")), paused=True))
        self.fails(before, "paused", r"^Deployment 'web' is paused: 0 of 1 pod run what was deployed")

    # What else a pipeline does.

    def test_apply_then_set_image_is_named(self):
        before = self.before(deployment(pod(container("debian:bookworm", **READY))))
        self.apply(deployment(pod(container(**READY))))
        self.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        self.kubectl("set", "image", "deployment/web", "app=debian:bookworm")
        self.kubectl("set", "env", "deployment/web", "RELEASE=2")
        self.passes(before)
        self.assertRegex(self.log, r"Deployment 'web' was rolled out [23] times by one deployment")

    def test_a_container_that_ends_after_it_was_ready_is_no_success(self):
        before = self.before(deployment())
        self.apply(deployment(pod(container(script="sleep 2; exit 1"))))
        self.fails(before, "crash_loop", r"exit code 1, 3 starts")

    def test_a_failed_gate_brings_back_what_ran(self):
        before = self.before(deployment(pod(container(**READY))))
        bad = deployment(pod(container("berth-dev.invalid/none:1", **READY), {**container(), "name": "extra"}))
        self.apply(bad)
        answer = self.fails(before, "image_pull", "none:1", roll_back=True)
        self.assertTrue(answer["rolled_back"], f"{answer}\n{self.log}")
        self.assertEqual(answer["unlike"], [])
        live = CLUSTER.call("GET", f"/apis/apps/v1/namespaces/{self.namespace}/deployments/web")
        self.assertEqual([c["name"] for c in live["spec"]["template"]["spec"]["containers"]], ["app"])
        self.assertIn("berth", [m["manager"] for m in live["metadata"]["managedFields"]])
        self.assertEqual(self.images(), ["busybox:latest"])

    def test_a_stateful_set_comes_back_though_its_pod_is_broken(self):
        before = self.before(stateful_set())
        self.apply(stateful_set(pod(container("berth-dev.invalid/none:1"))))
        answer = self.fails(before, "image_pull", "none:1", roll_back=True)
        self.assertTrue(answer["rolled_back"], f"{answer}\n{self.log}")
        self.assertEqual(self.images(), ["busybox:latest"])

    def test_a_promotion_takes_the_digests_along(self):
        source = self.before(deployment(pod(container("debian:bookworm", **READY))))
        self.before(deployment(pod(container(**READY))))
        answer = self.tool("promote", source=source)
        self.assertEqual((answer["good"], answer["unlike"]), (True, []), f"{answer}\n{self.log}")
        self.assertEqual(self.images(), ["debian:bookworm"])

    def test_a_finished_record_is_rolled_back_to_by_hand(self):
        recorded = self.before(deployment(pod(container(**READY))), job("true"))
        self.before(deployment(pod(container("debian:bookworm", **READY))))
        self.kubectl("delete", "job", "migrate")
        answer = self.tool("rollback", source=recorded)
        self.assertTrue(answer["good"], f"{answer}\n{self.log}")
        self.assertEqual(self.images(), ["busybox:latest"])
        self.assertIsNone(CLUSTER.find(f"/apis/batch/v1/namespaces/{self.namespace}/jobs/migrate"))

    def test_an_account_without_rights_is_told_what_is_missing(self):
        path = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"{self.namespace}.kubeconfig"
        self.addCleanup(path.unlink, missing_ok=True)
        CLUSTER.account_kubeconfig(self.namespace, "default", path)
        done = subprocess.run([TOOL], input=json.dumps({"step": "observe", "namespace": self.namespace, "kubeconfig": str(path)}),
                              text=True, capture_output=True, timeout=60, check=True)
        unseen = json.loads(done.stdout)["unseen"]
        self.assertEqual([one.split(":")[0] for one in unseen],
                         ["deployments", "statefulsets", "daemonsets", "jobs", "cronjobs", "pods"])


def find_kubectl():
    beside = pathlib.Path(os.environ.get("KUBECONFIG", "/")).parent / "run/bin/kubectl"
    return shutil.which("kubectl") or (str(beside) if beside.exists() else None)


def tell_cluster(*how):
    """That it may pull from the test's registry, by plain HTTP; or may no more."""
    subprocess.run([str(ROOT.parent / "scripts/dev-cluster"), "registry", *how, "%s:%d" % REGISTRY], check=True,
                   stdout=subprocess.DEVNULL)


def main():
    global CLUSTER, TOOL, KUBECTL, RECORD
    TOOL, *arguments = sys.argv[1:]
    if arguments[:1] == ["--record"]:
        RECORD, arguments = pathlib.Path(arguments[1]), arguments[2:]
    try:
        CLUSTER = kubernetes_api.Cluster()
    except kubernetes_api.NoCluster as why:
        return leave_out.leave_out(str(why), "kubernetes")
    KUBECTL = find_kubectl()
    if KUBECTL is None:
        return leave_out.leave_out("no kubectl on PATH, nor beside KUBECONFIG", "kubernetes")
    try:
        registry = http.server.ThreadingHTTPServer(REGISTRY, Closed)
    except OSError as why:
        return leave_out.leave_out(f"{REGISTRY[0]}:{REGISTRY[1]}: {why}; these tests want scripts/dev-cluster", "kubernetes")
    threading.Thread(target=registry.serve_forever, daemon=True).start()
    try:
        tell_cluster()
        program = unittest.main(argv=[sys.argv[0], *arguments], exit=False, verbosity=2)
    finally:
        tell_cluster("--forget")
        registry.shutdown()
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
