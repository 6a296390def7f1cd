#!/usr/bin/env python3
"""Images of a registry that asks for a login: who gives it, what is final, what is tried again.

    private_images.py BACKEND BIN_DIR [unittest arguments]      BACKEND: docker, kubernetes

The registry is Debian's, with TLS and htpasswd, on an address of this machine; scripts/dev-engine or scripts/dev-cluster
is told of its authority. Where one of them is missing it ends with 125 (a skip for CTest), or fails if BERTH_REQUIRE
names it.
"""
import base64
import json
import os
import pathlib
import secrets
import sys
import tempfile
import unittest
from unittest import mock

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "conformance"), str(TESTS / "support")]
import backends  # noqa: E402
import engine_api  # noqa: E402
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402
import places  # noqa: E402
import play_runner  # noqa: E402
import registry as registries  # noqa: E402
import registry_door  # noqa: E402

PLACE = None
REGISTRY = None

HELPER_PROGRAM = """#!/bin/sh
# As docker-credential-helpers has it: get reads a server's name, list knows all.
case $1 in
get) read -r server; [ "$server" = "%(server)s" ] || { echo "credentials not found in native keychain"; exit 1; }
     echo '{"ServerURL": "%(server)s", "Username": "%(user)s", "Secret": "%(password)s"}' ;;
list) echo '{"%(server)s": "%(user)s"}' ;;
*) exit 2 ;;
esac
"""


