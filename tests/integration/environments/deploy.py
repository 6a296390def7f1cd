#!/usr/bin/env python3
"""Pipelines that deploy to a real cluster, unchanged, through `berth local` with a section `environments`: history,
gate, a refused deployment, rollback, promotion.

    deploy.py BIN_DIR PLACE [unittest arguments]        PLACE: docker, kubernetes (where the jobs run)

`contexts` brings a kubeconfig along in a variable, `polls` leaves one in the job's home directory. Where no engine or
cluster can be had it ends with 125, or fails if BERTH_REQUIRE names it.
"""
import base64
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parents[1]
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "support")]
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402
import pipelines  # noqa: E402

BIN = None
PLACE = None
CLUSTER = None
JOBS = "docker:\n  pull_policy: if-not-present\n"  # settings that say where they live
MISSING = "berth-dev.invalid/none:1"
ALWAYS = '[{from: "0 0 1 1 *", to: "59 23 31 12 *", timezone: Europe/Berlin, reason: year end}]'


class Deployments(unittest.TestCase):
    source = None
    environments = ()

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="berth-deploy-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        os.chmod(self.scratch, 0o755)
        self.namespaces = {}
        for name in self.environments:
            self.namespaces[name] = f"berth-deploy-{name}-{os.getpid()}"
            CLUSTER.make_namespace(self.namespaces[name])
            self.addCleanup(CLUSTER.remove_namespace, self.namespaces[name])
        self.work = self.scratch / "ticker"
        pipelines.make_checkout(HERE / self.source, self.work)
        self.runs = 0

    def kubeconfig(self, contexts):
        """As a deployer's: a token for each namespace, and nothing that lies beside it."""
        users, entries = [], []
        for context, namespace in contexts.items():
            root = f"/api/v1/namespaces/{namespace}/serviceaccounts"
            if CLUSTER.find(f"{root}/deployer") is None:
                CLUSTER.call("POST", root, {"metadata": {"name": "deployer"}})
                CLUSTER.call("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", {
                    "metadata": {"name": "deployer"},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
                    "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": namespace}]})
            token = CLUSTER.call("POST", f"{root}/deployer/token", {
                "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}})
            users.append({"name": context, "user": {"token": token["status"]["token"]}})
            entries.append({"name": context, "context": {"cluster": "c", "user": context, "namespace": namespace}})
        return json.dumps({
            "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": next(iter(contexts)),
            "clusters": [{"name": "c", "cluster": {"server": f"https://{CLUSTER.host}:{CLUSTER.port}",
                                                   "certificate-authority-data": CLUSTER.authority}}],
            "users": users, "contexts": entries}).encode()

    def settings(self, rules):
        path = self.scratch / "berth.yaml"
        path.write_text(f"{JOBS}state_dir: {self.scratch}/state\nenvironments:\n"
                        f"  events: {{file: {self.scratch}/events}}\n  rules:\n{rules}")
        return path

    def variables(self, every):
        path = self.scratch / "variables.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps([{"raw": True, **one} for one in every]))

    def run_jobs(self, settings, *words):
        """Jobs of the report by name, each with its log's text."""
        self.runs += 1
        report = self.scratch / f"report-{self.runs}.json"
        done = subprocess.run([BIN / "berth", "local", "--settings", settings, "--variables-file",
                               self.scratch / "variables.json", "--report", report, "--logs", self.scratch / f"logs-{self.runs}",
                               *words], cwd=self.work, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        self.assertTrue(report.exists(), done.stdout)
        jobs = {}
        for job in json.loads(report.read_text())["jobs"]:
            text = pathlib.Path(job["log"]).read_text(errors="replace") if job.get("log") else ""
            jobs[job["name"]] = {**job, "text": text}
        return jobs

    def succeeds(self, job):
        self.assertEqual(job["status"], "success", job["text"])

    def fails(self, job, pattern):
        self.assertEqual((job["status"], job.get("failure_reason")), ("failed", "script_failure"), job["text"])
        self.assertRegex(job["text"], pattern)

    def env(self, settings, *words, code=0):
        done = subprocess.run([BIN / "berth", "env", words[0], "--settings", settings, *words[1:]], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def history(self, settings, environment):
        return json.loads(self.env(settings, "history", environment, "--json"))

    def image(self, environment, name):
        """What the pods of a Deployment really run."""
        pods = CLUSTER.items(self.namespaces[environment], "pods", f"app={name}")
        return sorted({c["image"] for one in pods if "deletionTimestamp" not in one["metadata"] for c in one["spec"]["containers"]})

    def commit(self, **files):
        pipelines.commit(self.work, {name.replace("_", "-"): text for name, text in files.items()})


class Contexts(Deployments):
    source = "contexts"
    environments = ("test", "prod")

    def rules(self, prod=""):
        return (f"    - {{name: test, kubeconfig: {CLUSTER.kubeconfig}, namespaces: [{self.namespaces['test']}],\n"
                f"       on_failure: rollback, gate: {{timeout: 2m}}}}\n"
                f"    - {{name: prod, contexts: [deployer.prod.example.com],\n"
                f"       namespaces: [{self.namespaces['prod']}], gate: {{timeout: 2m}}{prod}}}\n")

    def setUp(self):
        super().setUp()
        config = self.kubeconfig({"deployer.test.example.com": self.namespaces["test"],
                                  "deployer.prod.example.com": self.namespaces["prod"]})
        self.variables([{"key": "KUBE_CONFIG", "value": base64.b64encode(config).decode()},
                        *({"key": "KUBE_NAMESPACE", "value": namespace, "environment_scope": name}
                          for name, namespace in self.namespaces.items())])

    def test_history_gate_freeze_rollback_and_promotion(self):
        settings = self.settings(self.rules())
        jobs = self.run_jobs(settings, "--manual")
        for name in ("k8s-deploy-test", "k8s-deploy-prod"):
            self.succeeds(jobs[name])
            self.assertIn("health gate: Deployment 'ticker': done", jobs[name]["text"])
        [first] = self.history(settings, "prod")
        self.assertEqual((first["number"], first["result"], first["namespace"]), (1, "success", self.namespaces["prod"]))
        [ticker] = first["workloads"]
        self.assertEqual((ticker["name"], ticker["change"]), ("ticker", "created"))
        self.assertRegex(ticker["containers"][0]["digest"], "^sha256:[0-9a-f]{64}$")

        # An image that nobody can pull: the script says nothing of it, the gate does, and what ran comes back.
        self.commit(image=f"{MISSING}\n")
        jobs = self.run_jobs(settings, "k8s-deploy-test")
        self.fails(jobs["k8s-deploy-test"], r"ERROR: .*Deployment 'ticker': container 'ticker' of pod 'ticker-\S+' cannot get its image")
        self.assertIn("rollback: what ran before runs again", jobs["k8s-deploy-test"]["text"])
        self.assertEqual(self.image("test", "ticker"), ["busybox:latest"])
        failed = self.history(settings, "test")[0]
        self.assertEqual((failed["number"], failed["result"]), (2, "failed"))
        self.assertRegex(failed["cause"], "rolled back$")

        # In a freeze nothing reaches the cluster.
        self.commit(image="debian:bookworm\n")
        frozen = self.settings(self.rules(prod=f", freeze: {ALWAYS}"))
        jobs = self.run_jobs(frozen, "k8s-deploy-test", "k8s-deploy-prod", "--manual")
        self.succeeds(jobs["k8s-deploy-test"])
        self.fails(jobs["k8s-deploy-prod"], "rule 'prod', freeze: a freeze is on, 'year end', .*; it passes from ")
        self.assertEqual(self.image("prod", "ticker"), ["busybox:latest"])
        self.assertEqual(len(self.history(frozen, "prod")), 1)

        # What passed in test goes to prod unbuilt, and back.
        operators = self.scratch / "operator.kubeconfig"
        operators.touch(mode=0o600)
        operators.write_bytes(self.kubeconfig({"operator": self.namespaces["prod"]}))
        settings = self.settings(self.rules(prod=f", kubeconfig: {operators}"))
        self.env(settings, "drift", "prod")
        self.env(settings, "promote", "test", "prod")
        self.assertEqual(self.image("prod", "ticker"), ["debian:bookworm"])
        self.assertRegex(self.env(settings, "diff", "prod"), "busybox:latest .*-> debian:bookworm")
        self.env(settings, "rollback", "prod")
        self.assertEqual(self.image("prod", "ticker"), ["busybox:latest"])
        kinds = [(one["origin"], one["result"]) for one in self.history(settings, "prod")]
        self.assertEqual(kinds, [("rollback", "success"), ("promotion", "success"), ("job", "success")])

        # What somebody changes by hand is drift.
        self.env(settings, "drift", "prod")
        CLUSTER.call("PATCH", f"/apis/apps/v1/namespaces/{self.namespaces['prod']}/deployments/ticker",
                     {"spec": {"replicas": 2}}, "application/merge-patch+json")
        self.assertIn("spec.replicas", self.env(settings, "drift", "prod", code=1))


class Polls(Deployments):
    source = "polls"
    environments = ("production",)

    def setUp(self):
        super().setUp()
        access = base64.b64encode(self.kubeconfig({"polls": self.namespaces["production"]})).decode()
        key = json.dumps({"type": "service_account", "access": access}, separators=(",", ":"))
        self.variables([{"key": "SERVICE_KEY", "value": base64.b64encode(key.encode()).decode()}])

    def test_jobs_and_a_double_rollout(self):
        settings = self.settings("    - {name: production, gate: {timeout: 2m}}\n")
        for name in ("migrations", "collect-static", "deploy"):
            self.succeeds(self.run_jobs(settings, name)[name])
        self.assertEqual(self.image("production", "polls-api"), ["debian:bookworm"])
        history = self.history(settings, "production")
        self.assertEqual([one["result"] for one in history], ["success"] * 3)
        self.assertIn("polls-migration", [one["name"] for one in history[2]["workloads"]])

        # The migration of the next release is refused by the API server, since the old one stands there, finished.
        self.commit(image="berth/python-django:3.11\n")
        jobs = self.run_jobs(settings, "migrations")
        self.fails(jobs["migrations"], "field is immutable")
        self.assertRegex(self.history(settings, "production")[0]["cause"], "^Job 'polls-migration' was not run again: it has finished")
        self.assertIn("kubectl delete job polls-migration", jobs["migrations"]["text"])

        jobs = self.run_jobs(settings, "deploy")
        self.succeeds(jobs["deploy"])
        self.assertRegex(jobs["deploy"]["text"], "Deployment 'polls-api' was rolled out 2 times by one deployment")

        # A migration that fails is told with its last words.
        CLUSTER.call("DELETE", f"/apis/batch/v1/namespaces/{self.namespaces['production']}/jobs/polls-migration"
                     "?propagationPolicy=Background")
        CLUSTER.wait_for(lambda: CLUSTER.find(f"/apis/batch/v1/namespaces/{self.namespaces['production']}/jobs/polls-migration")
                         is None, "the end of the old Job")
        text = (self.work / "migration.yml").read_text()
        pipelines.commit(self.work, {"migration.yml": text.replace("echo migration done", "echo no such column; exit 4")})
        jobs = self.run_jobs(settings, "migrations")
        self.fails(jobs["migrations"], "Job 'polls-migration' failed: .*exit code 4; last words: no such column")


class Reviews(Deployments):
    source = "review"

    def setUp(self):
        super().setUp()
        self.prefix = f"berth-review-{os.getpid()}"
        self.addCleanup(self.remove_all)
        self.variables([{"key": "KUBE_CONFIG", "value": base64.b64encode(pathlib.Path(CLUSTER.kubeconfig).read_bytes()).decode()},
                        {"key": "PREFIX", "value": self.prefix}])
        quota = self.scratch / "review.yaml"
        quota.write_text("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: small}\nspec: {hard: {pods: 3}}\n"
                         "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: site}\ndata: {host: '{slug}.example.com'}\n")
        self.rules = (f"    - {{name: review/*, kubeconfig: {CLUSTER.kubeconfig}, gate: {{timeout: 2m}},\n"
                      f"       review: {{namespace: '{self.prefix}-{{slug}}', manifest: {quota}, ttl: 1d}}}}\n")

    def of_this_test(self):
        return [one["metadata"] for one in CLUSTER.call("GET", "/api/v1/namespaces?labelSelector=berth.review=true")["items"]
                if one["metadata"]["name"].startswith(self.prefix)]

    def remove_all(self):
        for one in self.of_this_test():
            CLUSTER.remove_namespace(one["name"])

    def gone(self, name):
        namespace = CLUSTER.find(f"/api/v1/namespaces/{name}")
        return namespace is None or "deletionTimestamp" in namespace["metadata"]

    def test_a_namespace_comes_with_the_environment_and_goes_with_it(self):
        settings = self.settings(self.rules)
        jobs = self.run_jobs(settings, "deploy-review")
        self.succeeds(jobs["deploy-review"])
        self.assertIn("health gate: Deployment 'ticker': done", jobs["deploy-review"]["text"])
        [made] = self.of_this_test()
        name = made["name"]
        self.assertIn(f"has namespace '{name}'", jobs["deploy-review"]["text"])
        quota = CLUSTER.find(f"/api/v1/namespaces/{name}/resourcequotas/small")
        self.assertEqual(quota["spec"]["hard"], {"pods": "3"})
        site = CLUSTER.find(f"/api/v1/namespaces/{name}/configmaps/site")
        self.assertRegex(site["data"]["host"], r"^review-\S+\.example\.com$")
        [one] = json.loads(self.env(settings, "list", "--json"))
        self.assertRegex(one["environment"], "^review/")

        # The script's end is not the environment's: Berth removes what it has made.
        jobs = self.run_jobs(settings, "stop-review", "--manual")
        self.succeeds(jobs["stop-review"])
        self.assertIn(f"namespace '{name}' is being removed", jobs["stop-review"]["text"])
        CLUSTER.wait_for(lambda: CLUSTER.find(f"/api/v1/namespaces/{name}") is None, "the end of the namespace")
        self.assertEqual([one["action"] for one in self.history(settings, one["environment"])], ["stop", "start"])

    def test_gc_ends_what_nobody_stopped(self):
        settings = self.settings(self.rules)
        self.succeeds(self.run_jobs(settings, "deploy-review")["deploy-review"])
        [made] = self.of_this_test()
        path = f"/api/v1/namespaces/{made['name']}"

        def gc():
            done = subprocess.run([BIN / "berth", "gc", "--settings", settings], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            return done.stdout

        gc()
        self.assertFalse(self.gone(made["name"]), "its time is not over")
        CLUSTER.call("PATCH", path, {"metadata": {"annotations": {"berth.expires": "1"}}}, "application/merge-patch+json")
        self.assertIn(made["name"], gc())
        self.assertTrue(self.gone(made["name"]))


def main():
    global BIN, PLACE, CLUSTER, JOBS
    BIN, PLACE, *arguments = pathlib.Path(sys.argv[1]).resolve(), *sys.argv[2:]
    if PLACE == "docker" and not pipelines.engine_answers():
        return leave_out.leave_out("no Docker engine answers", "docker")
    try:
        CLUSTER = kubernetes_api.Cluster()
    except kubernetes_api.NoCluster as why:
        return leave_out.leave_out(f"its jobs deploy to a cluster: {why}", "kubernetes")
    with contextlib.ExitStack() as until_the_end:
        if PLACE == "kubernetes":
            scratch = until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="berth-deploy-"))
            place = pipelines.OnCluster(restricted=False)
            until_the_end.callback(place.close)
            JOBS = place.settings(pathlib.Path("/nonexistent"), scratch)
        program = unittest.main(argv=[sys.argv[0], *arguments], exit=False, verbosity=2)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
