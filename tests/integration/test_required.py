#!/usr/bin/env python3
"""The suites that need an engine: left out (125) where none answers, failed where scripts/test --require says that they
must run. A suite that passed there would have tested nothing.

    test_required.py BUILD_DIR
"""
import os
import pathlib
import subprocess
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(sys.argv[1]).resolve()
BIN = str(BUILD / "bin")

SUITES = {
    "conformance, sockets": ["python3", str(TESTS / "conformance/behaviours.py"), "docker", BIN],
    "conformance, execs": ["python3", str(TESTS / "conformance/behaviours.py"), "docker-exec", BIN],
    "kills": ["python3", str(TESTS / "integration/docker_backend/kill_stages.py"), BIN],
    "unprivileged": ["python3", str(TESTS / "integration/docker_backend/unprivileged_runner.py"), BIN],
    "pipelines": ["python3", str(TESTS / "integration/pipelines.py"), BIN, str(TESTS / "pipelines/oom"), "socket"],
    "berth local": ["python3", str(TESTS / "integration/local/test_local_engine.py"), BIN],
    "berth local, sources": [str(BUILD / "tests/integration_local"), "a job's sources*"],
    "engine client": [str(BUILD / "tests/integration_docker_engine"), "policies on a real registry*"],
}


class Required(unittest.TestCase):
    def test_without_an_engine(self):
        environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
        for suite, command in SUITES.items():
            for required, expected in (("docker", 1), ("", 125), ("kubernetes", 125)):
                with self.subTest(suite=suite, required=required):
                    done = subprocess.run(command, env={**environment, "BERTH_REQUIRE": required}, timeout=60,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                    self.assertEqual(done.returncode, expected, done.stdout)
                    self.assertIn("FAILED" if required == "docker" else "SKIPPED", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
