#!/usr/bin/env python3
"""Jobs whose engine is killed under them, comes back, or is not there at all.

    engine_faults.py BIN_DIR [unittest arguments]

Starts an engine of its own (scripts/dev-engine, its dockerd started with live-restore, so that containers
outlive it); left out (125) where none can be started. Each case runs by the agents' sockets and through the engine.
"""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import engine_api  # noqa: E402
import leave_out  # noqa: E402
import play_runner  # noqa: E402

NAME = "faults"
IMAGE = "berth-test/faults:1"
POOL = "base=10.219.7.0/24,size=26"
BIN = None
SOCKET = None


def dev_engine(*arguments):
    # Room for four networks: one case uses them up.
    environment = dict(os.environ, BERTH_DEV_NAME=NAME, BERTH_DEV_POOL=POOL)
    done = subprocess.run([ROOT / "scripts" / "dev-engine", *arguments], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"dev-engine {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def import_image():
    """BusyBox of this machine's package, with the one name more that a helper image needs."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise RuntimeError("no busybox on PATH (package busybox-static)")
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        for name in ("bin", "tmp", "etc", "proc"):
            (tree / name).mkdir()
        shutil.copy(busybox, tree / "bin" / "busybox")
        for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
            if applet != "busybox":
                (tree / "bin" / applet).symlink_to("busybox")
        (tree / "bin" / "gitlab-runner-helper").symlink_to("true")
        archive = subprocess.run(["tar", "-C", folder, "-c", "."], capture_output=True, check=True).stdout
    subprocess.run(["docker", "--host", SOCKET, "import", "-", IMAGE], input=archive, check=True, capture_output=True)


class EngineFaults(unittest.TestCase):
    TRANSPORTS = ("direct", "exec")

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="berth-faults-"))
        self.addCleanup(shutil.rmtree, self.root)

    def settings(self, **more):
        path = self.root / "berth.yaml"
        host = more.pop("host", SOCKET)
        path.write_text(f"state_dir: {self.root}/state\nconnection_timeout: {more.pop('timeout', 60)}\n"
                        f"docker:\n  host: {host}\n  helper_image: {IMAGE}\n  pull_policy: never\n")
        return path

    def attempt(self, transport, services=(), **more):
        job = play_runner.response(job_id=os.getpid(), image=IMAGE, services=services,
                                   variables=[{"key": "GIT_STRATEGY", "value": "none"}])
        environment = dict(os.environ, BERTH_TRANSPORT=transport)
        environment.pop("DOCKER_HOST", None)
        one = play_runner.Attempt(BIN, self.settings(**more), job, self.root / "jobs", environment=environment)
        one.config().check(0)
        return one

    def finish(self, attempt):
        attempt.cleanup().check(0)
        attempt.close()
        self.assertEqual(engine_api.Engine(SOCKET).objects(attempt.tmpdir), [])

    def test_engine_killed_mid_stage_and_back(self):
        """No byte is lost, the script runs once, and the stage ends as the script did."""
        for transport in self.TRANSPORTS:
            with self.subTest(transport=transport):
                job = self.attempt(transport)
                job.prepare().check(0)
                script = 'echo started >> /tmp/starts; i=0; while [ $i -lt 400 ]; do echo "line $i of the output"; ' \
                         'i=$((i+1)); usleep 10000; done; exit 9'
                process = job.start_run("build_script", script)
                first = process.stdout.readline()
                dev_engine("kill")
                dev_engine("restart")
                rest, errors = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 1, errors.decode())
                self.assertEqual(job.exit_code().strip(), "9")
                expected = "".join(f"line {i} of the output\n" for i in range(400)).encode()
                self.assertEqual(hashlib.sha256(first + rest).hexdigest(), hashlib.sha256(expected).hexdigest())
                self.assertEqual(job.run("after_script", "cat /tmp/starts").check(0).out, b"started\n")
                self.finish(job)

    def test_container_killed_mid_stage(self):
        """Somebody ends the build container: a system failure that says so, never a success."""
        for transport in self.TRANSPORTS:
            with self.subTest(transport=transport):
                job = self.attempt(transport)
                job.prepare().check(0)
                process = job.start_run("build_script", "echo started; sleep 1000")
                self.assertEqual(process.stdout.readline(), b"started\n")
                build = json.loads((job.tmpdir / "sandbox.json").read_text())
                identifier = next(value for key, value in build["values"].items() if key == "build.id")
                engine_api.Engine(SOCKET).call("POST", f"/containers/{identifier}/kill")
                out, errors = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 2, errors.decode())
                self.assertIn("exit code 137", errors.decode())
                self.finish(job)

    def test_container_removed_between_stages(self):
        for transport in self.TRANSPORTS:
            with self.subTest(transport=transport):
                job = self.attempt(transport)
                job.prepare().check(0)
                values = json.loads((job.tmpdir / "sandbox.json").read_text())["values"]
                engine_api.Engine(SOCKET).call("DELETE", f"/containers/{values['build.id']}?force=1")
                result = job.run("build_script", "echo never").check(2)
                self.assertIn("removed", result.text())
                self.finish(job)

    def test_engine_gone_while_preparing_and_cleaning_up(self):
        job = self.attempt("direct", timeout=2)
        job.prepare().check(0)
        dev_engine("kill")
        try:
            second = self.attempt("direct", timeout=2)
            for result in (second.prepare(), second.cleanup(), job.cleanup()):
                result.check(2)
                self.assertIn(SOCKET, result.text())
        finally:
            dev_engine("restart")
        self.finish(second)
        self.finish(job)

    def test_no_address_is_left_for_a_network(self):
        """The error names the daemon's setting, and what was begun goes."""
        engine = engine_api.Engine(SOCKET)
        made = []
        try:
            while True:
                made.append(engine.call("POST", "/networks/create", {"Name": f"filler-{len(made)}"})["Id"])
        except RuntimeError as error:
            self.assertIn("pool", str(error))
        try:
            job = self.attempt("direct", services=[{"name": IMAGE, "alias": "x", "command": ["sleep", "1000"]}])
            result = job.prepare().check(2)
            self.assertIn("default-address-pools", result.text())
            self.finish(job)
        finally:
            for identifier in made:
                engine.call("DELETE", f"/networks/{identifier}")

    def test_no_engine_at_all(self):
        job = self.attempt("direct", host=f"unix://{self.root}/no.sock")
        result = job.prepare().check(2)
        self.assertIn("no.sock", result.text())
        job.close()


def main():
    global BIN, SOCKET
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = pathlib.Path(sys.argv[1]).resolve()
    try:
        dev_engine("up")
    except (RuntimeError, OSError) as error:
        return leave_out.leave_out(error)
    try:
        SOCKET = dev_engine("env").split("DOCKER_HOST=")[1].split()[0].strip("'\"")
        import_image()
        program = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], exit=False, verbosity=2)
    finally:
        dev_engine("down", "--purge")
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
