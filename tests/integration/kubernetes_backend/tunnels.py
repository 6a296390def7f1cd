#!/usr/bin/env python3
"""The program that carries all stages of a job on a cluster may end at any time, and ends with the job.

    tunnels.py BIN_DIR
"""
import os
import pathlib
import signal
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support")]
import backends  # noqa: E402
import play_runner  # noqa: E402
import suite  # noqa: E402

BACKEND = None


def tunnels(job):
    """The pids of a job's tunnels: they stay in the directory that they were started in."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (path / "exe").resolve().name == "berth-tunnel" and os.readlink(path / "cwd") == str(job.tmpdir):
                found.append(int(path.name))
        except OSError:
            pass
    return found


class Tunnels(unittest.TestCase):
    def prepared(self, **more):
        job = BACKEND.attempt(play_runner.response(image="busybox:latest"), **more)
        self.addCleanup(job.close)
        self.addCleanup(job.cleanup)
        job.config().check(0)
        job.prepare().check(0)
        return job

    def gone(self, job):
        BACKEND.cluster.wait_for(lambda: not tunnels(job), "its tunnels have ended")

    def test_they_live_from_prepare_to_cleanup(self):
        job = self.prepared()
        pid, = tunnels(job)
        for stage in ("get_sources", "build_script", "after_script", "upload_artifacts_on_success"):
            job.run(stage, f"echo {stage}").check(0)
        self.assertEqual(tunnels(job), [pid])
        job.cleanup().check(0)
        self.gone(job)

    def test_a_stage_goes_on_without_them(self):
        job = self.prepared()
        pid, = tunnels(job)
        running = job.start_run("build_script", "echo begun; while [ ! -e /builds/go ]; do sleep 0.1; done; echo ended; exit 7")
        self.assertEqual(running.stdout.readline(), b"begun\n")
        os.kill(pid, signal.SIGKILL)
        job.run("get_sources", "touch /builds/go").check(0)
        out, err = running.communicate(timeout=60)
        self.assertEqual((running.returncode, out), (1, b"ended\n"), err)
        self.assertEqual(job.exit_code().strip(), "7")
        job.run("after_script", "echo after").check(0)
        self.assertEqual(tunnels(job), [])

    def test_none_without_the_program(self):
        job = self.prepared(tunnels=False)
        self.assertEqual(tunnels(job), [])
        self.assertEqual(job.run("build_script", "echo here").check(0).out, b"here\n")

    def test_a_preparation_that_fails_leaves_none(self):
        job = BACKEND.attempt(play_runner.response(image="no-registry.berth-dev.test/nothing:1"))
        self.addCleanup(job.close)
        self.addCleanup(job.cleanup)
        job.config().check(0)
        self.assertNotEqual(job.prepare().code, 0)
        self.gone(job)

    def test_they_end_when_the_pod_is_gone(self):
        job = self.prepared()
        job.run("build_script", "true").check(0)
        BACKEND.cluster.call("DELETE", f"/api/v1/namespaces/{BACKEND.namespace}/pods/{self.pod(job)}?gracePeriodSeconds=0")
        self.gone(job)

    def test_a_cancel_that_kills_them_too_loses_no_output(self):
        job = self.prepared()
        script = "trap 'echo told to end' TERM; echo begun; while :; do sleep 0.1; done"
        running = job.start_run("build_script", script)
        self.assertEqual(running.stdout.readline(), b"begun\n")
        result = play_runner.terminate(running)
        self.assertEqual(result.code, 2, result.err)
        self.assertIn(b"told to end\n", result.out)
        job.run("after_script", "echo after").check(0)

    @staticmethod
    def pod(job):
        return next(one["metadata"]["name"] for one in BACKEND.cluster.items(BACKEND.namespace, "pods")
                    if one["metadata"].get("annotations", {}).get("berth.tmpdir") == str(job.tmpdir))


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
