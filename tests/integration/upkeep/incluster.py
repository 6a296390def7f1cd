#!/usr/bin/env python3
"""A runner inside the cluster: the image of runner-config/kubernetes/Dockerfile, built from these programs and a
stand-in for GitLab Runner (tests/images/gitlab-runner), runs as runner.yaml says, as the service account of rbac.yaml.
In its pod the programs run, doctor finds all well, a whole job passes, and gc works as its CronJob has it.

    incluster.py BIN_DIR [unittest arguments]

It wants a Docker engine to build in, and scripts/dev-cluster, which takes images without a registry. Without them it
ends with 125 (a skip for CTest), or fails if BERTH_REQUIRE names them.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "support")]
import engine_api  # noqa: E402
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402

MANIFESTS = ROOT / "runner-config" / "kubernetes"
DEV_CLUSTER = ROOT / "scripts" / "dev-cluster"
PROGRAMS = ["berth", "berth-agent", "berth-cleanup", "berth-config", "berth-prepare", "berth-run", "berth-run-engine",
            "berth-tunnel"]
SANITIZERS = {"libasan.so": "libasan8", "libubsan.so": "libubsan1"}
IMAGE = "berth/runner-in-cluster:test"
BASE = "berth/runner-in-cluster:base"
CLUSTER = None
BIN = None

PIPELINE = """\
whole job:
  image: debian:bookworm
  services:
    - name: busybox:latest
      alias: web
      command: [nc, -ll, -p, "7000", -e, echo, from the service]
      variables: {HEALTHCHECK_TCP_PORT: "7000"}
  script:
    - cat greeting
    - (exec 3<>/dev/tcp/web/7000; head -n 1 <&3)
    - echo made > made.txt
  after_script:
    - echo "after it is $CI_JOB_STATUS"
  artifacts:
    paths: [made.txt]
