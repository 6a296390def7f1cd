#!/usr/bin/env python3
"""Runs a pipeline of tests/pipelines through `berth local` on a real engine or
cluster and compares what happened with expected.json beside it.

    pipelines.py BIN_DIR PIPELINE_DIR TRANSPORT

TRANSPORT is `socket` or `exec` on the engine, `kubernetes`, or `restricted`: on
the cluster, by nobody's rights and with read-only roots. Settings that a
pipeline wants are in its berth.yaml, or its berth-kubernetes.yaml. PIPELINE_DIR holds a .gitlab-ci.yml, the sources of its jobs and expected.json:

    {"runs": [{"arguments": [...], "exit_code": 0, "status": "success",
               "jobs": {"NAME": {"status": "...", "exit_code": 0,
                                 "log": ["text that stands in the log", ...],
                                 "log_lacks": ["text that does not", ...],
                                 "log_order": ["first", "then", ...],
                                 "log_matches": ["regular expression found in it", ...],
                                 "log_count": {"text": [LEAST, MOST]},
                                 "log_size": LEAST_CHARACTERS,
                                 "log_most": MOST_CHARACTERS}},
               "output": ["text that berth local prints", ...],
               "output_lacks": ["text that it does not", ...]}]}

What a run does not name is not compared, but for jobs: every job of the
report must be named. The runs share one checkout; a run's "commit": {PATH: TEXT}
is committed before it. Exit status: 0, 1, or 125 where no engine or cluster answers.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import engine_api  # noqa: E402
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402


def engine_answers():
    try:
        return subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def git(work, *words):
    subprocess.run(["git", "-C", work, "-c", "user.name=berth", "-c", "user.email=berth@localhost",
                    *words], check=True, stdout=subprocess.DEVNULL)


def make_checkout(source, work):
    shutil.copytree(source, work, symlinks=True)
    git(work, "init", "-q", "-b", "main")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "Sources")


def commit(work, files):
    for name, text in files.items():
        path = pathlib.Path(work, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "Change")


def compare_job(name, wanted, job):
    # As it is: read_text() would make line ends of the carriage returns in it.
    log = pathlib.Path(job["log"]).read_bytes().decode(errors="replace") if job.get("log") else ""
    for key in ("status", "exit_code", "failure_reason", "allow_failure", "stage"):
        if key in wanted and job.get(key) != wanted[key]:
            yield f"job {name}: {key} is {job.get(key)!r}, expected {wanted[key]!r}"
    for text in wanted.get("log", []):
        if text not in log:
            yield f"job {name}: its log lacks {text!r}"
    for text in wanted.get("log_lacks", []):
        if text in log:
            yield f"job {name}: its log has {text!r}"
    for text, (least, most) in wanted.get("log_count", {}).items():
        if not least <= log.count(text) <= most:
            yield f"job {name}: its log has {text!r} {log.count(text)} times, expected {least} to {most}"
    for pattern in wanted.get("log_matches", []):
        if not re.search(pattern, log):
            yield f"job {name}: nothing in its log matches {pattern!r}"
    if len(log) < wanted.get("log_size", 0):
        yield f"job {name}: its log has {len(log)} characters, expected {wanted['log_size']} or more"
    if len(log) > wanted.get("log_most", len(log)):
        yield f"job {name}: its log has {len(log)} characters, expected {wanted['log_most']} or fewer"
    at = 0
    for text in wanted.get("log_order", []):
        found = log.find(text, at)
        if found < 0:
            yield f"job {name}: its log lacks {text!r} in the expected order"
            break
        at = found + len(text)


def compare(run, code, report):
    if code != run.get("exit_code", 0):
        yield f"berth local ended with {code}, expected {run.get('exit_code', 0)}"
    if "status" in run and report.get("status") != run["status"]:
        yield f"status is {report.get('status')!r}, expected {run['status']!r}"
    jobs = {job["name"]: job for job in report.get("jobs", [])}
    wanted = run.get("jobs", {})
    if set(jobs) != set(wanted):
        yield f"jobs are {sorted(jobs)}, expected {sorted(wanted)}"
    for name in wanted:
        if name in jobs:
            yield from compare_job(name, wanted[name], jobs[name])


class OnEngine:
    """The Docker engine, its agents reached by `socket` or `exec`."""

    suite = "docker"

    def __init__(self, transport):
        if not engine_answers():
            raise LookupError("no Docker engine answers")
        self.transport = transport
        self.environment = {"BERTH_TRANSPORT": "exec"} if transport == "exec" else {}

    def settings(self, source, scratch):
        wanted = pathlib.Path(source, "berth.yaml")
        return wanted.read_text() if wanted.exists() else "docker:\n  pull_policy: if-not-present\n"

    def problems(self, scratch, traced):
        for project in pathlib.Path(scratch, "state", "local").glob("[0-9]*"):
            engine_api.Engine().remove_kept_volumes(project.name)
        if ("/exec" in traced) != (self.transport == "exec"):
            yield f"the agents were not reached by {self.transport}"

    def close(self):
        pass


LEAST = "{allow_privilege_escalation: false, read_only_root_filesystem: true, capabilities: {drop: [ALL]}}"
# What the policy `restricted` asks for, and read-only roots.
RESTRICTED = f"""\
  pod_security_context:
    {{run_as_non_root: true, run_as_user: 1000, run_as_group: 1000, fs_group: 1000, seccomp_profile: {{type: RuntimeDefault}}}}
  build_container_security_context: {LEAST}
  helper_container_security_context: {LEAST}
  service_container_security_context: {{allow_privilege_escalation: false, run_as_user: 999, capabilities: {{drop: [ALL]}}}}
