#!/usr/bin/env python3
"""The suites that need an engine or a cluster: left out (125) where none answers, failed where scripts/test --require
says that they must run. A suite that passed there would have tested nothing.

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

ON_AN_ENGINE = {
    "conformance, sockets": ["python3", str(TESTS / "conformance/behaviours.py"), "docker", BIN],
    "conformance, execs": ["python3", str(TESTS / "conformance/behaviours.py"), "docker-exec", BIN],
    "canary": ["python3", str(TESTS / "integration/docker_backend/canary.py"), BIN],
    "credentials": ["python3", str(TESTS / "integration/credentials/credentials.py"), "docker", BIN],
    "kills": ["python3", str(TESTS / "integration/docker_backend/kill_stages.py"), BIN],
    "unprivileged": ["python3", str(TESTS / "integration/docker_backend/unprivileged_runner.py"), BIN],
    "pipelines": ["python3", str(TESTS / "integration/pipelines.py"), BIN, str(TESTS / "pipelines/oom"), "socket"],
    "berth local": ["python3", str(TESTS / "integration/local/test_local_engine.py"), BIN],
    "berth local, sources": [str(BUILD / "tests/integration_local"), "a job's sources*"],
    "private images": ["python3", str(TESTS / "integration/private_images/private_images.py"), "docker", BIN],
    "daemons in jobs": ["python3", str(TESTS / "conformance/dind.py"), "docker", BIN],
    "daemons in jobs, many": ["python3", str(TESTS / "integration/dind/at_once.py"), "docker", BIN],
    "guides": ["python3", str(TESTS / "integration/guides/guides.py"), BIN, str(TESTS / "pipelines/guides/inner-tests"), "docker"],
    "engine client": [str(BUILD / "tests/integration_docker_engine"), "policies on a real registry*"],
}

ON_A_CLUSTER = {
    "conformance": ["python3", str(TESTS / "conformance/behaviours.py"), "kubernetes", BIN],
    "credentials": ["python3", str(TESTS / "integration/credentials/credentials.py"), "kubernetes", BIN],
    **{name: ["python3", str(TESTS / f"integration/kubernetes_backend/{name}.py"), BIN]
       for name in ("canary", "causes", "cuts", "kills", "outages")},
    **{name: ["python3", str(TESTS / f"integration/upkeep/{name}.py"), "kubernetes", BIN] for name in ("doctor", "gc")},
    "private images": ["python3", str(TESTS / "integration/private_images/private_images.py"), "kubernetes", BIN],
    "daemons in jobs": ["python3", str(TESTS / "conformance/dind.py"), "kubernetes", BIN],
    "daemons in jobs, many": ["python3", str(TESTS / "integration/dind/at_once.py"), "kubernetes", BIN],
    "guides": ["python3", str(TESTS / "integration/guides/guides.py"), BIN, str(TESTS / "pipelines/guides/inner-tests"), "kubernetes"],
    "manifests": ["python3", str(TESTS / "integration/upkeep/manifests.py"), BIN],
    **{f"pipelines, {place}": ["python3", str(TESTS / "integration/pipelines.py"), BIN, str(TESTS / "pipelines/polls"), place]
       for place in ("kubernetes", "restricted")},
    "API client": [str(BUILD / "tests/integration_kubernetes_api"), "a version that is too old*"],
}


class Required(unittest.TestCase):
    def check(self, suites, need, other, environment):
        for suite, command in suites.items():
            for required, expected in ((need, 1), ("", 125), (other, 125)):
                with self.subTest(suite=suite, required=required):
                    done = subprocess.run(command, env={**os.environ, **environment, "BERTH_REQUIRE": required}, timeout=60,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                    self.assertEqual(done.returncode, expected, done.stdout)
                    self.assertIn("FAILED" if required == need else "SKIPPED", done.stdout)

    def test_without_an_engine(self):
        self.check(ON_AN_ENGINE, "docker", "kubernetes", {"DOCKER_HOST": "unix:///nowhere/docker.sock"})

    def test_without_a_cluster(self):
        self.check(ON_A_CLUSTER, "kubernetes", "docker", {"KUBECONFIG": "/nowhere/kubeconfig"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