"""


def run(*words, text=None):
    """The output; what fails says all it said."""
    done = subprocess.run(list(map(str, words)), input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=600, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: exit status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def build_image(folder):
    """From a context with these programs where a release build has them; debug information stays out of it."""
    programs = folder / "build" / "release" / "bin"
    programs.mkdir(parents=True)
    for program in PROGRAMS:
        run("strip", "-o", programs / program, BIN / program)
    (folder / "Dockerfile").write_text((MANIFESTS / "Dockerfile").read_text())
    # Of the programs' libraries all but the sanitizers' are the Dockerfile's business.
    libraries = run("ldd", BIN / "berth")
    packages = [package for name, package in SANITIZERS.items() if name in libraries]
    instructions = "FROM debian:bookworm\n"
    if packages:
        instructions += f"RUN apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}\n"
    run("docker", "build", "--tag", BASE, "-", text=instructions)
    run("docker", "build", "--build-arg", f"BASE={BASE}", "--tag", IMAGE, folder)


class InCluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.namespace = f"berth-incluster-{os.getpid()}"
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-incluster-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run(ROOT / "scripts" / "dev-images", "debian", "gitlab-runner")
        # What was not made is no failure of a cleanup.
        cls.addClassCleanup(subprocess.run, ["docker", "image", "rm", IMAGE, BASE], check=False,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        build_image(cls.folder / "context")
        run(DEV_CLUSTER, "load", IMAGE)
        cls.addClassCleanup(run, DEV_CLUSTER, "enter", "ctr", "--namespace", "k8s.io", "images", "rm", f"docker.io/{IMAGE}")
        CLUSTER.make_namespace(cls.namespace)
        cls.addClassCleanup(CLUSTER.remove_namespace, cls.namespace)
        cls.apply("rbac.yaml")
        token = {"metadata": {"name": "berth-runner-token"}, "stringData": {"token": "glrt-of-a-test"}}
        CLUSTER.call("POST", f"/api/v1/namespaces/{cls.namespace}/secrets", token)
        cls.apply("runner.yaml")

    @classmethod
    def apply(cls, name):
        """With the image of this test, and every namespace in it this test's."""
        text, replaced = re.subn(r"(?m)^(\s+image:) registry\.example\.com/\S+$", rf"\1 {IMAGE}",
                                 (MANIFESTS / name).read_text())
        path = cls.folder / name
        path.write_text(text)
        return CLUSTER.apply(path, cls.namespace), replaced

    def runner(self):
        """The name of the runner's pod, once it is ready."""
        def ready():
            for pod in CLUSTER.items(self.namespace, "pods", "app.kubernetes.io/name=berth-runner"):
                conditions = {one["type"]: one["status"] for one in pod.get("status", {}).get("conditions", [])}
                if "deletionTimestamp" not in pod["metadata"] and conditions.get("Ready") == "True":
                    return pod["metadata"]["name"]
            return None
        return CLUSTER.wait_for(ready, "the runner's pod")

    def inside(self, *words, text=None):
        return run(DEV_CLUSTER, "kubectl", "exec", "--stdin", "--namespace", self.namespace, self.runner(), "--", *words, text=text)

    def test_the_programs_of_the_image_run(self):
        self.assertEqual(self.inside("ls", "/usr/libexec/berth").split(), PROGRAMS)
        for program in PROGRAMS:
            with self.subTest(program):
                self.assertEqual(self.inside(f"/usr/libexec/berth/{program}", "--version"), run(BIN / program, "--version"))
        self.assertEqual(self.inside("id", "-u").strip(), "10001")

    def test_doctor_finds_all_well(self):
        found = json.loads(self.inside("berth", "doctor", "--json"))
        self.assertEqual([one for one in found["findings"] if one["status"] == "failed"], [])
        said = {one["check"]: one["text"] for one in found["findings"]}
        self.assertIn(f"by the service account of this pod, namespace '{self.namespace}'", said["cluster"])
        for check in ("rights", "exec", "gitlab-runner"):
            self.assertIn(check, said)

    def test_a_whole_job(self):
        script = ("rm -rf /tmp/work; mkdir /tmp/work; cd /tmp/work; cat > .gitlab-ci.yml; echo 'hello from the checkout' > greeting\n"
                  "git init -q -b main; git add -A; git -c user.name=t -c user.email=t@localhost commit -q -m Sources\n"
                  "berth local --settings /etc/berth/berth.yaml --report /tmp/report.json")
        log = self.inside("sh", "-ec", script, text=PIPELINE)
        for words in ("hello from the checkout\n", "from the service\n", "after it is success\n", "made.txt: found 1", "Job succeeded"):
            self.assertIn(words, log)
        report = json.loads(self.inside("cat", "/tmp/report.json"))
        self.assertEqual([one["status"] for one in report["jobs"]], ["success"])
        left = [one["metadata"]["name"] for one in CLUSTER.items(self.namespace, "pods")
                if "berth.attempt" in one["metadata"].get("labels", {}) and "deletionTimestamp" not in one["metadata"]]
        self.assertEqual(left, [])

    def test_gc_as_its_cron_job_has_it(self):
        objects, replaced = self.apply("gc.yaml")
        self.assertEqual(replaced, 1)
        template = next(one for one in objects if one["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]
        jobs = f"/apis/batch/v1/namespaces/{self.namespace}/jobs"
        CLUSTER.call("POST", jobs, {"metadata": {"name": "now"}, "spec": template})

        def done():
            status = CLUSTER.call("GET", f"{jobs}/now").get("status", {})
            self.assertNotIn("failed", status)
            return status.get("succeeded")
        CLUSTER.wait_for(done, "gc")
        pod = CLUSTER.items(self.namespace, "pods", "job-name=now")[0]["metadata"]["name"]
        log = CLUSTER.call("GET", f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log")
        self.assertEqual(log, b"nothing is left over\n")

    def test_a_runner_without_jobs_ends_when_its_pod_is_to_go(self):
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.runner()}"
        grace = CLUSTER.call("DELETE", path)["metadata"]["deletionGracePeriodSeconds"]
        # An hour for those that have jobs.
        self.assertGreater(grace, 3600)
        CLUSTER.wait_for(lambda: CLUSTER.find(path) is None, "the runner's pod gone")


def main():
    global CLUSTER, BIN
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = pathlib.Path(sys.argv[1]).resolve()
    try:
        engine_api.Engine()
        CLUSTER = kubernetes_api.Cluster()
    except engine_api.NoEngine as error:
        return leave_out.leave_out(error)
    except kubernetes_api.NoCluster as error:
        return leave_out.leave_out(error, "kubernetes")
    if os.path.realpath(CLUSTER.kubeconfig) != os.path.realpath(run(DEV_CLUSTER, "kubeconfig").strip()):
        return leave_out.leave_out("the cluster of KUBECONFIG is not scripts/dev-cluster's, and no other takes images "
                                   "without a registry", "kubernetes")
    program = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], exit=False, verbosity=2)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
