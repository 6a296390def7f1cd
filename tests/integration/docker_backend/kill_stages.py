#!/usr/bin/env python3
"""SIGKILL or SIGTERM of any stage at any moment, then cleanup or the next job's preparation: nothing is left.

    kill_stages.py BIN_DIR [KILLS [SEED]]

Each round plays a job up to a random stage, signals that stage's process group after a random part of the time
it takes (KILL mostly; a stage told to end by TERM must say 2, or have been done), and then does what a runner does next: cleanup, or, as if the runner had died with it, nothing but
the loss of TMPDIR, so that the next preparation has to find out. Half of the jobs have a service and so a
network of their own. The seed is printed: the same seed makes the same choices.
Left out (125) where no engine answers.
"""
import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "conformance"))
import backends  # noqa: E402
import engine_api  # noqa: E402
import leave_out  # noqa: E402
import play_runner  # noqa: E402

STAGES = ("config", "prepare", "run", "cleanup")
SERVICE = {"name": "busybox:latest", "alias": "web", "command": ["sleep", "1000"]}


def response(number, with_service):
    body = play_runner.response(job_id=number, services=[SERVICE] if with_service else [],
                                variables=[{"key": "GIT_STRATEGY", "value": "none"}])
    body["job_info"]["project_id"] = backends.PROJECT
    return body


def start(attempt, stage):
    if stage == "run":
        return attempt.start_run("build_script", "echo started; sleep 0.2; echo done")
    return attempt.start(f"berth-{stage}")


def measure(backend):
    """How long each stage takes here, undisturbed: the range to kill in."""
    attempt = backend.attempt(response(1, True), wait_for_services_timeout=5)
    took = {}
    for stage in STAGES:
        before = time.monotonic()
        if stage == "config":
            attempt.config().check(0)
        else:
            process = start(attempt, stage)
            out, err = process.communicate()
            if process.returncode != 0:
                raise AssertionError(f"{stage}: {process.returncode}\n{(out + err).decode(errors='replace')}")
        took[stage] = time.monotonic() - before
    attempt.close()
    return took


def kill(process, after, number):
    time.sleep(after)  # the moment of the kill, not a wait for something
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
    out, err = process.communicate()
    # 1 would end the job as its author's failure, and hide the cancel. Ended by the signal itself (it came before
    # main) counts for the runner as 2 does.
    if number == signal.SIGTERM and process.returncode not in (0, 2, -signal.SIGTERM):
        raise AssertionError(f"{process.args[0]} ended with {process.returncode} on SIGTERM after {after * 1000:.0f} ms:\n"
                             + (out + err).decode(errors="replace"))


def one_round(backend, dice, number, took):
    attempt = backend.attempt(response(number, dice.random() < 0.5), wait_for_services_timeout=5)
    # Preparation makes the most and takes the longest: most kills go there.
    victim = dice.choices(STAGES, weights=(1, 6, 2, 3))[0]
    after = took[victim] * dice.uniform(0, 1.1)
    for stage in STAGES[:STAGES.index(victim)]:
        if stage == "config":
            attempt.config().check(0)
        elif stage == "prepare":
            attempt.prepare().check(0)
        else:
            attempt.run("build_script", "true").check(0)
    kill(start(attempt, victim), after, dice.choices((signal.SIGKILL, signal.SIGTERM), weights=(7, 3))[0])
    runner_dies = dice.random() < 0.4
    if not runner_dies:
        attempt.cleanup().check(0)
    attempt.close()
    left = backend.leftovers(attempt.tmpdir)
    if not runner_dies and left:
        raise AssertionError(f"round {number}: {victim} killed after {after * 1000:.0f} ms, then cleanup: left {left}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)
    try:
        backend = backends.DockerBackend(pathlib.Path(sys.argv[1]).resolve())
    except engine_api.NoEngine as error:
        return leave_out.leave_out(error)
    print(f"seed {seed}", flush=True)
    dice = random.Random(seed)
    try:
        took = measure(backend)
        print("stages take " + ", ".join(f"{stage} {1000 * t:.0f} ms" for stage, t in took.items()), flush=True)
        for number in range(kills):
            one_round(backend, dice, number + 2, took)
        # The last word: a job that is not disturbed sweeps what dead runners left.
        last = backend.attempt(response(kills + 2, False))
        last.config().check(0)
        last.prepare().check(0)
        last.cleanup().check(0)
        last.close()
        left = backend.leftovers()
        if left:
            raise AssertionError(f"left behind after {kills} kills and one whole job: {left}")
        print(f"{kills} kills, nothing left")
        return 0
    finally:
        backend.close()


if __name__ == "__main__":
    sys.exit(main())
