"""Plays GitLab Runner's custom executor for tests: starts the four programs with the runner's own
environment, order, arguments and directories (gitlab-runner, executors/custom), one attempt at a time.

    job = Attempt(bin_dir, settings_file, response, folder)
    job.config().check(0); job.prepare().check(0)
    result = job.run("build_script", "echo hi")
    job.cleanup(); job.close()

It decides nothing a test asserts: no retries, no stage is left out, exit codes are handed on as they are.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time


class Result:
    """How one program ended, and what it wrote."""

    def __init__(self, name, code, out, err):
        self.name, self.code, self.out, self.err = name, code, out, err

    def check(self, code):
        if self.code != code:
            raise AssertionError(f"{self.name} ended with {self.code}, not {code}:\n{self.text()[-4000:]}")
        return self

    def text(self):
        return (self.out + self.err).decode(errors="replace")


def response(job_id=1, image="debian:bookworm", services=(), variables=(), entrypoint=None, **more):
    """A JOB_RESPONSE_FILE with what a job needs, in the runner's form."""
    main = {"name": image, "executor_opts": {"docker": {}, "kubernetes": {}}}
    if entrypoint is not None:
        main["entrypoint"] = entrypoint
    main.update(more.pop("image_more", {}))
    body = {
        "id": job_id, "token": "glcbt-secret", "allow_git_fetch": True,
        "job_info": {"name": "test", "stage": "test", "pipeline_id": 5, "project_id": 7, "project_name": "polls",
                     "project_full_path": "group/polls"},
        "git_info": {"repo_url": "https://gitlab.example.com/group/polls.git", "ref": "main",
                     "sha": "0123456789abcdef0123456789abcdef01234567", "before_sha": "0" * 40, "refspecs": [],
                     "depth": 20, "ref_type": "branch"},
        "runner_info": {"timeout": 3600},
        "inputs": {}, "variables": [dict({"public": True, "file": False, "masked": False, "raw": False}, **one)
                                    for one in variables],
        "steps": [{"name": "script", "script": ["true"], "timeout": 3600, "when": "on_success",
                   "allow_failure": False}],
        "image": main, "services": list(services), "artifacts": None, "cache": None, "credentials": [],
        "dependencies": None, "features": {},
    }
    body.update(more)
    return body


# The shape of the runner's scripts (shells/bash.go): traps, pipefail, errexit, the body in one eval.
SHAPE = """#!/usr/bin/env bash

trap 'exit 1' TERM
case "$(set -o)" in *"pipefail"*) set -o pipefail;; esac
set -o errexit
set +o noclobber
(trap 'exit 1' TERM; eval $'%s') < /dev/null
exit 0
"""


# What the runner's get_sources, restore_cache and download_artifacts end with, and what its
# cleanup_file_variables has (shells/abstract.go: changeFilesOwnership, writeCleanupScript).
OWNERSHIP = """
if [ -e "/builds/.gitlab-build-uid-gid" ]; then
  if [ -d "/builds" ]; then
    chown -R "$(stat -c '%u:%g' '/builds/.gitlab-build-uid-gid')" '/builds'
  fi
fi
"""
FORGET_OWNER = "rm -f /builds/.gitlab-build-uid-gid"


def in_shape(body):
    """The body as the runner quotes it (helpers/shell_escape.go): $'..' with C escapes, other odd bytes as hex."""
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "'": "\\'", "\\": "\\\\"}
    quoted = "".join(named.get(chr(byte)) or (chr(byte) if 0x20 <= byte < 0x7f else f"\\x{byte:02x}")
                     for byte in body.encode())
    return SHAPE % quoted


