#!/usr/bin/env python3
"""What `berth local` does on a real engine beside running pipelines to their end:
cancel, keep, and what the next run makes of one that was killed.

    test_local_engine.py BIN_DIR
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import leave_out  # noqa: E402

BERTH = os.path.abspath(os.path.join(sys.argv[1], "berth"))

WAITS = """
default: {image: busybox:latest}
variables: {GIT_STRATEGY: none}
long:
  script: [touch /tmp/of-the-script, "echo begin-$((1+1))", "sleep 3600"]
  after_script: ['echo "after with $CI_JOB_STATUS"', "ls /tmp/of-the-script"]
"""


def docker(*words):
    return subprocess.run(["docker", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, timeout=60).stdout.split()


class LocalOnAnEngine(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="berth-local-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.work = self.root / "work"
        self.work.mkdir()
        (self.root / "berth.yaml").write_text(f"state_dir: {self.root}/state\n")
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example", *words],
                       cwd=self.work, check=True, stdout=subprocess.DEVNULL)

    def pipeline(self, text):
        (self.work / ".gitlab-ci.yml").write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")

    def start(self, *words):
        return subprocess.Popen([BERTH, "local", "--settings", str(self.root / "berth.yaml"), "--report",
                                 str(self.root / "report.json"), *words], cwd=self.work, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def read_until(self, process, text):
        self.output = ""
        for line in process.stdout:
            self.output += line
            if text in line:
                return
        self.fail(f"no {text!r} in:\n{self.output}")

    def finish(self, process):
        self.output += process.stdout.read()
        process.stdout.close()
        return process.wait(timeout=120)

    def containers(self):
        """Of this test alone: the labels hold the TMPDIRs of its attempts."""
        found = []
        for name in docker("ps", "-aq"):
            if str(self.root) in " ".join(docker("inspect", "--format", "{{json .Config.Labels}}", name)):
                found.append(name)
        return found

    def test_a_cancel_keeps_the_containers_for_after_script(self):
        self.pipeline(WAITS)
        process = self.start()
        self.read_until(process, "begin-2")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process), 130, self.output)
        self.assertIn("after with canceled", self.output)
        self.assertIn("\n/tmp/of-the-script\n", self.output)
        report = json.loads((self.root / "report.json").read_text())
        self.assertEqual(report["jobs"][0]["status"], "canceled")
        self.assertEqual(self.containers(), [])

    def test_kept_containers_are_removed_as_it_says(self):
        self.pipeline("default: {image: busybox:latest}\na: {script: ['echo kept > /tmp/kept']}\n")
        process = self.start("--keep")
        self.read_until(process, "is kept.")
        self.assertEqual(self.finish(process), 0, self.output)
        look = re.search(r"docker exec -it (\w+) sh", self.output).group(1)
        self.assertEqual(docker("exec", look, "cat", "/tmp/kept"), ["kept"])
        self.assertEqual(len(self.containers()), 2)
        remove = re.search(r"^ *(TMPDIR=.*)$", self.output, re.MULTILINE).group(1)
        subprocess.run(["sh", "-c", remove], check=True)
        self.assertEqual(self.containers(), [])
        self.assertEqual(os.listdir(self.root / "state/local/tmp"), [])

    def test_the_next_run_removes_what_a_killed_one_left(self):
        self.pipeline(WAITS)
        process = self.start()
        self.read_until(process, "begin-2")
        process.kill()
        process.stdout.close()
        process.wait()
        self.assertEqual(len(self.containers()), 2)
        self.pipeline("default: {image: busybox:latest}\na: {script: ['true']}\n")
        process = self.start()
        self.output = ""
        self.assertEqual(self.finish(process), 0, self.output)
        self.assertEqual(self.containers(), [])

    def test_sources_come_over_http_from_the_address_that_was_found(self):
        (self.work / "file").write_text("from the checkout\n")
        self.pipeline("default: {image: busybox:latest}\na: {script: [cat file, 'echo at=$CI_SERVER_URL']}\n")
        process = self.start()
        self.output = ""
        self.assertEqual(self.finish(process), 0, self.output)
        self.assertIn("\nfrom the checkout\n", self.output)
        self.assertRegex(self.output, r"\nat=http://\d+\.\d+\.\d+\.\d+:\d+\n")
        self.assertNotIn("at=http://127.", self.output)


if __name__ == "__main__":
    if not docker("version", "--format", "{{.Server.Version}}"):
        sys.exit(leave_out.leave_out("no Docker engine answers"))
    unittest.main(argv=sys.argv[:1], verbosity=2)