"""


class OnCluster:
    """A namespace of a Kubernetes cluster."""

    suite = "kubernetes"
    environment = {}

    def __init__(self, restricted):
        self.restricted = restricted
        try:
            self.cluster = kubernetes_api.Cluster()
        except kubernetes_api.NoCluster as error:
            raise LookupError(str(error)) from error
        self.namespace = f"berth-pipeline-{os.getpid()}"
        labels = {"pod-security.kubernetes.io/enforce": "restricted"} if restricted else {}
        self.cluster.make_namespace(self.namespace, labels)

    def settings(self, source, scratch):
        wanted = pathlib.Path(source, "berth-kubernetes.yaml")
        text = wanted.read_text() if wanted.exists() else "kubernetes:\n  pull_policy: if-not-present\n"
        # A cache that outlives its pod is a volume of the operator's.
        os.mkdir(f"{scratch}/cache")
        os.chmod(f"{scratch}/cache", 0o777)
        self.make_claim(f"{scratch}/cache")
        volumes = ["pvc: [{name: cache, mount_path: /cache}]"]
        if self.restricted:
            text += RESTRICTED
            volumes.append("empty_dir: [{name: tmp, mount_path: /tmp}]")
        return (f"{text}  kubeconfig: {self.cluster.kubeconfig}\n  namespace: {self.namespace}\n"
                f"  volumes: {{{', '.join(volumes)}}}\nbackend: kubernetes\n")

    def make_claim(self, directory):
        size = {"storage": "1Gi"}
        common = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
        self.cluster.call("POST", "/api/v1/persistentvolumes", {
            "metadata": {"name": self.namespace},
            "spec": {**common, "capacity": size, "hostPath": {"path": directory},
                     "claimRef": {"namespace": self.namespace, "name": "cache"}}})
        self.cluster.call("POST", f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims", {
            "metadata": {"name": "cache"},
            "spec": {**common, "resources": {"requests": size}, "volumeName": self.namespace}})

    def problems(self, scratch, traced):
        for pod in self.cluster.items(self.namespace, "pods"):
            if "deletionTimestamp" not in pod["metadata"]:
                yield f"pod {pod['metadata']['name']} is left"

    def close(self):
        self.cluster.remove_namespace(self.namespace)
        if self.cluster.find(f"/api/v1/persistentvolumes/{self.namespace}"):
            self.cluster.call("DELETE", f"/api/v1/persistentvolumes/{self.namespace}")


def run_all(bin_dir, source, place):
    expected = json.loads(pathlib.Path(source, "expected.json").read_text())
    with tempfile.TemporaryDirectory(prefix="berth-pipeline-") as scratch:
        work = os.path.join(scratch, "work")
        make_checkout(source, work)
        settings = os.path.join(scratch, "berth.yaml")
        pathlib.Path(settings).write_text(f"{place.settings(source, scratch)}state_dir: {scratch}/state\n")
        calls = pathlib.Path(scratch, "calls")
        environment = {**os.environ, **place.environment, "BERTH_TRACE": str(calls)}
        problems = []
        for number, run in enumerate(expected["runs"], 1):
            if "commit" in run:
                commit(work, run["commit"])
            report_file = os.path.join(scratch, f"report-{number}.json")
            done = subprocess.run(
                [os.path.join(bin_dir, "berth"), "local", "--settings", settings, "--report",
                 report_file, *run.get("arguments", [])],
                cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            report = {}
            if os.path.exists(report_file):
                report = json.loads(pathlib.Path(report_file).read_text())
            found = list(compare(run, done.returncode, report))
            output = done.stdout.decode(errors="replace")
            found += [f"the output lacks {text!r}" for text in run.get("output", []) if text not in output]
            found += [f"the output has {text!r}" for text in run.get("output_lacks", []) if text in output]
            if found:
                sys.stdout.write(output)
            problems += [f"run {number}: {text}" for text in found]
        problems += place.problems(scratch, calls.read_text() if calls.exists() else "")
        return problems


def main():
    bin_dir, source, transport = sys.argv[1:4]
    on_cluster = transport in ("kubernetes", "restricted")
    try:
        place = OnCluster(transport == "restricted") if on_cluster else OnEngine(transport)
    except LookupError as error:
        return leave_out.leave_out(str(error), "kubernetes" if on_cluster else "docker")
    try:
        problems = run_all(os.path.abspath(bin_dir), os.path.abspath(source), place)
    finally:
        place.close()
    for problem in problems:
        print("FAILED", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
