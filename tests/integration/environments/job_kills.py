#!/usr/bin/env python3
"""Two jobs for one environment at once, through the four programs and with containers, and either killed at any
instant, many times.

    job_kills.py BIN_DIR [KILLS [SEED]]

A job's script leaves a trace of when it ran on the engine's machine. No two traces overlap: neither where the runner
calls cleanup behind the killed program, nor where it has died as well and the containers go on until their agents
see nobody. The job that nobody killed succeeds. In the end every deployment that began is on record, none is said to
run, none that did not reach its script's end is said to have succeeded, and nothing is locked or left behind.
Several environments go on side by side. Left out (125) where no engine answers.
"""
import concurrent.futures
import itertools
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "conformance"))
import backends  # noqa: E402
import engine_api  # noqa: E402
import leave_out  # noqa: E402
import play_runner  # noqa: E402

SIDE_BY_SIDE = 3
# How many signs of life a script gives: a victim's is not over by itself when its driver is gone.
SHORT, LONG = 30, 300
# How long containers go on without a driver. Between two stages there is none, on a busy machine for a while.
ORPHAN_TIMEOUT = 6
SCRIPT = """touch /trace/{job}.first; i=0
while [ $i -lt {beats} ]; do touch /trace/{job}.last; sleep 0.02; i=$((i+1)); done; touch /trace/{job}.done"""


def failed(result, why):
    return AssertionError(f"{why}: {result.name} ended with {result.code}:\n{result.text()[-4000:]}")


class Job:
    """One job of an environment, as the runner takes it through its stages."""

    def __init__(self, backend, environment, number, traces):
        body = play_runner.response(job_id=number, variables=[
            {"key": "GIT_STRATEGY", "value": "none"}, {"key": "CI_ENVIRONMENT_NAME", "value": environment},
            {"key": "CI_ENVIRONMENT_ACTION", "value": "start"}, {"key": "CI_JOB_URL", "value": f"https://gitlab.example.com/{number}"}])
        body["job_info"]["project_id"] = backends.PROJECT
        self.number, self.traces = number, traces
        self.attempt = backend.attempt(body, volumes=f'["{traces}:/trace"]')
        self.guard, self.process = threading.Lock(), None
        self.killed = self.begun = self.succeeded = False

    def stage(self, program, *arguments):
        """The program's Result; None where the job was killed before."""
        with self.guard:
            if self.killed:
                return None
            self.process = self.attempt.start(program, *arguments)
        out, err = self.process.communicate(timeout=300)
        result = play_runner.Result(program, self.process.returncode, out, err)
        self.begun = self.begun or b"deployment " in out + err and b" begins" in out + err
        with self.guard:
            if self.killed:
                return None
            if result.code != 0:
                raise failed(result, f"job {self.number}, which nobody killed")
        return result

    def kill(self):
        with self.guard:
            self.killed = True
            if self.process is not None and self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)

    def play(self, beats=SHORT, runner_dies=False):
        """True: it went through all of its stages."""
        if self.attempt.config().check(0) and self.stage("berth-prepare"):
            script = self.attempt.script(SCRIPT.format(job=self.number, beats=beats))
            self.succeeded = self.stage("berth-run", script, "build_script") is not None
        whole = self.succeeded and self.stage("berth-cleanup") is not None
        if not whole and not runner_dies:
            self.attempt.cleanup().check(0)
        if whole or not runner_dies:
            self.attempt.close()
        return whole

    def trace(self):
        """(first, last) sign of its script, None where it never began."""
        first, last = self.traces / f"{self.number}.first", self.traces / f"{self.number}.last"
        if not first.exists():
            return None
        return first.stat().st_mtime_ns, (last if last.exists() else first).stat().st_mtime_ns

    def reached_its_end(self):
        return (self.traces / f"{self.number}.done").exists()


