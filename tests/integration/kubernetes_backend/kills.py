#!/usr/bin/env python3
"""SIGKILL of a stage's process group at twenty points, and nobody cleans up: nothing is left in the end.

    kills.py BIN_DIR

The runner is taken to have died with the stage. A point is a request that passes a proxy
(tests/support/cutting_proxy.py): it is held back until its sender is dead, and carried out then, or is carried out and
its reply never arrives. Or it is when a script has printed something.
All the while every object of every kind in the namespace is watched: whatever a job made and is no pod must be owned by
its pod from its first moment on. Then every container must end, services included, by the agents' watchdog and a short
`orphan_timeout`. What is left the preparation of the next job must remove, and so must `berth gc` on any machine: at
once where TMPDIR is gone; where it stays, a minute after the end, or, if the pod never started, once every driver would
have given it up. A job that lives beside all this goes on.
"""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support")]
import backends  # noqa: E402
import play_runner  # noqa: E402
import suite  # noqa: E402
from cutting_proxy import CuttingProxy, Pause  # noqa: E402

BACKEND = None
# Longer than a busy machine takes from a container to the next step of its driver.
ORPHAN_TIMEOUT = 60
# The kubelet looks at the volumes' sizes about once a minute, and evicts one pod after the other: 10 s each where the
# node is busy.
EVICTION = 600
AT_ONCE = 5
# Its own variable is not public: it comes from a Secret, and the pod waits for that behind a gate.
VARIABLES = [{"key": "PRIVATE", "value": "hush", "public": False}]


def unending(token):
    """A process that only KILL ends, and one more."""
    return f"trap '' TERM; (trap '' TERM; : {token}; while :; do sleep 1; done) & while :; do sleep 1; : {token}; done"


def response(number, token):
    service = {"name": "busybox:latest", "alias": "web", "command": ["sh", "-c", unending(token)],
               "variables": [{"key": "OWN", "value": "$PRIVATE"}]}
    return play_runner.response(job_id=number, image="busybox:latest", services=[service], variables=VARIABLES)


def processes_with(token):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if token.encode() in path.read_bytes() and path.parent.name != str(os.getpid()):
                found.append(path.parent.name)
        except OSError:
            pass
    return found


class Observer:
    """Sees every object in the namespace from its creation on."""

    def __init__(self, cluster, namespace):
        self.cluster = cluster
        self.pods = {}
        self.seen = []
        self.broken = []
        for path in cluster.listable(namespace):
            if path.endswith("/events"):
                continue
            version = cluster.call("GET", path)["metadata"]["resourceVersion"]
            threading.Thread(target=self._watch, args=(path, version), daemon=True).start()

    def _watch(self, path, version):
        try:
            connection = http.client.HTTPSConnection(self.cluster.host, self.cluster.port, context=self.cluster.tls)
            connection.request("GET", f"{path}?watch=1&timeoutSeconds=3000&resourceVersion={version}")
            answer = connection.getresponse()
            if answer.status != 200:
                raise ValueError(answer.read())
            while line := answer.readline():
                event = json.loads(line)
                if event["object"]["kind"] == "Pod":
                    self.pods[event["object"]["metadata"]["uid"]] = event["object"]
                elif event["type"] in ("ADDED", "MODIFIED"):
                    self.seen.append(event["object"])
                elif event["type"] != "DELETED":
                    raise ValueError(event)
        except (OSError, ValueError, KeyError) as error:
            self.broken.append(f"{path}: {error!r}")

    def ownerless(self):
        """Names of objects that had no owner at some instant; the agent's own ConfigMap belongs to the namespace."""
        found = set()
        for one in self.seen:
            metadata = one["metadata"]
            if one["kind"] == "ConfigMap" and metadata["name"].startswith("berth-agent-") and one.get("immutable"):
                continue
            owners = metadata.get("ownerReferences", [])
            if not any(owner["kind"] == "Pod" and owner["uid"] in self.pods for owner in owners):
                found.add(f"{one['kind']} {metadata['name']}")
        return found

    def secrets(self):
        return {one["metadata"]["uid"] for one in self.seen if one["kind"] == "Secret"}


class Point:
    """Where a program is killed: at one of its requests, else as soon as its script has printed something."""

    def __init__(self, stage, request=None, held=True):
        self.stage = stage
        self.pause = None if request is None else Pause(request, held)
        what = "" if request is None else f", request {request} {'held' if held else 'unanswered'}"
        self.name = stage + what


