#!/usr/bin/env python3
"""What goes wrong in a real cluster, and what the job log says of it: whose fault, which cause.

    causes.py BIN_DIR [unittest arguments]

Where no cluster can be had it ends with 125 (a skip for CTest), or fails if BERTH_REQUIRE names it.
"""
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support")]
import backends  # noqa: E402
import play_runner  # noqa: E402
import suite  # noqa: E402

BACKEND = None
PODS = "/api/v1/namespaces/{}/pods"


class Causes(unittest.TestCase):
    def setUp(self):
        self.attempts = []

    def tearDown(self):
        for attempt in self.attempts:
            attempt.cleanup().check(0)
            attempt.close()

    def attempt(self, job=None, **settings):
        job = job or play_runner.response(image="busybox:latest")
        one = BACKEND.attempt(job, **settings)
        self.attempts.append(one)
        one.config().check(0)
        return one

    def ready(self, job=None, **settings):
        one = self.attempt(job, **settings)
        one.prepare().check(0)
        return one

    def pod(self):
        pods = [one for one in BACKEND.cluster.items(BACKEND.namespace, "pods")
                if "deletionTimestamp" not in one["metadata"]]
        self.assertEqual(len(pods), 1)
        return pods[0]["metadata"]["name"]

    def running(self, job, script="echo started; sleep 1000"):
        process = job.start_run("build_script", script)
        self.assertEqual(process.stdout.readline(), b"started\n")
        return process

    def ended(self, process, code, *words):
        out, err = process.communicate(timeout=120)
        text = (out + err).decode()
        self.assertEqual(process.returncode, code, text)
        for word in words:
            self.assertIn(word, text)

    # --- while a script runs --------------------------------------------------------

    def test_a_pod_that_somebody_deletes(self):
        process = self.running(self.ready())
        BACKEND.cluster.call("DELETE", f"{PODS.format(BACKEND.namespace)}/{self.pod()}")
        self.ended(process, 2, "delete", "while its script ran")

    def test_a_pod_that_a_drain_evicts(self):
        process = self.running(self.ready())
        name = self.pod()
        path = f"{PODS.format(BACKEND.namespace)}/{name}"

        def held(finalizers):
            BACKEND.cluster.call("PATCH", path, {"metadata": {"finalizers": finalizers}}, "application/merge-patch+json")

        # However late somebody looks, the pod still says why it ended.
        held(["berth.test/held"])
        try:
            BACKEND.cluster.call("POST", f"{path}/eviction", {
                "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": BACKEND.namespace}})
            self.ended(process, 2, "was evicted: somebody drains its node")
        finally:
            held([])

    def test_memory_of_the_build_container(self):
        job = self.ready(memory_limit="48Mi")
        result = job.run("build_script", "head -c 400m /dev/zero | tail | wc -c").check(1)
        self.assertIn("memory", result.text())
        # What was made before is still uploaded.
        self.assertEqual(job.run("upload_artifacts_on_failure", "echo uploaded").check(0).out, b"uploaded\n")

    def test_memory_of_a_service_is_told_while_the_script_runs(self):
        service = {"name": "busybox:latest", "alias": "hog", "command":
                   ["sh", "-c", "until test -e /builds/go; do sleep 0.1; done; exec tail /dev/zero"]}
        job = self.ready(play_runner.response(image="busybox:latest", services=[service]), service_memory_limit="32Mi")
        process = self.running(job, "echo started; sleep 3; touch /builds/go; sleep 6; echo done")
        self.ended(process, 0, "service 'busybox:latest' ran out of memory and was killed", "done")

    def test_disk_of_the_job(self):
        volumes = "{empty_dir: [{name: small, mount_path: /small, size_limit: 1Mi}]}"
        process = self.running(self.ready(volumes=volumes),
                               "echo started; head -c 20m /dev/zero > /small/file; sleep 1000")
        self.ended(process, 1, "used more disk than it may")

    # --- services that want one port --------------------------------------------------

    def server(self, alias, port, first=""):
        """Listens on 7100, whatever it is said to listen on."""
        return {"name": "busybox:latest", "alias": alias, "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": port}],
                "command": ["sh", "-c", f"{first} exec nc -ll -p 7100 -e echo {alias}"]}

    def warned(self, *services):
        job = self.attempt(play_runner.response(image="busybox:latest", services=services), wait_for_services_timeout=20)
        text = job.prepare().check(0).text()
        job.run("build_script", "echo goes on").check(0)
        return text

    def test_a_port_that_two_services_are_known_to_want(self):
        text = self.warned(self.server("one", "7100"), self.server("two", "7100"))
        self.assertIn("services 'busybox:latest' (one) and 'busybox:latest' (two) want port 7100", text)

    def test_a_service_whose_port_is_taken(self):
        # Nobody knows of it before.
        text = self.warned(self.server("one", "7100"),
                           self.server("two", "7101", "until nc 127.0.0.1 7100 </dev/null; do :; done;"))
        self.assertNotIn("want port", text)
        self.assertIn("already in use", text)
        self.assertIn("its port is taken: all containers of a pod share one network", text)

    # --- before it ------------------------------------------------------------------

    def refused(self, code, *words, job=None, **settings):
        result = self.attempt(job, **settings).prepare().check(code)
        for word in words:
            self.assertIn(word, result.text())
        return result

    def test_no_node_has_room(self):
        self.refused(2, "waiting for a node: ", "Insufficient cpu", "did not start within 4 s",
                     cpu_request=1000, poll_timeout=4)

    def test_no_room_in_the_quota(self):
        path = f"/api/v1/namespaces/{BACKEND.namespace}/resourcequotas"
        BACKEND.cluster.call("POST", path, {"metadata": {"name": "full"}, "spec": {"hard": {"requests.cpu": "1m"}}})
        try:
            self.refused(2, "waiting for room in the quota: ", "exceeded quota: full", cpu_request=1,
                         helper_cpu_request=1, poll_timeout=3)
        finally:
            BACKEND.cluster.call("DELETE", f"{path}/full")

    def test_an_image_that_cannot_be_had_blames_the_job(self):
        self.refused(1, "cannot pull image 'berth.invalid/no/such:image'", "no such host",
                     job=play_runner.response(image="berth.invalid/no/such:image"))

    def test_a_helper_image_that_cannot_be_had_blames_the_operator(self):
        self.refused(2, "cannot pull image 'berth.invalid/helper:1'", helper_image="berth.invalid/helper:1")

    def test_an_image_name_that_is_none(self):
        self.refused(1, "UPPER/bad", job=play_runner.response(image="UPPER/bad:name"))

    def test_the_next_pull_policy(self):
        result = self.attempt(pull_policy="[always, if-not-present]").prepare().check(0)
        self.assertIn("with pull policy 'always', trying 'if-not-present'", result.text())

    def test_a_service_account_that_is_not_there(self):
        self.refused(2, "nobody-has-this", service_account="nobody-has-this")

    def test_a_volume_of_a_secret_that_is_not_there(self):
        self.refused(2, "waiting for a volume", "not-there",
                     volumes="{secret: [{name: not-there, mount_path: /secret}]}", poll_timeout=8)

    def test_an_admission_that_refuses_the_pod(self):
        name = BACKEND.namespace
        patch = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        BACKEND.cluster.call("PATCH", f"/api/v1/namespaces/{name}", patch, "application/merge-patch+json")
        try:
            self.refused(2, "violates PodSecurity")
        finally:
            patch["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = None
            BACKEND.cluster.call("PATCH", f"/api/v1/namespaces/{name}", patch, "application/merge-patch+json")


def use(backend):
    global BACKEND
    BACKEND = backend


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    return suite.run(lambda: backends.make("kubernetes", pathlib.Path(sys.argv[1]).resolve()),
                     use, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