class Environment:
    def __init__(self, backend, name, numbers, seed):
        self.backend, self.name, self.numbers, self.dice = backend, name, numbers, random.Random(seed)
        self.traces = backend.root / "traces" / name
        self.traces.mkdir(parents=True)
        self.jobs = []

    def job(self):
        one = Job(self.backend, self.name, next(self.numbers), self.traces)
        self.jobs.append(one)
        return one

    def alone(self):
        """How long a job takes that nobody disturbs."""
        began = time.monotonic()
        if not self.job().play():
            raise AssertionError("a job that nobody killed did not end")
        return time.monotonic() - began

    def one_round(self, took):
        """Whether the kill met the job before its end."""
        both = [self.job(), self.job()]
        victim = self.dice.choice(both)
        runner_dies = self.dice.random() < 0.4
        after = self.dice.uniform(0, took)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            plays = {one: pool.submit(one.play, LONG, runner_dies) if one is victim else pool.submit(one.play) for one in both}
            time.sleep(after)  # the moment of the kill, not a wait for something
            victim.kill()
            ends = {one: play.result() for one, play in plays.items()}
        return not ends[victim]

    def forget_dead(self):
        """Of dead runners TMPDIR is there until now: what is not removed by then has only ended."""
        for one in self.jobs:
            if one.attempt.tmpdir.exists():
                one.attempt.close()

    def check_traces(self):
        ran = sorted((one.trace(), one.number) for one in self.jobs if one.trace())
        for (former, former_number), (later, later_number) in itertools.pairwise(ran):
            if later[0] <= former[1]:
                raise AssertionError(f"{self.name}: jobs {former_number} and {later_number} ran at once: "
                                     f"{former[1] - later[0]} ns, {ran}")

    def verb(self, *words):
        done = subprocess.run([self.backend.bin / "berth", "env", words[0], "--settings", self.backend.settings(), *words[1:], "--json"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"berth env {words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def check_history(self):
        history = self.verb("history", self.name, "--limit", "0")
        numbers = sorted(one["number"] for one in history)
        if numbers != list(range(1, len(numbers) + 1)):
            raise AssertionError(f"{self.name}: numbers {numbers}")
        results = {one["job"]: one["result"] for one in history}
        for one in self.jobs:
            result = results.get(one.number)
            if (one.begun or one.trace()) and result is None:
                raise AssertionError(f"{self.name}: job {one.number} began and is not on record")
            if result == "running":
                raise AssertionError(f"{self.name}: job {one.number} is said to run")
            if one.succeeded and result != "success" or result == "success" and not one.reached_its_end():
                raise AssertionError(f"{self.name}: job {one.number} is said to be a {result}")
        held = self.verb("show", self.name)
        if held["holder"] is not None:
            raise AssertionError(f"{self.name} is still locked: {held}")
        return list(results.values()).count("lost")


def kill(backend, kills, seed):
    numbers = itertools.count(1)
    environments = [Environment(backend, f"env-{i}", numbers, seed + i) for i in range(SIDE_BY_SIDE)]
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        # Measured with as many at work as there will be; twice that, since one of two waits for the other.
        took = 2 * max(pool.map(Environment.alone, environments))
        left, guard = kills, threading.Lock()

        def work(environment):
            nonlocal left
            hits = 0
            while True:
                with guard:
                    if left == 0:
                        return hits
                    left -= 1
                hits += environment.one_round(took)
        hits = sum(pool.map(work, environments))
        for environment in environments:
            environment.forget_dead()
        # The last word: a job that nobody disturbs comes in, and records and removes what dead ones left.
        list(pool.map(Environment.alone, environments))
    for environment in environments:
        environment.check_traces()
    lost = sum(environment.check_history() for environment in environments)
    left = backend.leftovers()
    if left:
        raise AssertionError(f"left behind: {left}")
    ran = sum(one.trace() is not None for environment in environments for one in environment.jobs)
    print(f"{kills} kills, {hits} of them before the end; {ran} scripts ran, {lost} deployments lost with their drivers; "
          f"two jobs take {took:.1f} s")
    if hits == 0:
        raise AssertionError("no kill met anything: the times are wrong")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(2**32)
    try:
        backend = backends.DockerBackend(pathlib.Path(sys.argv[1]).resolve())
    except engine_api.NoEngine as error:
        return leave_out.leave_out(error)
    print(f"seed {seed}", flush=True)
    backend.common += [f"orphan_timeout: {ORPHAN_TIMEOUT}", "environments:", "  store: {keep: 100000}", '  rules: [{name: "env-*"}]']
    try:
        kill(backend, kills, seed)
        return 0
    finally:
        backend.close()


if __name__ == "__main__":
    sys.exit(main())
