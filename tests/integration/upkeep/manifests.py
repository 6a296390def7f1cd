#!/usr/bin/env python3
"""The manifests of runner-config/kubernetes: a real API server takes them, the settings in them are ones that Berth
reads, the accounts may do what they are for, and the runner's start puts its token where it belongs.

    manifests.py BIN_DIR [unittest arguments]

Where no cluster can be had it ends with 125 (a skip for CTest), or fails if BERTH_REQUIRE names it.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "support")]
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402

MANIFESTS = ROOT.parent / "runner-config" / "kubernetes"
CLUSTER = None
BIN = None


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.namespace = f"berth-manifests-{os.getpid()}"
        CLUSTER.make_namespace(cls.namespace, {"pod-security.kubernetes.io/enforce": "restricted"})
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        CLUSTER.remove_namespace(cls.namespace)
        cls.folder.cleanup()

    def apply(self, name, dry_run=True):
        return CLUSTER.apply(MANIFESTS / name, self.namespace, dry_run)

    def gc(self, text, account):
        """`berth gc` with these settings, as that account."""
        kubeconfig = CLUSTER.account_kubeconfig(self.namespace, account, self.root / account)
        path = self.root / f"{account}.yaml"
        path.write_text(text)
        return subprocess.run([BIN / "berth", "gc", "--dry-run", "--settings", path], capture_output=True, text=True,
                              env={**os.environ, "KUBECONFIG": str(kubeconfig)}, timeout=60, check=False)

    def test_a_server_takes_every_manifest(self):
        files = sorted(path.name for path in MANIFESTS.glob("*.yaml") if "\nkind:" in path.read_text())
        self.assertEqual(files, ["gc.yaml", "rbac.yaml", "runner.yaml"])
        for name in files:
            with self.subTest(name):
                kinds = [one["kind"] for one in self.apply(name)]
                self.assertEqual(len(kinds), len(kubernetes_api.manifests(MANIFESTS / name, self.namespace)))

    def test_a_field_that_no_server_knows_is_refused(self):
        path = self.root / "wrong.yaml"
        path.write_text((MANIFESTS / "gc.yaml").read_text().replace("concurrencyPolicy", "concurencyPolicy"))
        with self.assertRaisesRegex(kubernetes_api.ApiError, "concurencyPolicy"):
            CLUSTER.apply(path, self.namespace, dry_run=True)

    def test_their_pods_are_fit_for_a_restricted_namespace(self):
        deployment = next(one for one in self.apply("runner.yaml") if one["kind"] == "Deployment")
        cron_job = next(one for one in self.apply("gc.yaml") if one["kind"] == "CronJob")
        for template in (deployment["spec"]["template"], cron_job["spec"]["jobTemplate"]["spec"]["template"]):
            pod = {"metadata": {"name": "tried", "labels": template["metadata"]["labels"]},
                   "spec": {**template["spec"], "serviceAccountName": "default"}}
            CLUSTER.call("POST", f"/api/v1/namespaces/{self.namespace}/pods?dryRun=All", pod)

    def test_gc_works_with_its_own_settings_and_account_alone(self):
        maps = {one["kind"]: one for one in self.apply("gc.yaml", dry_run=False)}
        settings = maps["ConfigMap"]["data"]["berth.yaml"].replace("/tmp/berth", str(self.root / "state"))
        result = self.gc(settings, "berth-gc")
        self.assertEqual((result.returncode, result.stdout), (0, "nothing is left over\n"), result.stderr)
        self.assertFalse((self.root / "state").exists(), "gc needs no state folder in a cluster")

    def test_settings_and_account_of_the_runner(self):
        self.apply("rbac.yaml", dry_run=False)
        data = next(one for one in self.apply("runner.yaml") if one["kind"] == "ConfigMap")["data"]
        for text in (data["berth.yaml"], re.sub("kubeconfig: .*", "", (MANIFESTS / "berth.yaml").read_text())):
            text = re.sub(r"(?m)^( +namespace:) berth$", rf"\1 {self.namespace}", text)
            result = self.gc(text, "berth-driver")
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_runners_configuration_names_the_programs_of_its_image(self):
        data = next(one for one in self.apply("runner.yaml") if one["kind"] == "ConfigMap")["data"]
        named = set(re.findall(r"_exec = \"/usr/libexec/berth/([^\"]+)\"", data["config.toml"]))
        self.assertEqual(named, {"berth-config", "berth-prepare", "berth-run", "berth-cleanup"})
        image = (MANIFESTS / "Dockerfile").read_text()
        for program in {*named, "berth", "berth-agent", "berth-run-engine", "berth-tunnel"}:
            self.assertTrue((BIN / program).exists(), program)
            self.assertRegex(image, rf"build/release/bin/{program}\s")

    def test_the_runners_start_puts_the_token_into_its_configuration(self):
        objects = {one["kind"]: one for one in self.apply("runner.yaml")}
        init, _, shell, option, script = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["command"]
        self.assertEqual(init, "tini")
        for file in ("config.toml", "berth.yaml"):
            (self.root / file).write_text(objects["ConfigMap"]["data"][file])
        (self.root / "token").write_text("glrt-se/cr&et\\1")
        (self.root / "gitlab-runner").write_text("#!/bin/sh\necho \"$*\"; env | grep -c se/cr\n")
        (self.root / "gitlab-runner").chmod(0o755)
        for path, here in {"/etc/berth-runner-token/token": "token", "/etc/berth/config.toml": "config.toml",
                           "/home/gitlab-runner/config.toml": "made.toml"}.items():
            script = script.replace(path, str(self.root / here))
        result = subprocess.run([shell, option, script], capture_output=True, text=True, timeout=30, check=False,
                                env={"PATH": f"{self.root}:{os.environ['PATH']}"})
        self.assertEqual(result.stdout.split("\n")[1], "0", "the token is in the environment")
        made = (self.root / "made.toml")
        self.assertEqual(made.stat().st_mode & 0o777, 0o600)
        expected = (self.root / "config.toml").read_text().replace("__TOKEN__", "glrt-se/cr&et\\1")
        self.assertEqual(made.read_text(), expected)
        self.assertIn(f"run --config {made}", result.stdout)


def main():
    global CLUSTER, BIN
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = pathlib.Path(sys.argv[1]).resolve()
    try:
        CLUSTER = kubernetes_api.Cluster()
    except kubernetes_api.NoCluster as error:
        return leave_out.leave_out(error, "kubernetes")
    program = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], exit=False, verbosity=2)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