class Attempt:
    """One executor instance: one TMPDIR, from config to cleanup."""

    def __init__(self, bin_dir, settings, job, folder, environment=None, variables=None, user=None):
        """`user`: the runner's (uid, gid, further groups) where it is not this process's; for root to use."""
        self.bin = pathlib.Path(bin_dir)
        self.settings = settings
        self.job = job
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        self.tmpdir = pathlib.Path(tempfile.mkdtemp(prefix="custom-executor", dir=folder))
        self.exit_code_file = self.tmpdir / "build_exit_code"
        (self.tmpdir / "response.json").write_text(json.dumps(job) + "\n")
        (self.tmpdir / "response.json").chmod(0o600)
        self.user = {} if user is None else {"user": user[0], "group": user[1], "extra_groups": user[2]}
        self._give(self.tmpdir, self.tmpdir / "response.json")
        self.own = dict(environment if environment is not None else os.environ)
        self.own.update({"TMPDIR": str(self.tmpdir), "BUILD_FAILURE_EXIT_CODE": "1", "SYSTEM_FAILURE_EXIT_CODE": "2",
                         "BUILD_EXIT_CODE_FILE": str(self.exit_code_file),
                         "JOB_RESPONSE_FILE": str(self.tmpdir / "response.json")})
        self.job_env = {}
        values = {"CI_RUNNER_SHORT_TOKEN": "abcdefghi", "CI_BUILDS_DIR": "", "CI_PROJECT_DIR": "",
                  "CI_CONCURRENT_ID": "0", "CI_CONCURRENT_PROJECT_ID": "0", "CI_SERVER": "yes",
                  "CI_JOB_STATUS": "running", "CI_JOB_TIMEOUT": "3600", "CI_SHARED_ENVIRONMENT": "true",
                  "CI_RUNNER_VERSION": "19.4.0", "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64",
                  "RUNNER_TEMP_PROJECT_DIR": ".tmp"}
        if job["image"]:
            values["CI_JOB_IMAGE"] = job["image"]["name"]
        values.update({one["key"]: one["value"] for one in job["variables"]})
        values.update(variables or {})
        self.variables = values

    def _give(self, *paths):
        for path in paths if self.user else ():
            os.chown(path, self.user["user"], self.user["group"])

    def environment(self):
        env = dict(self.own)
        env.update(self.job_env)
        env.update({"CUSTOM_ENV_" + key: value for key, value in self.variables.items()})
        services = [{"name": one["name"], "alias": one.get("alias", ""), "entrypoint": one.get("entrypoint"),
                     "command": one.get("command")} for one in self.job["services"] or []]
        env["CUSTOM_ENV_CI_JOB_SERVICES"] = json.dumps(services) if services else ""
        return env

    def start(self, program, *arguments):
        """Starts a program in its own process group, as the runner does."""
        argv = [str(self.bin / program), "--settings", str(self.settings), *map(str, arguments)]
        # Unbuffered: what a readline() takes must not take more than communicate() gives.
        return subprocess.Popen(argv, cwd=self.tmpdir, env=self.environment(), stdin=subprocess.DEVNULL, bufsize=0,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0, **self.user)

    def call(self, program, *arguments, timeout=300):
        process = self.start(program, *arguments)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"{program} did not end within {timeout} s:\n{(out + err).decode(errors='replace')}")
        return Result(program, process.returncode, out, err)

    def config(self):
        result = self.call("berth-config")
        if result.code == 0 and result.out:
            output = json.loads(result.out)
            self.job_env.update(output.get("job_env", {}))
            builds = output.get("builds_dir", "/builds")
            self.variables.update({"CI_BUILDS_DIR": builds, "CI_PROJECT_DIR": builds + "/group/polls",
                                   "RUNNER_TEMP_PROJECT_DIR": builds + "/group/polls.tmp"})
        return result

    def prepare(self):
        return self.call("berth-prepare")

    def script(self, text, raw=False):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="script", dir=self.tmpdir))
        path = folder / "script"
        path.write_text(text if raw else in_shape(text))
        path.chmod(0o700)
        self._give(folder, path)
        return path

    def run(self, stage, text, raw=False, timeout=300):
        return self.call("berth-run", self.script(text, raw), stage, timeout=timeout)

    def start_run(self, stage, text, raw=False):
        return self.start("berth-run", self.script(text, raw), stage)

    def cleanup(self):
        return self.call("berth-cleanup")

    def exit_code(self):
        return self.exit_code_file.read_text() if self.exit_code_file.exists() else None

    def close(self):
        """The runner removes TMPDIR behind cleanup."""
        shutil.rmtree(self.tmpdir)


def terminate(process, grace=60):
    """SIGTERM to the group, as on a cancel; returns the Result."""
    os.killpg(process.pid, signal.SIGTERM)
    started = time.monotonic()
    try:
        out, err = process.communicate(timeout=grace)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise AssertionError(f"still there {time.monotonic() - started:.0f} s after SIGTERM")
    return Result(process.args[0], process.returncode, out, err)
