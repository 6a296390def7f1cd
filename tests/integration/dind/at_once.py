#!/usr/bin/env python3
"""Jobs with Docker daemons, many at once, with random cancels and kills: none sees another's daemon, images or
certificates, and nothing is left.

    at_once.py BACKEND BIN_DIR [JOBS [SEED]]        BACKEND: docker, docker-exec, kubernetes

Each job fills its daemon with an image of its own and reads the daemon's identity and its certificate; some are
canceled while they prepare or run, of some a program is killed, and of some the runner dies with it, so that there is
no cleanup. A last job that nobody disturbs sweeps what those left.
"""
import os
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "conformance"))
import backends  # noqa: E402
import engine_api  # noqa: E402
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402
import play_runner  # noqa: E402

# Round by round: what each sees must be its own, however long the others live.
SCRIPT = """
echo started
docker info --format 'daemon {{.ID}}'
echo "certificate $(sha256sum < "$DOCKER_CERT_PATH/cert.pem")"
for round in 1 2 3; do
  tar -C /.berth/bin -hc berth-agent | docker import - "job-%(number)d:$round" >/dev/null
  docker run --rm "job-%(number)d:$round" /berth-agent --version >/dev/null
  docker images --format 'image {{.Repository}}'
done
echo finished
"""
FATES = ("left alone", "canceled", "killed", "killed in prepare", "canceled in prepare", "runner dies")


def response(number):
    body = play_runner.response(job_id=os.getpid() * 100 + number, image="docker:latest",
                                services=[{"name": "docker:dind"}],
                                variables=[{"key": "GIT_STRATEGY", "value": "none"}])
    body["job_info"]["project_id"] = backends.PROJECT
    return body


class Job(threading.Thread):
    def __init__(self, backend, number, dice):
        super().__init__()
        privileges = ({"services_privileged": "true"} if backend.suite == "docker" else
                      {"privileged": "true", "poll_timeout": 900})
        # Many daemons on few processors take their time.
        self.attempt = backend.attempt(response(number), variables={"CI_CONCURRENT_PROJECT_ID": str(number)},
                                       wait_for_services_timeout=300, **privileges)
        self.number = number
        # A third goes its way, so that there is something to see.
        self.fate = "left alone" if number % 3 == 0 else dice.choice(FATES)
        self.after = dice.uniform(0, 4)
        self.seen = {"daemon": set(), "certificate": set(), "image": set()}
        self.problems = []

    def run(self):
        try:
            self.play()
        except Exception as error:  # reported with all the others
            self.problems.append(f"{type(error).__name__}: {error}")

    def disturb(self, process, number):
        time.sleep(self.after)  # the moment of the kill, not a wait for something
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass

    def play(self):
        self.attempt.config().check(0)
        if self.fate.endswith("in prepare"):
            process = self.attempt.start("berth-prepare")
            self.disturb(process, signal.SIGKILL if self.fate.startswith("killed") else signal.SIGTERM)
            process.communicate()
        else:
            prepared = self.attempt.prepare().check(0)
            if "is ready (TLS)" not in prepared.text():
                self.problems.append("its daemon was not ready:\n" + prepared.text())
            self.run_script()
        if self.fate != "runner dies":
            self.attempt.cleanup().check(0)
        self.attempt.close()

    def run_script(self):
        process = self.attempt.start_run("build_script", SCRIPT % {"number": self.number})
        if self.fate != "left alone":
            self.disturb(process, signal.SIGTERM if self.fate == "canceled" else signal.SIGKILL)
        out, errors = process.communicate()
        lines = out.decode(errors="replace").splitlines()
        for line in lines:
            kind, _, what = line.partition(" ")
            if kind in self.seen and what:
                self.seen[kind].add(what)
        if self.fate == "left alone" and (process.returncode != 0 or lines[-1:] != ["finished"]):
            self.problems.append(f"ended with {process.returncode}: {out + errors!r}")
        strangers = self.seen["image"] - {f"job-{self.number}"}
        if strangers:
            self.problems.append(f"saw images of others: {sorted(strangers)}")


def shared(jobs, kind):
    """Pairs of jobs that have seen the same daemon or certificate."""
    owners = {}
    for job in jobs:
        for one in job.seen[kind]:
            if one in owners:
                yield f"jobs {owners[one]} and {job.number} have one {kind}: {one}"
            owners[one] = job.number


def last_word(backend):
    last = Job(backend, 99, random.Random(0))
    last.fate = "left alone"
    last.run()
    return last.problems


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(1 << 32)
    try:
        backend = backends.make(sys.argv[1], pathlib.Path(sys.argv[2]).resolve())
    except engine_api.NoEngine as error:
        return leave_out.leave_out(error)
    except kubernetes_api.NoCluster as error:
        return leave_out.leave_out(error, "kubernetes")
    print(f"seed {seed}", flush=True)
    dice = random.Random(seed)
    try:
        jobs = [Job(backend, number, dice) for number in range(1, count + 1)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        problems = [f"job {job.number} ({job.fate}): {text}" for job in jobs for text in job.problems]
        problems += [*shared(jobs, "daemon"), *shared(jobs, "certificate")]
        daemons = sum(len(job.seen["daemon"]) for job in jobs)
        if daemons < count // 3:
            problems.append(f"only {daemons} daemons were seen")
        problems += last_word(backend)
        left = backend.leftovers()
        if left:
            problems.append(f"left behind: {left}")
        for problem in problems:
            print("FAILED", problem)
        print(f"{count} jobs at once ({', '.join(job.fate for job in jobs)}): {daemons} daemons seen, "
              f"{len(problems)} problems")
        return 1 if problems else 0
    finally:
        backend.close()


if __name__ == "__main__":
    sys.exit(main())
