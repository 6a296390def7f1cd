#!/usr/bin/env python3
"""What nobody may read stays where it belongs: the value of every masked variable is looked for in the whole cluster.

    canary.py BIN_DIR [unittest arguments]

Each masked value is a word that stands nowhere else. While a job runs, every object of every kind that the API server
lists is searched for it, as it is and in base64; so are the containers' logs, the services' environments, processes and
files, the arguments of every process on this machine, and what the driver keeps on disk. A registry's login and what a
service is given by name may stand in one Secret that the pod owns, and nowhere else.
"""
import base64
import json
import pathlib
import secrets
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support"), str(ROOT / "integration" / "credentials")]
import backends  # noqa: E402
import kubernetes_api  # noqa: E402
import play_runner  # noqa: E402
import samples  # noqa: E402
import suite  # noqa: E402
from canaries import Arguments, Canaries, Environments  # noqa: E402

BACKEND = None
# What a service is to find of itself, so that a search that finds nothing has searched.
PUBLIC = "seen-" + secrets.token_hex(8)


# It looks at itself for what /builds/needles has, in all but its image's programs and the job's own directories.
SEARCH = """until test -e /builds/go; do sleep 0.1; done
cd /builds
env > /tmp/own
lines() { tr '\\0' '\\n' < $1 2>/dev/null; }
for file in /proc/[0-9]*/environ; do lines $file; done > environments-$0
for file in /proc/[0-9]*/cmdline; do lines $file; done > arguments-$0
find $(ls -d /* | grep -vE '^/(bin|builds|cache|dev|proc|sys)$') /dev/shm -type f > files-$0
while read -r file; do lines $file | grep -qF -f needles && echo $file; done < files-$0 > finds-$0
mv finds-$0 found-$0
exec sleep 1000"""


def service(name, **more):
    return {"name": "busybox:latest", "alias": name, "command": ["sh", "-c", SEARCH.replace("$0", name)], **more}