class Kill:
    """One job, and the driver that dies."""

    def __init__(self, number, point):
        self.point = point
        self.token = f"BERTH-KILLS-{os.getpid()}-{number}"
        self.proxy = CuttingProxy((BACKEND.cluster.host, BACKEND.cluster.port))
        kubeconfig = through(self.proxy, BACKEND.root / f"kubeconfig-{number}")
        self.job = BACKEND.attempt(response(number, self.token), kubeconfig=kubeconfig, wait_for_services_timeout=-1)
        self.failure = None

    def start(self, stage):
        if stage in ("build_script", "get_sources"):
            # A grandchild that TERM does not end.
            return self.job.start_run(stage, f"sh -c \"{unending(self.token)}\" & echo started; sleep 1000")
        return self.job.start(f"berth-{stage}")

    def play(self):
        try:
            stage = self.point.stage
            if stage != "config":
                self.job.config().check(0)
            if stage not in ("config", "prepare"):
                self.job.prepare().check(0)
            self.proxy.forget()
            self.proxy.pause = self.point.pause
            process = self.start(stage)
            if self.point.pause:
                BACKEND.cluster.wait_for(lambda: self.proxy.is_out() or process.poll() is not None, "the point", 120)
            elif stage != "config":
                line = process.stdout.readline()
                if line != b"started\n":
                    raise AssertionError(f"printed {line}")
            ended = process.poll()
            if ended is None:
                os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            if ended is not None:
                raise AssertionError(f"it ended by itself, with {ended}: {(out + err).decode(errors='replace')}")
            # What it has sent and was held arrives.
            self.proxy.pause = None
            self.proxy.back()
        except Exception as error:  # noqa: BLE001: told by the test
            self.failure = f"{self.point.name}: {error}"


def through(proxy, path):
    """A kubeconfig of the driver's own account that reaches the API server through the proxy."""
    config = json.loads(BACKEND.kubeconfig.read_text())
    host, port = proxy.address
    config["clusters"][0]["cluster"].update({"server": f"https://{host}:{port}", "tls-server-name": "kubernetes"})
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path


def both(stage, requests):
    return [Point(stage, number, held) for number in requests for held in (True, False)]


# What preparation asks for: what dead jobs have left, the pod; the watch and the agent's ConfigMap; the Secret, and that
# the gate goes; then it meets the agents.
POINTS = [Point("config"), *both("prepare", range(6)), Point("prepare", 6), *both("build_script", [0]),
          Point("build_script"), Point("get_sources"), *both("cleanup", [0])]


def pods():
    return [one for one in BACKEND.cluster.items(BACKEND.namespace, "pods") if "deletionTimestamp" not in one["metadata"]]


def tmpdir_of(pod):
    return pod["metadata"].get("annotations", {}).get("berth.tmpdir", "")


def containers(pod):
    return pod["status"].get("containerStatuses", [])


def runs(pod):
    return any("running" in one["state"] for one in containers(pod))


def has_started(pod):
    return bool(containers(pod)) and all("waiting" not in one["state"] for one in containers(pod))


def names(all_pods):
    return sorted(one["metadata"]["name"] for one in all_pods)


