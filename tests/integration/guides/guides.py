#!/usr/bin/env python3
"""Runs a pipeline of tests/pipelines/guides through `berth local`, with the world that its world.json asks for.

    guides.py BIN_DIR PIPELINE_DIR PLACE          PLACE: docker, kubernetes

Its jobs deploy to the cluster on both. A run of expected.json may say what must be there then (pipelines.py tells the
rest): "cluster": {NAMESPACE: {"deployments/NAME": IMAGE}}, where @SHA@ is the commit and @SHA8@ its beginning; the
Deployment has rolled out, or the Job succeeded. Exit status: 0, 1, or 125 where something is not to be had.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "support")]
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402
import pipelines  # noqa: E402
import registry as registries  # noqa: E402
from world import World  # noqa: E402


def mark(work, world):
    """Puts the world's addresses into the checkout."""
    for path in sorted(work.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(work).parts[:1]:
            text = path.read_text()
            if world.put_in(text) != text:
                path.write_text(world.put_in(text))


def settings(place, world, scratch):
    volume = world.daemon_settings()
    if place == "docker":
        text = ("docker:\n  pull_policy: if-not-present\n  services_privileged: true\n"
                f"  volumes: [\"{volume}:/etc/docker/daemon.json:ro\"]\n")
    else:
        cluster_settings = pipelines.OnCluster(restricted=False)
        world.cleanup.callback(cluster_settings.close)
        text = cluster_settings.settings(pathlib.Path("/nonexistent"), scratch)
        text = text.replace("  pull_policy: if-not-present\n", "  pull_policy: if-not-present\n  privileged: true\n")
        text = text.replace("volumes: {", "volumes: {host_path: [{name: daemon, mount_path: /etc/docker/daemon.json, "
                            f"host_path: {volume}, read_only: true}}], ")
    return text + "".join(f"{line}\n" for line in world.wanted.get("settings", []))


def rolled_out(workload):
    status = workload.get("status", {})
    if workload["kind"] == "Job":
        return status.get("succeeded", 0) == 1
    wanted = workload["spec"]["replicas"]
    return (status.get("observedGeneration") == workload["metadata"]["generation"]
            and status.get("updatedReplicas") == status.get("availableReplicas") == status.get("replicas") == wanted)


def check_cluster(world, wanted, sha):
    for namespace, workloads in wanted.items():
        for path, image in workloads.items():
            image = world.put_in(image).replace("@SHA8@", sha[:8]).replace("@SHA@", sha)
            workload = world.workload(namespace, path)
            found = workload["spec"]["template"]["spec"]["containers"][0]["image"]
            if found != image:
                yield f"{namespace}: {path} has the image {found}, expected {image}"
                continue
            try:
                world.cluster.wait_for(lambda: rolled_out(world.workload(namespace, path)), f"{path} in {namespace}")
            except (AssertionError, RuntimeError, TimeoutError) as error:
                yield f"{namespace}: {path}: {error}"


def run_all(bin_dir, source, place, scratch, world):
    expected = json.loads(world.put_in((source / "expected.json").read_text()))
    work = pathlib.Path(scratch, world.wanted["project"])
    pipelines.make_checkout(source, work)
    mark(work, world)
    pipelines.commit(work, {})
    variables = pathlib.Path(scratch, "variables.json")
    world.write_variables(variables)
    berth_yaml = pathlib.Path(scratch, "berth.yaml")
    berth_yaml.write_text(f"{settings(place, world, scratch)}state_dir: {scratch}/state\n")
    problems = []
    for number, run in enumerate(expected["runs"], 1):
        if "commit" in run:
            pipelines.commit(work, run["commit"])
        sha = subprocess.run(["git", "-C", work, "rev-parse", "HEAD"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        report_file = pathlib.Path(scratch, f"report-{number}.json")
        done = subprocess.run([os.path.join(bin_dir, "berth"), "local", "--settings", berth_yaml, "--variables-file", variables,
                               "--report", report_file, *run.get("arguments", [])],
                              cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        report = json.loads(report_file.read_text()) if report_file.exists() else {}
        found = list(pipelines.compare(run, done.returncode, report))
        if not found:
            found = list(check_cluster(world, run.get("cluster", {}), sha))
        sys.stdout.write(done.stdout.decode(errors="replace"))
        if found:
            for job in report.get("jobs", []):
                if job.get("log"):
                    print(f"--- {job['name']}\n{pathlib.Path(job['log']).read_text(errors='replace')}")
            return problems + [f"run {number}: {text}" for text in found]
    return problems


def main():
    bin_dir, source, place = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
    if place == "docker" and not pipelines.engine_answers():
        return leave_out.leave_out("no Docker engine answers", "docker")
    wanted = json.loads((source / "world.json").read_text())
    with tempfile.TemporaryDirectory(prefix="berth-guide-") as scratch:
        os.chmod(scratch, 0o755)
        try:
            world = World(wanted, scratch)
        except kubernetes_api.NoCluster as error:
            return leave_out.leave_out(f"its jobs deploy to a cluster: {error}", "kubernetes")
        except registries.NoRegistry as error:
            return leave_out.leave_out(str(error), place)
        with world:
            problems = run_all(os.path.abspath(bin_dir), source, place, scratch, world)
    for problem in problems:
        print("FAILED", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
