#!/usr/bin/env python3
"""`berth doctor` on a real engine or cluster: says that all is well where it is, and what is wrong where something is;
leaves nothing behind, even where it is killed.

    doctor.py BACKEND BIN_DIR [unittest arguments]      BACKEND: docker, kubernetes

Where the backend cannot be had it ends with 125 (a skip for CTest), or fails if BERTH_REQUIRE names it.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support")]
import backends  # noqa: E402
import suite  # noqa: E402

BACKEND = None


class Doctor(unittest.TestCase):
    def setUp(self):
        BACKEND.jobs.mkdir(exist_ok=True)

    def tearDown(self):
        self.assertEqual(BACKEND.leftovers(), [])
        self.assertEqual(list(BACKEND.jobs.glob("berth-doctor-*")), [])

    def start(self, *arguments, settings=None):
        """The probe's TMPDIR lies where leftovers() looks."""
        argv = [BACKEND.bin / "berth", "doctor", "--json", "--settings", settings or BACKEND.settings(), *arguments]
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, "TMPDIR": str(BACKEND.jobs)})

    def examine(self, *arguments, settings=None, code=0):
        process = self.start(*arguments, settings=settings)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, code, out + err)
        found = json.loads(out)
        self.assertEqual(found["ok"], code == 0)
        return found["findings"]

    def of(self, findings, check):
        return [one for one in findings if one["check"] == check]

    def test_all_is_well(self):
        findings = self.examine()
        self.assertEqual({one["check"] for one in findings if one["status"] == "ok"}, BACKEND.checks, findings)
        self.assertEqual([one for one in findings if one["status"] == "failed"], [])

    def test_a_name_that_jobs_cannot_resolve(self):
        name = "no-such-name.berth-test.invalid"
        wrong = [one for one in self.examine("--host", name, code=1) if one["status"] == "failed"]
        self.assertEqual([one["check"] for one in wrong], ["dns"])
        self.assertIn(name, wrong[0]["text"])
        self.assertTrue(wrong[0]["remedy"])

    def test_a_helper_image_without_tools(self):
        findings = self.examine(settings=BACKEND.settings(helper_image="busybox:latest"), code=1)
        wrong = [one for one in findings if one["status"] == "failed"]
        self.assertEqual([one["check"] for one in wrong], ["probe"], findings)
        self.assertIn("gitlab-runner", wrong[0]["text"])
        self.assertIn("busybox:latest", wrong[0]["text"])
        self.assertTrue(wrong[0]["remedy"])

    def test_settings_with_a_mistake(self):
        settings = BACKEND.settings(helper_imgae="x")
        wrong = self.examine(settings=settings, code=1)
        self.assertEqual([one["check"] for one in wrong], ["settings"])
        self.assertIn("helper_imgae", wrong[0]["text"])
        self.assertRegex(wrong[0]["text"], rf"{settings.name}:\d+:\d+")

    def test_nobody_there(self):
        findings = self.examine(settings=BACKEND.nobody_there(), code=1)
        where = self.of(findings, BACKEND.suite == "docker" and "engine" or "cluster")
        self.assertEqual([one["status"] for one in where], ["failed"], findings)
        self.assertTrue(where[0]["remedy"], findings)

    def await_probe(self, process):
        deadline = time.monotonic() + 60
        while not BACKEND.leftovers():
            self.assertIsNone(process.poll(), "it ended before it made anything")
            self.assertLess(time.monotonic(), deadline, "it makes nothing")

    def gone(self):
        deadline = time.monotonic() + 60
        while BACKEND.leftovers() or list(BACKEND.jobs.glob("berth-doctor-*")):
            self.assertLess(time.monotonic(), deadline, "something is left")
            time.sleep(0.1)

    def test_a_killed_doctor_leaves_nothing(self):
        for victim in ("worker", "guard"):
            with self.subTest(victim):
                process = self.start()
                self.await_probe(process)
                worker = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
                os.kill(worker if victim == "worker" else process.pid, signal.SIGKILL)
                process.communicate(timeout=60)
                self.gone()

    def test_a_stopped_doctor_leaves_nothing(self):
        process = self.start()
        self.await_probe(process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (1, ""), err)
        self.assertIn("the probe was removed", err)
        self.assertEqual(BACKEND.leftovers(), [])

    # --- rights ---------------------------------------------------------------------

    def role(self):
        return f"/apis/rbac.authorization.k8s.io/v1/namespaces/{BACKEND.namespace}/roles/berth-driver"

    def with_rules(self, rules, expected, code):
        """The rights found missing, once the server goes by the Role as it is now."""
        before = BACKEND.cluster.call("GET", self.role())
        BACKEND.cluster.call("PATCH", self.role(), {"rules": rules(before["rules"])}, "application/merge-patch+json")
        try:
            def missing():
                process = self.start("--no-probe")
                out = process.communicate(timeout=60)[0]
                found = self.of(json.loads(out)["findings"], "rights")
                told = {" ".join(re.match(r"may not (\S+) (\S+) in", one["text"]).groups()) for one in found
                        if one["status"] != "ok"}
                return (found, process.returncode) if told == expected(before["rules"]) else None
            found, status = BACKEND.cluster.wait_for(missing, "exactly the rights that are missing")
            self.assertEqual(status, code)
            return found
        finally:
            BACKEND.cluster.call("PATCH", self.role(), {"rules": before["rules"]}, "application/merge-patch+json")
            BACKEND.cluster.wait_for(lambda: self.start("--no-probe").wait(60) == 0, "rights again")

    @unittest.skipUnless("kubernetes" in sys.argv[1:2], "this backend knows no rights")
    def test_a_right_that_is_missing_is_named_with_its_rule(self):
        def without_delete(rules):
            return [{**rule, "verbs": [verb for verb in rule["verbs"] if verb != "delete"]} for rule in rules]
        found = self.with_rules(without_delete, lambda _: {"delete pods"}, 1)
        self.assertEqual(found[0]["status"], "failed")
        self.assertIn('resources: ["pods"], verbs: ["delete"]', found[0]["remedy"])

    @unittest.skipUnless("kubernetes" in sys.argv[1:2], "this backend knows no rights")
    def test_the_role_has_what_is_needed_and_nothing_else(self):
        self.with_rules(lambda _: [], lambda rules: {f"{verb} {what}" for rule in rules for what in rule["resources"]
                                                     for verb in rule["verbs"]}, 1)


class OnDocker(backends.DockerBackend):
    checks = {"settings", "engine", "limits", "agent", "state", "probe", "exec", "git", "gitlab-runner", "job clock", "disk"}

    def nobody_there(self):
        # A preparation that cannot reach its engine leaves its record to the next sweep.
        path = self.settings(host=f"unix://{self.root}/none.sock")
        path.write_text(path.read_text().replace(f"state_dir: {self.state}", f"state_dir: {self.root / 'other-state'}"))
        return path


class OnKubernetes(backends.KubernetesBackend):
    checks = {"settings", "cluster", "clock", "rights", "agent", "probe", "exec", "git", "gitlab-runner", "job clock",
              "disk", "dns"}

    def nobody_there(self):
        path = self.root / "nobody"
        path.write_text(re.sub(r":\d+\"", ":1\"", self.kubeconfig.read_text()))
        path.chmod(0o600)
        return self.settings(kubeconfig=path)


def use(backend):
    global BACKEND
    BACKEND = backend


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    return suite.run(lambda: {"docker": OnDocker, "kubernetes": OnKubernetes}[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve()),
                     use, sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
