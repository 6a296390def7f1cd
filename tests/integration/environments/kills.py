#!/usr/bin/env python3
"""Two deployments of one environment at once, and either killed at any instant, many times.

    kills.py LOCK_PROBE STORE [KILLS [SEED]]        STORE: file, kubernetes

Never are two inside at once: who comes in behind a killed one comes when that one's containers have ended, SILENCE
seconds behind its last sign of life. No lock outlives that: the other one gets in. Nothing that had begun is missing
from the history, and in the end nothing is said to run. Several environments go on side by side. Where no cluster can
be had for its store it ends with 125, or fails if BERTH_REQUIRE names it.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402

SILENCE = 1
SIDE_BY_SIDE = 8
PATIENCE = 120


class Environment:
    def __init__(self, probe, ledger, heartbeats, name, seed):
        self.probe, self.name, self.dice = probe, name, random.Random(seed)
        self.ledger, self.heartbeats = ledger, heartbeats
        self.begun, self.finished = set(), set()
        self.count = 0

    def start(self):
        self.count += 1
        name = f"{self.name.replace('/', '.')}-{self.count}"
        process = subprocess.Popen([self.probe, self.ledger, self.heartbeats, self.name, name, str(SILENCE)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return name, process

    def end(self, name, process):
        """Steps of a probe that has ended: name -> time."""
        out, err = process.communicate(timeout=PATIENCE)
        if process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"{name} ended with {process.returncode}: {err}")
        # The last line may be torn by the kill.
        steps = dict(line.split() for line in out.split("\n")[:-1])
        if "begun" in steps:
            self.begun.add(name)
        if "finished" in steps:
            self.finished.add(name)
        if process.returncode == 0 and "left" not in steps:
            raise AssertionError(f"{name} ended well without {out}")
        return {step: float(moment) for step, moment in steps.items()}

    def last_beat(self, name):
        try:
            return int((self.heartbeats / name).stat().st_mtime)
        except FileNotFoundError:
            return None

    def one_round(self, took):
        both = [self.start(), self.start()]
        victim = self.dice.randrange(2)
        time.sleep(self.dice.uniform(0, took))  # the moment of the kill, not a wait for something
        name, process = both[victim]
        process.kill()
        process.wait(PATIENCE)
        beat = self.last_beat(name)
        steps = self.end(name, process)
        other_name, other = both[1 - victim]
        others = self.end(other_name, other)
        if "left" not in others:
            raise AssertionError(f"{other_name} did not come through: {others}")
        if "enters" in steps:
            # What the killed one has begun may go on until its containers are ended.
            out = steps.get("leaves", beat + SILENCE if beat is not None else None)
            if out is None:
                raise AssertionError(f"{name} was inside without a sign of life: {steps}")
            if others["enters"] < out and steps["enters"] < others["leaves"]:
                raise AssertionError(f"{name} and {other_name} were inside at once: {steps}, last alive at {beat}; {others}")
        return 0 if "left" in steps else 1

    def rest(self):
        out = subprocess.run([self.probe, self.ledger, self.heartbeats, self.name], check=True, timeout=PATIENCE,
                             stdout=subprocess.PIPE).stdout
        return json.loads(out)

    def check(self):
        name, process = self.start()
        if "left" not in self.end(name, process):
            raise AssertionError(f"{name} did not come through")
        rest = self.rest()
        if rest["held"]:
            raise AssertionError(f"{self.name} is still locked")
        results = {one["id"]: one["result"] for one in rest["history"]}
        numbers = sorted(one["number"] for one in rest["history"])
        if numbers != list(range(1, len(numbers) + 1)):
            raise AssertionError(f"{self.name}: numbers {numbers}")
        missing = self.begun - set(results)
        if missing:
            raise AssertionError(f"{self.name}: begun, and not on record: {missing}")
        wrong = {one: results[one] for one in self.finished if results[one] != "success"}
        running = [one for one, result in results.items() if result == "running"]
        if wrong or running:
            raise AssertionError(f"{self.name}: {wrong} instead of success, {running} said to run")
        return list(results.values()).count("lost")


def kill(probe, ledger, heartbeats, kills, seed):
    environments = [Environment(probe, ledger, heartbeats, f"env/{i}", seed + i) for i in range(SIDE_BY_SIDE)]
    # How long one alone takes, here and now, with as many at work as there will be.
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        def alone(environment):
            began = time.monotonic()
            environment.end(*environment.start())
            return time.monotonic() - began
        took = max(pool.map(alone, environments))
        left, guard = kills, threading.Lock()

        def work(environment):
            nonlocal left
            inside = 0
            while True:
                with guard:
                    if left == 0:
                        return inside
                    left -= 1
                inside += environment.one_round(2 * took)
        hits = sum(pool.map(work, environments))
        lost = sum(pool.map(Environment.check, environments))
    print(f"{kills} kills, {hits} of them before the end, {lost} deployments lost with their drivers; a probe takes {took:.2f} s")
    if hits == 0:
        raise AssertionError("no kill met anything: the times are wrong")


def main():
    probe, store = pathlib.Path(sys.argv[1]), sys.argv[2]
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="berth-kills-") as folder:
        heartbeats = pathlib.Path(folder) / "heartbeats"
        if store == "file":
            kill(probe, pathlib.Path(folder) / "ledger", heartbeats, kills, seed)
            return 0
        try:
            cluster = kubernetes_api.Cluster()
        except kubernetes_api.NoCluster as why:
            return leave_out.leave_out(f"the ledger is in a cluster: {why}", "kubernetes")
        namespace = f"berth-ledger-{os.getpid()}"
        cluster.make_namespace(namespace)
        try:
            kill(probe, f"kubernetes:{namespace}", heartbeats, kills, seed)
        finally:
            cluster.remove_namespace(namespace)
    return 0


if __name__ == "__main__":
    sys.exit(main())