class PrivateImages(unittest.TestCase):
    def setUp(self):
        # Nothing that an earlier case has pulled is there.
        self.group = "group-" + secrets.token_hex(4)
        self.home = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="berth-home-")))
        self.enterContext(mock.patch.dict(os.environ, {"HOME": str(self.home)}))
        os.environ.pop("DOCKER_AUTH_CONFIG", None)
        self.enterContext(mock.patch.object(PLACE.backend, "common", []))

    def push(self, name, **more):
        repository = f"{self.group}/{name}"
        REGISTRY.push(repository + ":1", {"mark": name.encode()}, **more)
        return repository + ":1"

    def attempt(self, image, services=(), auth_config=None, **more):
        variables = [] if auth_config is None else [
            {"key": "DOCKER_AUTH_CONFIG", "value": auth_config, "public": False, "masked": True}]
        response = play_runner.response(job_id=os.getpid(), image=image, services=services, variables=variables, **more)
        response["job_info"]["project_id"] = backends.PROJECT
        job = PLACE.backend.attempt(response)

        def clean_up():
            job.cleanup().check(0)
            job.close()
            for one in (image, *(service["name"] for service in services)):
                PLACE.forget(one)
        self.addCleanup(clean_up)
        job.config().check(0)
        return job

    def check_runs(self, job, mark):
        prepared = job.prepare().check(0)
        self.assertEqual(job.run("build_script", "cat /mark").check(0).out.decode(), mark)
        return prepared.text()

    def check_refused(self, job, words):
        """Final: the registry's words, the job's fault, and no second try."""
        result = job.prepare().check(1)
        self.assertTrue(any(one in result.text() for one in words), result.text())
        self.assertNotIn(PLACE.again, result.text())
        return result.text()

    # --- who gives the login ----------------------------------------------------------

    def test_image_and_service_by_the_jobs_variable_and_nothing_of_it_is_seen(self):
        image = REGISTRY.image(self.push("tool"))
        service = {"name": REGISTRY.image(self.push("server", command=["nc", "-ll", "-p", "7000", "-e", "echo", "served"])),
                   "alias": "server", "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": "7000"}]}
        job = self.attempt(image, [service], auth_config=REGISTRY.auth_config())
        text = self.check_runs(job, "tool")
        self.assertEqual(job.run("build_script", "nc server 7000 < /dev/null").check(0).out, b"served\n")
        about = PLACE.about(job)
        self.assertTrue(about)
        plain = [*(path.read_text() for path in job.tmpdir.glob("*.json") if path.name != "response.json"), text, *about]
        for secret in (REGISTRY.password, REGISTRY.basic, base64.b64encode(REGISTRY.password.encode()).decode()):
            self.assertNotIn(secret, "\n".join(plain))

    def test_by_the_payload(self):
        image = REGISTRY.image(self.push("tool"))
        self.check_runs(self.attempt(image, credentials=[REGISTRY.payload()]), "tool")

    def test_by_the_operators_configuration(self):
        (self.home / ".docker").mkdir()
        (self.home / ".docker" / "config.json").write_text(REGISTRY.auth_config())
        self.check_runs(self.attempt(REGISTRY.image(self.push("tool"))), "tool")

    def test_by_a_credential_helper(self):
        program = self.home / "docker-credential-berth-test"
        program.write_text(HELPER_PROGRAM % {"server": REGISTRY.host, "user": REGISTRY.user, "password": REGISTRY.password})
        program.chmod(0o755)
        (self.home / ".docker").mkdir()
        for name, config in {"for all": {"credsStore": "berth-test"},
                             "for one": {"credHelpers": {REGISTRY.host: "berth-test"}}}.items():
            with self.subTest(name), mock.patch.dict(os.environ, {"PATH": f"{self.home}:{os.environ['PATH']}"}):
                (self.home / ".docker" / "config.json").write_text(json.dumps(config))
                self.check_runs(self.attempt(REGISTRY.image(self.push("tool-" + name[4:]))), "tool-" + name[4:])

    def test_of_one_registry_the_first_source_counts_right_or_wrong(self):
        wrong, right = REGISTRY.auth_config(password="wrong"), REGISTRY.auth_config()
        image = REGISTRY.image(self.push("tool"))
        self.check_refused(self.attempt(image, auth_config=wrong, credentials=[REGISTRY.payload()]), PLACE.refused)
        self.check_runs(self.attempt(image, auth_config=right, credentials=[REGISTRY.payload(password="wrong")]), "tool")
        (self.home / ".docker").mkdir()
        (self.home / ".docker" / "config.json").write_text(wrong)
        other = REGISTRY.image(self.push("other"))
        self.check_refused(self.attempt(other, credentials=[REGISTRY.payload()]), PLACE.refused)

    def test_of_several_paths_the_longest_counts(self):
        image = REGISTRY.image(self.push("tool"))
        host = REGISTRY.host
        both = json.loads(REGISTRY.auth_config(password="wrong"))
        both["auths"].update(json.loads(REGISTRY.auth_config(f"{host}/{self.group}"))["auths"])
        self.check_runs(self.attempt(image, auth_config=json.dumps(both)), "tool")

    # --- what is final ------------------------------------------------------------------

    def test_no_login_is_final_and_says_where_one_would_come_from(self):
        text = self.check_refused(self.attempt(REGISTRY.image(self.push("tool"))), PLACE.refused)
        self.assertIn("DOCKER_AUTH_CONFIG", text)

    def test_a_missing_tag_is_final(self):
        image = REGISTRY.image(self.push("tool")).replace(":1", ":2")
        self.check_refused(self.attempt(image, auth_config=REGISTRY.auth_config()), PLACE.absent)

    def test_a_missing_service_image_is_final_too(self):
        image = REGISTRY.image(self.push("tool"))
        service = {"name": REGISTRY.image(f"{self.group}/nothing:1")}
        text = self.check_refused(self.attempt(image, [service], auth_config=REGISTRY.auth_config()), PLACE.absent)
        self.assertIn(service["name"], text)

    # --- what is tried again --------------------------------------------------------------

    def door(self):
        door = self.enterContext(registry_door.Door(REGISTRY))
        PLACE.trust(door.host, REGISTRY.authority)
        self.addCleanup(PLACE.distrust, door.host)
        return door

    def until_tried_again(self, job):
        """A preparation that has just said that it will try a pull again, and what it has said."""
        process = job.start("berth-prepare")
        said = ""
        for line in iter(process.stderr.readline, b""):
            said += line.decode(errors="replace")
            if PLACE.again in said:
                return process, said
        process.communicate()
        raise AssertionError(f"it never tried again:\n{said}")

    def test_a_registry_that_comes_back(self):
        door = self.door()
        job = self.attempt(door.image(self.push("tool")), auth_config=REGISTRY.auth_config(door.host))
        door.close_port()
        process, said = self.until_tried_again(job)
        self.assertIn("connection refused", said)
        door.open_port()
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, said + (out + err).decode(errors="replace"))
        job.run("build_script", "cat /mark").check(0)

    def test_connections_that_are_cut(self):
        door = self.door()
        job = self.attempt(door.image(self.push("tool")), auth_config=REGISTRY.auth_config(door.host))
        door.cut(PLACE.cuts)
        self.check_runs(job, "tool")
        self.assertLess(door.cuts, 0)

    def test_a_registry_that_is_busy(self):
        door = self.door()
        job = self.attempt(door.image(self.push("tool")), auth_config=REGISTRY.auth_config(door.host))
        door.fail(429, times=2)
        door.fail(503, times=2)
        self.check_runs(job, "tool")
        self.assertFalse(door.failures)

    def test_a_registry_that_stays_away_is_nobodys_fault(self):
        door = self.door()
        PLACE.backend.common.append("pull_retry_timeout: 1")
        job = self.attempt(door.image(self.push("tool")), auth_config=REGISTRY.auth_config(door.host))
        door.close_port()
        text = job.prepare().check(2).text()
        self.assertIn("connection refused", text)
        self.assertIn(door.image(f"{self.group}/tool:1"), text)

    def test_several_images_are_pulled_at_the_same_time(self):
        if PLACE.suite != "docker":
            self.skipTest("a kubelet pulls one image after the other unless its owner says otherwise")
        door = self.door()
        door.meet(2)
        service = {"name": door.image(self.push("server", command=["sleep", "1000"]))}
        job = self.attempt(door.image(self.push("tool")), [service], auth_config=REGISTRY.auth_config(door.host))
        self.check_runs(job, "tool")


def main():
    global PLACE, REGISTRY
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    make = {"docker": places.Docker, "kubernetes": places.Kubernetes}[sys.argv[1]]
    try:
        PLACE = make(pathlib.Path(sys.argv[2]).resolve())
    except engine_api.NoEngine as error:
        return leave_out.leave_out(error)
    except kubernetes_api.NoCluster as error:
        return leave_out.leave_out(error, "kubernetes")
    try:
        with registries.Registry(PLACE.address()) as REGISTRY:
            PLACE.trust(REGISTRY.host, REGISTRY.authority)
            try:
                program = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False, verbosity=2)
            finally:
                PLACE.distrust(REGISTRY.host)
        return 0 if program.result.wasSuccessful() else 1
    except registries.NoRegistry as error:
        return leave_out.leave_out(error, PLACE.suite)
    finally:
        PLACE.backend.close()


if __name__ == "__main__":
    sys.exit(main())
