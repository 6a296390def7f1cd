#!/usr/bin/env python3
"""`berth local` from end to end, with a driver that needs no engine (host_driver/).

    test_local.py BERTH_PROGRAM SOURCE_TREE
"""
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
import unittest

BERTH, TREE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
HERE = os.path.join(TREE, "tests/unit/local")

BUILD_AND_TEST = """
stages: [build, test]
default: {image: none}
make:
  stage: build
  script: [mkdir -p out, "echo built > out/x", "echo VERSION=1.2 > build.env"]
  artifacts: {paths: [out/], reports: {dotenv: build.env}}
test:
  stage: test
  script: ["cat out/x", "echo version=$VERSION", "echo secret=$TOKEN", "cat $KUBE"]
"""


class Local(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="berth-local-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        (self.root / "bin").mkdir()
        (self.root / "berth.yaml").write_text(f"state_dir: {self.root}/state\n")
        tool = self.root / "bin/gitlab-runner"
        tool.write_text(f'#!/bin/sh\nexec python3 "{TREE}/tests/images/helper/program/main.py" "$@"\n')
        tool.chmod(0o755)
        self.work = self.root / "project"
        self.work.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example", *words],
                       cwd=self.work, check=True, stdout=subprocess.DEVNULL)

    def pipeline(self, text, **files):
        (self.work / ".gitlab-ci.yml").write_text(text)
        for name, content in files.items():
            (self.work / name).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Title\n\nBody")

    def command(self, *words):
        return [BERTH, "local", "--programs", os.path.join(HERE, "host_driver"), "--address", "127.0.0.1",
                "--report", str(self.root / "report.json"), *words]

    def environment(self):
        return {**os.environ, "BERTH_SETTINGS": str(self.root / "berth.yaml"), "HOST_DRIVER_ROOT": str(self.root),
                "HOME": str(self.root)}

    def run_local(self, *words):
        done = subprocess.run(self.command(*words), cwd=self.work, env=self.environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=100, text=True)
        self.output = done.stdout
        report = self.root / "report.json"
        self.report = json.loads(report.read_text()) if report.exists() else {}
        self.jobs = {job["name"]: job for job in self.report.get("jobs", [])}
        return done.returncode

    def log(self, job):
        return pathlib.Path(self.jobs[job]["log"]).read_text()

    def states(self):
        return {name: job["status"] for name, job in self.jobs.items()}

    def test_artifacts_and_dotenv_go_from_job_to_job(self):
        self.pipeline(BUILD_AND_TEST)
        variables = self.root / "vars.yml"
        variables.write_text("TOKEN: {value: hunter2-hunter2, masked: true}\nKUBE: {value: content, file: true}\n")
        self.assertEqual(self.run_local("--variables-file", str(variables)), 0, self.output)
        self.assertEqual(self.report["status"], "success")
        log = self.log("test")
        for text in ("\nbuilt\n", "\nversion=1.2\n", "\nsecret=[MASKED]\n", "\ncontent"):
            self.assertIn(text, log)
        self.assertNotIn("hunter2-hunter2", log + self.output)
        self.assertEqual([job["name"] for job in self.report["jobs"]], ["make", "test"])
        self.assertGreater(self.jobs["make"]["duration_s"], 0)
        self.assertGreater(self.jobs["make"]["driver_s"], 0)
        self.assertEqual(sorted((self.root / "cleaned").read_text().split()), ["make", "test"])
        self.assertEqual(os.listdir(self.root / "state/local/tmp"), [])

    def test_a_named_job_takes_the_artifacts_of_an_earlier_run(self):
        self.pipeline(BUILD_AND_TEST)
        words = ("--variable", "TOKEN=x", "--variable", "KUBE=/dev/null")
        self.assertEqual(self.run_local(*words, "test"), 1)
        self.assertIn('"make" does not run here, and no earlier run left artifacts of it', self.output)
        self.assertEqual(self.run_local(*words, "make"), 0, self.output)
        self.assertEqual(self.run_local(*words, "test"), 0, self.output)
        self.assertIn("version=1.2", self.log("test"))
        self.assertEqual(self.states(), {"test": "success"})

    def test_failures_and_what_follows(self):
        self.pipeline("""
stages: [build, test, deploy]
default: {image: none}
good: {stage: build, script: ["true"]}
allowed: {stage: build, script: [exit 7], allow_failure: {exit_codes: 7}, after_script: ['echo status=$CI_JOB_STATUS']}
flaky: {stage: build, script: ['[ -e /tmp/$CI_PIPELINE_ID-$CI_PROJECT_ID ] || { touch /tmp/$CI_PIPELINE_ID-$CI_PROJECT_ID; exit 1; }; rm /tmp/$CI_PIPELINE_ID-$CI_PROJECT_ID'], retry: 1}
bad: {stage: test, script: [exit 42]}
never: {stage: deploy, script: ["true"]}
notify: {stage: deploy, script: ["true"], when: on_failure}
""")
        self.assertEqual(self.run_local(), 1)
        self.assertEqual(self.report["status"], "failed")
        self.assertEqual(self.states(), {"good": "success", "allowed": "failed", "flaky": "success", "bad": "failed",
                                         "never": "skipped", "notify": "success"})
        self.assertEqual(self.jobs["bad"]["exit_code"], 42)
        self.assertEqual(self.jobs["bad"]["failure_reason"], "script_failure")
        self.assertTrue(self.jobs["allowed"]["allow_failure"])
        self.assertIn("status=failed", self.log("allowed"))
        self.assertIsNone(self.jobs["never"]["log"])
        self.assertIn("failed (exit code 42)", self.output)
        self.assertIn("try 2", self.output)

    def test_a_driver_that_blames_the_job(self):
        self.pipeline("default: {image: none}\na: {script: ['true']}\n")
        self.assertEqual(self.run_local("--variable", "PREPARE_FAILS=a"), 1)
        self.assertIn("no such image", self.log("a"))
        self.assertEqual(self.jobs["a"]["failure_reason"], "script_failure")

    def test_manual_jobs(self):
        self.pipeline("""
stages: [build, deploy]
default: {image: none}
gate: {stage: build, script: ["true"], when: manual, allow_failure: false}
later: {stage: deploy, script: ["true"]}
""")
        self.assertEqual(self.run_local(), 1)
        self.assertEqual(self.report["status"], "manual")
        self.assertEqual(self.jobs["gate"]["status"], "manual")
        self.assertEqual(self.run_local("--manual"), 0, self.output)
        self.assertEqual(self.states(), {"gate": "success", "later": "success"})

    def test_uncommitted_changes_are_left_out_and_told(self):
        self.pipeline("default: {image: none}\na: {script: [cat f]}\n", f="committed\n")
        (self.work / "f").write_text("edited\n")
        self.assertEqual(self.run_local(), 0, self.output)
        self.assertIn("uncommitted changes are left out", self.output)
        self.assertIn("\ncommitted\n", self.log("a"))

    def test_jobs_know_their_commit(self):
        self.pipeline("default: {image: none}\na: {script: ['echo $CI_COMMIT_REF_NAME/$CI_COMMIT_TITLE/"
                      "$CI_COMMIT_DESCRIPTION/$CI_PIPELINE_SOURCE/$CI_JOB_NAME/$CI_PROJECT_NAME', git log -1]}\n")
        self.assertEqual(self.run_local(), 0, self.output)
        self.assertIn("\nmain/Title/Body/push/a/project\n", self.log("a"))

    def stop(self, signals):
        self.pipeline("""
stages: [build, deploy]
default: {image: none}
long:
  stage: build
  script: ["echo begin-$((1+1))", "while :; do sleep 3600 & wait $!; done"]
  after_script: ['echo "after with $CI_JOB_STATUS"', 'echo after-$((1+1))', '[ -z "$HANG" ] || while :; do sleep 3600 & wait $!; done']
later: {stage: deploy, script: ["true"]}
""")
        words = ("--variable", "HANG=1") if signals > 1 else ()
        process = subprocess.Popen(self.command(*words), cwd=self.work, env=self.environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
        self.output = ""
        for line in process.stdout:
            self.output += line
            if "begin-2" in line:
                process.send_signal(signal.SIGINT)
            if "after-2" in line and signals > 1:
                process.send_signal(signal.SIGINT)
        code = process.wait(timeout=100)
        process.stdout.close()
        self.report = json.loads((self.root / "report.json").read_text())
        self.jobs = {job["name"]: job for job in self.report["jobs"]}
        return code

    def test_one_interrupt_cancels_as_gitlab_does(self):
        self.assertEqual(self.stop(1), 130, self.output)
        self.assertEqual(self.states(), {"long": "canceled", "later": "canceled"})
        self.assertEqual(self.report["status"], "canceled")
        self.assertIn("after with canceled", self.log("long"))
        self.assertEqual((self.root / "cleaned").read_text(), "long\n")

    def test_an_interrupt_before_the_first_job_ends_the_search_for_an_address(self):
        self.pipeline("default: {image: none}\na: {script: ['true']}\n")
        words = [word for word in self.command() if word not in ("--address", "127.0.0.1")]
        environment = {**self.environment(), "PREPARE_WAITS": "1"}
        process = subprocess.Popen(words, cwd=self.work, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while not (self.root / "waiting").exists():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=100), 130, output)
        report = json.loads((self.root / "report.json").read_text())
        self.assertEqual(report["jobs"][0]["status"], "canceled")
        self.assertEqual((self.root / "cleaned").read_text(), "address\n")

    def test_a_job_past_its_output_limit_can_still_be_canceled(self):
        self.pipeline("""
default: {image: none}
long:
  script: ["seq 2000", "touch $HOST_DRIVER_ROOT/written", sleep 1000]
  after_script: ["echo after with $CI_JOB_STATUS > $HOST_DRIVER_ROOT/after"]
""")
        process = subprocess.Popen(self.command("--output-limit", "1"), cwd=self.work, env=self.environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = ""
        while "exceeded limit of 1024 bytes" not in self.output or not (self.root / "written").exists():
            self.assertIsNone(process.poll(), self.output)
            if "exceeded" not in self.output:
                self.output += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.output += process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=100), 130, self.output)
        job = json.loads((self.root / "report.json").read_text())["jobs"][0]
        self.assertEqual((job["status"], job["exit_code"]), ("canceled", None))
        self.assertEqual((self.root / "after").read_text(), "after with canceled\n")
        self.assertTrue(pathlib.Path(job["log"]).read_text().endswith("no more output will be collected.\033[0;m\n"))

    def test_a_second_interrupt_aborts(self):
        self.assertEqual(self.stop(2), 130, self.output)
        self.assertEqual(self.states(), {"long": "canceled", "later": "canceled"})
        self.assertEqual((self.root / "cleaned").read_text(), "long\n")

    def test_keep_leaves_what_the_job_used(self):
        self.pipeline("default: {image: none}\na: {script: ['true']}\n")
        self.assertEqual(self.run_local("--keep"), 0, self.output)
        self.assertFalse((self.root / "cleaned").exists())
        self.assertIn("berth-cleanup", self.output)
        self.assertEqual(len(os.listdir(self.root / "state/local/tmp")), 1)

    def test_list_shows_jobs_and_runs_none(self):
        self.pipeline(BUILD_AND_TEST)
        self.assertEqual(self.run_local("--list"), 0)
        self.assertEqual(self.output, "build\n  make\ntest\n  test\n")
        self.assertFalse((self.root / "cleaned").exists())

    def test_what_cannot_begin_says_why(self):
        self.pipeline("default: {image: none}\na: {scrip: ['true']}\n")
        self.assertEqual(self.run_local(), 2)
        self.assertIn(".gitlab-ci.yml:2:5", self.output)
        self.assertIn("scrip", self.output)
        self.pipeline(BUILD_AND_TEST)
        for words, text in ((("nonsense",), "no such job in this pipeline"), (("--file", "other.yml"), "other.yml"),
                            (("--variable", "novalue"), "not KEY=VALUE"),
                            (("--variables-file", "/nowhere"), "/nowhere"),
                            (("--settings", "/nowhere.yaml"), "/nowhere.yaml"), (("--jobs", "0"), "--jobs"),
                            (("--output-limit", "-1"), "--output-limit"),
                            (("--unknown",), "--unknown")):
            self.assertEqual(self.run_local(*words), 2, words)
            self.assertIn(text, self.output)
        shutil.copytree(os.path.join(HERE, "host_driver"), self.root / "driver")
        (self.root / "driver/berth-cleanup").unlink()
        done = subprocess.run([BERTH, "local", "--programs", str(self.root / "driver")], cwd=self.work,
                              env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("driver/berth-cleanup", done.stdout)

    def test_register_prints_what_config_toml_needs(self):
        done = subprocess.run([BERTH, "register", "--url", "https://gitlab.example/", "--name", 'my "runner"',
                               "--programs", os.path.join(HERE, "host_driver"), "--settings", __file__],
                              stdout=subprocess.PIPE, text=True, check=True)
        section = done.stdout[done.stdout.index("concurrent ="):]
        config = tomllib.loads(section)
        runner = config["runners"][0]
        self.assertEqual((runner["executor"], runner["name"], runner["url"]),
                         ("custom", 'my "runner"', "https://gitlab.example/"))
        custom = runner["custom"]
        for stage in ("config", "prepare", "run", "cleanup"):
            self.assertEqual(custom[stage + "_exec"], os.path.join(HERE, "host_driver", "berth-" + stage))
            self.assertEqual(custom[stage + "_args"], ["--settings", os.path.abspath(__file__)])
        self.assertLess(custom["graceful_kill_timeout"], 300)
        for key, value in custom.items():
            if key.endswith("timeout"):
                self.assertIsInstance(value, int)
        # The command gives the same values, and no token.
        command = done.stdout[done.stdout.index("gitlab-runner register"):done.stdout.index("# Or put")]
        words = shlex.split(command.replace("\\\n", " "))
        self.assertNotIn("--token", words)
        for key, value in custom.items():
            option = "--custom-" + key.replace("_", "-")
            values = [words[at + 1] for at, word in enumerate(words) if word == option]
            self.assertEqual(values, value if isinstance(value, list) else [str(value)], key)
        template = tomllib.loads(pathlib.Path(TREE, "runner-config/config.toml").read_text())
        self.assertEqual({key: value for key, value in template["runners"][0]["custom"].items()
                          if isinstance(value, int)},
                         {key: value for key, value in custom.items() if isinstance(value, int)})
        self.assertEqual(template["shutdown_timeout"], config["shutdown_timeout"])

    def test_not_in_a_checkout(self):
        done = subprocess.run(self.command(), cwd=self.root, env={**self.environment(), "GIT_CEILING_DIRECTORIES": "/"},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("not in a git checkout", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
