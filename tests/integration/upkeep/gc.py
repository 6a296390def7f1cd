#!/usr/bin/env python3
"""`berth gc` takes what nobody will clean up, and nothing that a live job uses.

    gc.py BACKEND BIN_DIR [unittest arguments]      BACKEND: docker, kubernetes

Where the backend cannot be had it ends with 125 (a skip for CTest), or fails if BERTH_REQUIRE names it.
"""
import os
import pathlib
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support")]
import backends  # noqa: E402
import play_runner  # noqa: E402
import suite  # noqa: E402

BACKEND = None


class Gc(unittest.TestCase):
    def setUp(self):
        self.attempts = []

    def tearDown(self):
        for attempt in self.attempts:
            if attempt.tmpdir.exists():
                attempt.cleanup().check(0)
                attempt.close()
        self.assertEqual(BACKEND.leftovers(), [])

    def ready(self, variables=()):
        job = play_runner.response(job_id=os.getpid(), image="busybox:latest", variables=variables)
        job["job_info"]["project_id"] = backends.PROJECT
        one = BACKEND.attempt(job)
        self.attempts.append(one)
        one.config().check(0)
        one.prepare().check(0)
        return one

    def gc(self, *arguments, settings=None, code=0):
        argv = [BACKEND.bin / "berth", "gc", "--settings", settings or BACKEND.settings(), *arguments]
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout

    def of_another_manager(self):
        """Settings for the same engine or cluster with a state folder of its own."""
        path = BACKEND.root / "another.yaml"
        path.write_text(BACKEND.settings().read_text().replace(f"state_dir: {BACKEND.state}",
                                                               f"state_dir: {BACKEND.root / 'another-state'}"))
        return path

    def test_what_a_killed_runner_left_goes_and_live_jobs_go_on(self):
        live, dead = self.ready(), self.ready()
        # The runner is gone, and with it TMPDIR: nobody calls cleanup.
        dead.close()
        left = BACKEND.leftovers(dead.tmpdir)
        self.assertTrue(left)
        objects = [name for name in left if not name.startswith("/")]
        shown = self.gc("--dry-run")
        for name in objects:
            self.assertIn(name, shown)
        self.assertIn(f"'{dead.tmpdir}' is gone", shown)
        self.assertEqual(BACKEND.leftovers(dead.tmpdir), left)
        # To another manager the same jobs are strange: it cannot see that one of them is over.
        self.assertNotIn(str(BACKEND.jobs), self.gc(settings=self.of_another_manager()))
        self.assertEqual(BACKEND.leftovers(dead.tmpdir), left)

        removed = self.gc()
        for name in objects:
            self.assertRegex(removed, rf"removed \w+ \S*{name}: the job is over")
        self.assertEqual(BACKEND.leftovers(dead.tmpdir), [])
        self.assertNotIn(str(live.tmpdir), removed)
        self.assertEqual(live.run("build_script", "echo alive").check(0).out, b"alive\n")
        self.assertNotIn(str(BACKEND.jobs), self.gc())

    def test_another_managers_job_goes_when_its_deadline_has_passed(self):
        mark = f"gc-{os.getpid()}"
        for deadline, goes in ((int(time.time()) - 200, False), (int(time.time()) - 400, True)):
            with self.subTest(goes=goes):
                BACKEND.make_foreign(mark, deadline)
                try:
                    self.assertEqual(mark in self.gc("--dry-run"), goes)
                    self.assertEqual(mark in self.gc(), goes)
                    BACKEND.await_foreign(mark, not goes)
                finally:
                    BACKEND.remove_foreign(mark)

    def test_kept_checkouts_that_nobody_used_for_long(self):
        if not BACKEND.keeps_checkouts:
            self.skipTest("this backend keeps none")
        first = self.ready([{"key": "GIT_STRATEGY", "value": "fetch"}])
        uses = sorted((BACKEND.state / "used").iterdir())
        self.assertEqual(len(uses), 2, "a checkout and a cache")
        for path in uses:
            os.utime(path, (0, 0))
        # Its containers use both, and it holds one.
        self.assertNotIn(f"project-{backends.PROJECT}", self.gc("--volumes-older-than", "30d"))
        first.cleanup().check(0)
        first.close()
        self.assertNotIn(f"project-{backends.PROJECT}", self.gc(), "only where asked for")
        os.utime(uses[1])
        removed = self.gc("--volumes-older-than", "30d")
        self.assertIn(f"removed volume {uses[0].name}: no job has used it for", removed)
        self.assertNotIn(uses[1].name + ":", removed)
        self.assertEqual([path for path in uses if path.exists()], uses[1:])

    def test_an_engine_or_cluster_that_is_not_there(self):
        result = subprocess.run([BACKEND.bin / "berth", "gc", "--settings", "/no/such/berth.yaml"], check=False,
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn("/no/such/berth.yaml", result.stderr)


class ForeignOnDocker(backends.DockerBackend):
    """What another manager's job would have left: one network, as labels say."""

    def make_foreign(self, mark, deadline):
        labels = {"com.gitlab.gitlab-runner.managed": "true", "berth.attempt": mark, "berth.host": "somebody-0:1",
                  "berth.tmpdir": "/nowhere/of/another/host", "berth.deadline": str(deadline)}
        self.engine.call("POST", "/networks/create", {"Name": mark, "Labels": labels})

    def there(self, mark):
        return any(one["Name"] == mark for one in self.engine.call("GET", "/networks"))

    def await_foreign(self, mark, there):
        if self.there(mark) != there:
            raise AssertionError(f"network {mark}: {'gone' if there else 'still there'}")

    def remove_foreign(self, mark):
        if self.there(mark):
            self.engine.call("DELETE", f"/networks/{mark}")


class ForeignOnKubernetes(backends.KubernetesBackend):
    """The same: a pod that no node will take."""

    def path(self, mark):
        return f"/api/v1/namespaces/{self.namespace}/pods/{mark}"

    def make_foreign(self, mark, deadline):
        self.cluster.call("POST", f"/api/v1/namespaces/{self.namespace}/pods", {
            "metadata": {"name": mark,
                         "labels": {"com.gitlab.gitlab-runner.managed": "true", "berth.attempt": mark,
                                    "berth.host": "0" * 16, "berth.deadline": str(deadline)},
                         "annotations": {"berth.host": "somebody-0:1", "berth.tmpdir": "/nowhere/of/another/host"}},
            "spec": {"nodeSelector": {"no-node": "has-this"}, "containers": [{"name": "build", "image": "busybox:latest"}]}})

    def await_foreign(self, mark, there):
        if there:
            if self.cluster.find(self.path(mark)) is None:
                raise AssertionError(f"pod {mark} is gone")
        else:
            self.cluster.wait_for(lambda: self.cluster.find(self.path(mark)) is None, f"pod {mark} gone")

    def remove_foreign(self, mark):
        if self.cluster.find(self.path(mark)) is not None:
            self.cluster.call("DELETE", self.path(mark) + "?gracePeriodSeconds=0")


def use(backend):
    global BACKEND
    BACKEND = backend


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    return suite.run(lambda: {"docker": ForeignOnDocker, "kubernetes": ForeignOnKubernetes}[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve()),
                     use, sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