class Canary(unittest.TestCase):
    def attempt(self, response, **more):
        """One that is cleaned up whatever becomes of the test."""
        job = BACKEND.attempt(response, **more)
        self.addCleanup(lambda: job.tmpdir.exists() and self.clean_up(job))
        return job

    @staticmethod
    def clean_up(job):
        job.cleanup().check(0)
        job.close()

    def pod(self):
        pod, = [one for one in BACKEND.cluster.items(BACKEND.namespace, "pods") if "deletionTimestamp" not in one["metadata"]]
        return pod

    def look_at_cluster(self, canaries):
        """Where which canary was found: {(name, kind, object's name)}; Secrets must have one owner."""
        found, kinds = set(), 0
        for path in BACKEND.cluster.listable():
            try:
                listed = BACKEND.cluster.call("GET", path)
            except kubernetes_api.ApiError as error:
                # Kinds of which there is a list only in name.
                self.assertIn(error.status, (404, 405), error)
                continue
            kinds += 1
            for item in listed["items"]:
                for name in canaries.found(json.dumps(item).encode()):
                    found.add((name, listed["kind"].removesuffix("List"), item["metadata"]["name"]))
                    owners = item["metadata"].get("ownerReferences", [])
                    self.assertEqual([one["kind"] for one in owners], ["Pod"], f"{path}: {item['metadata']}")
        self.assertGreater(kinds, 20)
        return found

    def look_at_logs(self, canaries, pod):
        for container in pod["spec"]["containers"]:
            path = f"/api/v1/namespaces/{BACKEND.namespace}/pods/{pod['metadata']['name']}/log?container={container['name']}"
            text = BACKEND.cluster.call("GET", path)
            self.assertEqual(canaries.found(text if isinstance(text, bytes) else json.dumps(text).encode()), set(), path)

    def look_at_disk(self, canaries, job):
        """All that Berth has written; the response and the scripts are the runner's."""
        files = [one for one in [*BACKEND.state.rglob("*"), *job.tmpdir.rglob("*")] if one.is_file()]
        ours = [one for one in files if one.name not in ("response.json", "script")]
        self.assertIn("plan.json", [one.name for one in ours])
        self.assertIn("sandbox.json", [one.name for one in ours])
        for path in ours:
            self.assertEqual(canaries.found(path.read_bytes()), set(), path)

    def test_each_is_where_it_belongs(self):
        canaries = Canaries("plain", "file", "marked public", "part of a public one", "token", "login", "asked for", "decoded")
        address = f"https://user:{canaries['part of a public one']}@example.com/"
        login = base64.b64encode(f"user:{canaries['login']}".encode()).decode()
        auths = json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": login}}})
        masked = {"public": False, "masked": True}
        job = self.attempt(play_runner.response(
            image="busybox:latest", token=canaries["token"],
            services=[service("web"), service("db", variables=[{"key": "OWN", "value": "given-$ASKED_FOR"}])],
            variables=[{"key": "SHOWN", "value": PUBLIC},
                       {"key": "PLAIN", "value": canaries["plain"], **masked},
                       {"key": "KEY_FILE", "value": canaries["file"], "file": True, **masked},
                       {"key": "MARKED", "value": canaries["marked public"], "public": True, "masked": True},
                       {"key": "PART", "value": canaries["part of a public one"], **masked},
                       {"key": "ADDRESS", "value": "https://user:$PART@example.com/"},
                       {"key": "ASKED_FOR", "value": canaries["asked for"], **masked},
                       {"key": "CI_JOB_TOKEN", "value": canaries["token"], **masked},
                       {"key": "DOCKER_AUTH_CONFIG", "value": auths, **masked},
                       {"key": "KUBE_CONFIG", "value": samples.wrapped(samples.kubeconfig(canaries["decoded"])), **masked}]),
            variables={"ADDRESS": address, "KEY_FILE": "/builds/group/polls.tmp/KEY_FILE"})
        arguments = Arguments(canaries)
        try:
            job.config().check(0)
            prepared = job.prepare().check(0)
            # As the runner's own script has it: exports, and a file beside the checkout.
            exports = "".join(f"export {name}='{canaries[of]}'\n" for name, of in
                              (("PLAIN", "plain"), ("MARKED", "marked public"), ("CI_JOB_TOKEN", "token")))
            script = (f"{exports}export ADDRESS='{address}' DOCKER_AUTH_CONFIG='{auths}'\nmkdir -p /builds/group/polls.tmp\n"
                      f"printf '%s' '{canaries['file']}' > /builds/group/polls.tmp/KEY_FILE\n")
            needles = [form.decode() for all_forms in canaries.forms.values() for form in all_forms]
            job.run("get_sources", script + "echo checked out").check(0)
            job.run("build_script", "cat > /builds/needles <<'END'\n" + "\n".join([PUBLIC, *needles]) + "\nEND\n").check(0)
            process = job.start_run("build_script", script + "touch /builds/go; echo started\n"
                                    "cat $KUBECONFIG | grep token; (sleep 1000; cat $KUBECONFIG) &\n"
                                    "until test -e /builds/found-web && test -e /builds/found-db; do sleep 0.1; done\n"
                                    "until test -e /builds/end; do sleep 0.1; done")
            self.assertEqual(process.stdout.readline(), b"started\n")

            pod = self.pod()
            where = self.look_at_cluster(canaries)
            self.assertEqual(where, {(name, "Secret", pod["metadata"]["name"]) for name in ("login", "asked for")})
            self.assertIn(PUBLIC, json.dumps(pod), "public variables stand in the pod")
            self.look_at_logs(canaries, pod)
            self.look_at_disk(canaries, job)
            ids = [one["containerID"].split("//")[1] for one in BACKEND.cluster.items(BACKEND.namespace, "pods")[0]["status"]
                   ["containerStatuses"] if one["name"] in ("build", "helper")]
            found, processes = Environments(canaries, ids).found()
            self.assertEqual({one for one in found if one[0] != "asked for"}, set())
            self.assertGreater(processes, 10)
            self.assertEqual(canaries.found(prepared.out + prepared.err), set())

            # In digits, so that nothing of it is masked on its way.
            look = "until test -e /builds/found-{0}; do sleep 0.1; done; od -An -v -tx1 /builds/{1}-{0}"

            def seen(name, what):
                return bytes.fromhex(job.run("archive_cache", look.format(name, what)).check(0).out.decode())

            for name in ("web", "db"):
                found = seen(name, "found").decode().split()
                self.assertEqual(found, ["/tmp/own"], f"{name}: its own copy of its environment, and nothing else")
                environments = seen(name, "environments")
                self.assertIn(PUBLIC.encode(), environments)
                self.assertEqual(canaries.found(environments), {"asked for"} if name == "db" else set(), name)
                called = seen(name, "arguments")
                self.assertIn(b"environments-" + name.encode(), called)
                self.assertEqual(canaries.found(called), set(), name)
            job.run("get_sources", "touch /builds/end").check(0)
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, (out + err).decode(errors="replace"))
            self.assertEqual(canaries.found(out + err), set())
            self.assertIn(b"token: [MASKED]", out)
            self.clean_up(job)
        finally:
            found = arguments.end()
        self.assertEqual(found, set())
        self.assertGreater(arguments.looks, 20)
        BACKEND.cluster.wait_for(lambda: not self.look_at_cluster(canaries), "nothing in the cluster")

    def test_an_image_that_its_login_does_not_open(self):
        canaries = Canaries("login")
        login = base64.b64encode(f"user:{canaries['login']}".encode()).decode()
        job = self.attempt(play_runner.response(image="berth.invalid/private:1", variables=[
            {"key": "DOCKER_AUTH_CONFIG", "value": json.dumps({"auths": {"berth.invalid": {"auth": login}}}),
             "public": False, "masked": True}]))
        job.config().check(0)
        failed = job.prepare().check(1)
        self.assertIn("cannot pull image", failed.text())
        self.assertEqual(canaries.found(failed.out + failed.err), set())
        self.assertEqual(self.look_at_cluster(canaries), {("login", "Secret", self.pod()["metadata"]["name"])})
        self.clean_up(job)
        BACKEND.cluster.wait_for(lambda: not self.look_at_cluster(canaries), "nothing in the cluster")


def use(backend):
    global BACKEND
    BACKEND = backend


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    return suite.run(lambda: backends.make("kubernetes", pathlib.Path(sys.argv[1]).resolve()), use, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
