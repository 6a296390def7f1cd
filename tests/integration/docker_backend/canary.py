#!/usr/bin/env python3
"""What nobody may read stays where it belongs, on a Docker engine: see tests/integration/kubernetes_backend/canary.py.

    canary.py BIN_DIR [unittest arguments]
"""
import base64
import json
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support"), str(ROOT / "integration" / "credentials")]
import backends  # noqa: E402
import canaries as words  # noqa: E402
import play_runner  # noqa: E402
import samples  # noqa: E402
import suite  # noqa: E402

BACKEND = None
PUBLIC = "seen-by-all-0123456789"


class Canary(unittest.TestCase):
    @staticmethod
    def clean_up(job):
        job.cleanup().check(0)
        job.close()

    def containers(self, job):
        """{name: what inspect tells}"""
        engine = BACKEND.engine
        return {name: engine.call("GET", f"/containers/{name}/json")
                for name in engine.objects(job.tmpdir) if name.rsplit("-", 1)[0].startswith("berth-") and
                name.rpartition("-")[2] in ("helper", "build", "0", "1")}

    def test_each_is_where_it_belongs(self):
        canaries = words.Canaries("plain", "file", "part of a public one", "token", "login", "asked for", "decoded", "added",
                                  "key")
        login = base64.b64encode(f"user:{canaries['login']}".encode()).decode()
        masked = {"public": False, "masked": True}
        body = play_runner.response(
            job_id=os.getpid(), image="debian:bookworm", token=canaries["token"],
            services=[{"name": "busybox:latest", "alias": "web", "command": ["sleep", "1000"]},
                      {"name": "busybox:latest", "alias": "db", "command": ["sleep", "1000"],
                       "variables": [{"key": "OWN", "value": "given-$ASKED_FOR"}]}],
            variables=[{"key": "SHOWN", "value": PUBLIC},
                       {"key": "PLAIN", "value": canaries["plain"], **masked},
                       {"key": "KEY_FILE", "value": canaries["file"], "file": True, **masked},
                       {"key": "PART", "value": canaries["part of a public one"], **masked},
                       {"key": "ADDRESS", "value": "https://user:$PART@example.com/"},
                       {"key": "ASKED_FOR", "value": canaries["asked for"], **masked},
                       {"key": "CI_JOB_TOKEN", "value": canaries["token"], **masked},
                       {"key": "DOCKER_AUTH_CONFIG", "value": json.dumps({"auths": {"r.example.com": {"auth": login}}}), **masked},
                       {"key": "NETRC", "value": f"machine example.com login me password {canaries['key']}\n", "file": True, **masked},
                       {"key": "KUBE_CONFIG", "value": samples.wrapped(samples.kubeconfig(canaries["decoded"])), **masked}])
        body["job_info"]["project_id"] = backends.PROJECT
        job = BACKEND.attempt(body)
        self.addCleanup(lambda: job.tmpdir.exists() and self.clean_up(job))
        arguments = words.Arguments(canaries)
        logs = b""
        try:
            job.config().check(0)
            prepared = job.prepare().check(0)
            script = samples.exports([one for one in body["variables"] if one["key"] != "ADDRESS"])
            process = job.start_run("build_script", script + (
                f"echo '::add-mask::{canaries['added']}'; echo {canaries['added']}\n"
                "cat $KUBECONFIG; cat $NETRC; echo $DOCKER_AUTH_CONFIG; base64 $KUBECONFIG\n"
                "echo started; until test -e /builds/end; do sleep 0.1; done"))
            read = b""
            while b"started\n" not in read:
                line = process.stdout.readline()
                self.assertTrue(line, read)
                read += line
            found = self.containers(job)
            self.assertEqual(len(found), 4, found.keys())
            for name, container in found.items():
                allowed = {"asked for"} if "given-" in json.dumps(container) else set()
                self.assertEqual(canaries.found(json.dumps(container).encode()), allowed, name)
                log = BACKEND.engine.call("GET", f"/containers/{name}/logs?stdout=1&stderr=1")
                self.assertEqual(canaries.found(log if isinstance(log, bytes) else json.dumps(log).encode()), set(), name)
            services = {name: one for name, one in found.items() if not name.endswith(("-helper", "-build"))}
            self.assertEqual(len(services), 2)
            for name, container in services.items():
                root = pathlib.Path(f"/proc/{container['State']['Pid']}/root")
                for folder in ("run", "tmp", "root", "etc", "dev/shm", "var"):
                    for path in (root / folder).rglob("*"):
                        if path.is_file() and not path.is_symlink():
                            self.assertEqual(canaries.found(path.read_bytes()), set(), path)
            mine = [one["Id"] for name, one in found.items() if name not in services]
            seen, processes = words.Environments(canaries, mine).found()
            self.assertEqual({one for one in seen if one[0] != "asked for"}, set())
            self.assertGreater(processes, 5)
            files = [one for one in [*BACKEND.state.rglob("*"), *job.tmpdir.rglob("*")] if one.is_file()]
            ours = [one for one in files if one.name not in ("response.json", "script")]
            self.assertIn("sandbox.json", [one.name for one in ours])
            for path in ours:
                self.assertEqual(canaries.found(path.read_bytes()), set(), path)
            job.run("get_sources", "touch /builds/end").check(0)
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, (read + out + err).decode(errors="replace"))
            logs = prepared.out + prepared.err + read + out + err
            logs += job.run("after_script", f"echo {canaries['added']}").check(0).out
            # What stands in a variable as it is the runner masks, not the driver.
            self.assertEqual(canaries.found(logs), set())
            self.assertIn(b"credential KUBE_CONFIG: kubeconfig", logs)
            self.clean_up(job)
        finally:
            found = arguments.end()
        self.assertEqual(found, set())
        self.assertGreater(arguments.looks, 20)


class Forms(unittest.TestCase):
    """The search itself."""

    def test_each_form_is_found_in_whatever_stands_around_it(self):
        word = "canary" + "0123456789abcdef" * 2
        for before in ("", "a", "ab", "abc"):
            for after in ("", "x", "xy", "xyz"):
                text = (before + word + after).encode()
                once = base64.b64encode(text)
                for coded in (text, once, base64.b64encode(b'{"auth": "' + once + b'"}' + after.encode())):
                    self.assertTrue(any(form in coded for form in words.forms(word)), coded)
                self.assertFalse(any(form in base64.b64encode(text.swapcase()) for form in words.forms(word)))


def use(backend):
    global BACKEND
    BACKEND = backend


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    return suite.run(lambda: backends.make("docker", pathlib.Path(sys.argv[1]).resolve()), use, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