def ended_at(pod):
    times = [one["state"]["terminated"]["finishedAt"] for one in containers(pod) if "terminated" in one["state"]]
    return max((time.mktime(time.strptime(one, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone for one in times if one), default=0)


def another_job(number):
    job = BACKEND.attempt(response(number, "other"), wait_for_services_timeout=-1)
    job.config().check(0)
    job.prepare().check(0)
    job.cleanup().check(0)
    job.close()


def collect_elsewhere(*arguments):
    """`berth gc` of a machine that knows nothing of these jobs; what it says."""
    settings = BACKEND.root / "elsewhere.yaml"
    settings.write_text(BACKEND.settings().read_text().replace(f"state_dir: {BACKEND.state}",
                                                               f"state_dir: {BACKEND.root / 'elsewhere'}"))
    result = subprocess.run([BACKEND.bin / "berth", "gc", "--settings", settings, *arguments], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        raise AssertionError(f"berth gc: {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


class LiveJob:
    """One with a driver, which nobody may take for dead."""

    def __init__(self):
        self.job = BACKEND.attempt(response(2, "live"), wait_for_services_timeout=-1)
        self.job.config().check(0)
        self.job.prepare().check(0)
        self.process = self.job.start_run("build_script", "echo started; until test -e /builds/go; do sleep 0.1; done; echo done")

    def end(self):
        self.job.run("get_sources", "touch /builds/go").check(0)
        out, err = self.process.communicate(timeout=60)
        self.job.cleanup().check(0)
        self.job.close()
        return out, err


class Kills(unittest.TestCase):
    def test_twenty_kills_leave_nothing(self):
        self.assertEqual(len({one.name for one in POINTS}), 20)
        # The agent's ConfigMap is there from then on.
        another_job(1)
        observer = Observer(BACKEND.cluster, BACKEND.namespace)
        live = LiveJob()
        kills = [Kill(100 + at, point) for at, point in enumerate(POINTS)]
        for at in range(0, len(kills), AT_ONCE):
            threads = [threading.Thread(target=one.play) for one in kills[at:at + AT_ONCE]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual([one.failure for one in kills if one.failure], [])

        alive = str(live.job.tmpdir)
        left = [one for one in pods() if tmpdir_of(one) != alive]
        print(f"{len(left)} pods are left, {sum(has_started(one) for one in left)} of them have started", flush=True)

        # Whoever waits for a node or a gate runs nothing.
        BACKEND.cluster.wait_for(lambda: not any(runs(one) for one in pods() if tmpdir_of(one) != alive),
                                 "every container ended", seconds=ORPHAN_TIMEOUT + EVICTION)
        self.assertEqual([one.point.name for one in kills if processes_with(one.token)], [])

        left = [one for one in pods() if tmpdir_of(one) != alive]
        ended, waiting = [one for one in left if has_started(one)], [one for one in left if not has_started(one)]
        self.assertTrue(ended and waiting, f"{len(ended)} have ended, {len(waiting)} never started")
        last = max(ended_at(one) for one in ended)
        BACKEND.cluster.wait_for(lambda: time.time() > last + 62, "a minute behind the last end", seconds=120)
        said = collect_elsewhere("--dry-run")
        for name in names(ended):
            self.assertRegex(said, rf"{name}: all containers of the job had ended")
        for name in names(waiting):
            self.assertNotIn(name, said, "a driver may still wait for it")

        staying = {str(one.job.tmpdir) for one in kills[::2]}
        for one in kills[1::2]:
            one.job.close()
        another_job(90)
        left = [one for one in pods() if tmpdir_of(one) != alive]
        waiting = [one for one in waiting if tmpdir_of(one) in staying]
        self.assertTrue(waiting)
        self.assertEqual(names(left), names(waiting), "the sweep: ended, or TMPDIR is gone")
        for one in waiting:
            past = {"metadata": {"annotations": {"berth.start-by": str(int(time.time()) - 400)}}}
            BACKEND.cluster.call("PATCH", f"/api/v1/namespaces/{BACKEND.namespace}/pods/{one['metadata']['name']}", past,
                                 "application/merge-patch+json")
        said = collect_elsewhere("--dry-run")
        for name in names(waiting):
            self.assertRegex(said, rf"{name}: the job's pod had not started by")
        self.assertNotIn(live.job.tmpdir.name, said)
        another_job(91)
        self.assertEqual(names(one for one in pods() if tmpdir_of(one) != alive), [], "the sweep: never started")

        out, err = live.end()
        self.assertEqual((live.process.returncode, out), (0, b"started\ndone\n"), err.decode(errors="replace"))
        for one in kills[::2]:
            one.job.close()
        for one in kills:
            one.proxy.close()
        BACKEND.cluster.wait_for(lambda: not BACKEND.cluster.items(BACKEND.namespace, "secrets"), "all secrets gone")
        self.assertEqual(sorted(observer.ownerless()), [], "objects that had no owner")
        self.assertEqual(observer.broken, [])
        print(f"{len(observer.pods)} pods and {len(observer.secrets())} secrets were seen")
        self.assertGreater(len(observer.secrets()), 10, "secrets were seen")


def use(backend):
    global BACKEND
    BACKEND = backend


def make(bin_dir):
    backend = backends.make("kubernetes", bin_dir)
    backend.common = [f"orphan_timeout: {ORPHAN_TIMEOUT}"]
    return backend


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    return suite.run(lambda: make(pathlib.Path(sys.argv[1]).resolve()), use, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
