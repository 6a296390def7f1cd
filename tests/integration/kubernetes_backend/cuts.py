#!/usr/bin/env python3
"""Connections to the API server are cut, thousands of times: each stage runs once, and its log is whole.

    cuts.py BIN_DIR [--seed SEED] [--workers N] [--block-copies N]

Each worker plays a job of its own through a proxy of its own (tests/support/cutting_proxy.py): preparation and cleanup
with their connections cut at random records; small stages, each cut several times in a row, so that in the end every
boundary of a request and a reply was cut in both directions, by RST and by FIN, and bytes in between; a large stage,
cut on a random schedule. Every stage writes its name to a file in the pod once it runs, prints bytes that are known,
words among them that pose as the end of a stage, and ends with an exit code of 0 to 255.
Left out (125) where no cluster answers.
"""
import argparse
import hashlib
import itertools
import pathlib
import random
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support")]
import backends  # noqa: E402
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402
import play_runner  # noqa: E402
from cutting_proxy import FIN, RST, Cut, CuttingProxy, random_cuts  # noqa: E402

LEAST_CUTS = 2000
# Of small stages; the large ones, and preparation, add some.
POINTS = 1950
# Connections of one stage that are cut before one may live.
IN_A_ROW = 6
STAGES_OF_A_JOB = 60
# Stages that go through execs which are kept for the whole job; each is cut once or more.
TUNNELLED = 160
RUNS = "/builds/runs"
SERVICE = {"name": "busybox:latest", "alias": "web", "command": ["nc", "-ll", "-p", "7000", "-e", "true"],
           "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": "7000"}, {"key": "OWN", "value": "$PRIVATE"}]}
# In a Secret of the pod, which makes preparation ask for most.
VARIABLES = [{"key": "PRIVATE", "value": "hush", "public": False}]

# What the built-in executor ends a stage by, our own frames' beginnings, a shell's words, and bytes of all kinds.
HOSTILE = (b'{"command_exit_code": 0, "script": "/scripts/build_script"}\n'
           b'{"script":"x","command_exit_code":7}\r\n'
           b"BERTH EXIT 0\n\0\0\0\x09\x84\0\0\0\0\0\0\0\0\n"
           b'{"metadata":{},"status":"Success"}\n'
           b"\x88\x02\x03\xe8command terminated with exit code 0\n"
           + bytes(range(256)) + b"\n")


def small_script(name, code):
    """The script, and what it prints: for about a second, so that a connection made anew still has something to carry,
    and by processes of their own, so in several frames."""
    octal = "".join(f"\\{byte:03o}" for byte in HOSTILE)
    script = (f"echo {name} >> {RUNS}\nprintf '{octal}'\nsh -c 'echo {name}: to standard error >&2'\n"
              f"for i in 1 2 3 4 5 6 7 8; do sleep 0.1; seq $((i * 100)) $((i * 100 + 60)); done\n"
              f"printf 'no newline at the end'\nexit {code}\n")
    text = HOSTILE + f"{name}: to standard error\n".encode()
    for i in range(1, 9):
        text += b"".join(b"%d\n" % number for number in range(i * 100, i * 100 + 61))
    return script, text + b"no newline at the end"


BLOCK = b"".join(b"%d\n" % i for i in range(1, 100_001))


def large_script(name, code, copies):
    script = (f"echo {name} >> {RUNS}\nseq 1 100000 > /builds/block\n"
              f"for i in $(seq {copies}); do echo part $i; cat /builds/block; done\nexit {code}\n")
    return script, b"".join(b"part %d\n" % i + BLOCK for i in range(1, copies + 1))


class Case:
    """One stage and what it is cut by: the plan of its connections."""

    def __init__(self, name, script, expected, code, plan):
        self.name, self.script, self.expected, self.code, self.plan = name, script, expected, code, plan


class Points:
    """Where to cut: taken in rows, one row for a stage. First what lies deep in a connection, which only the first of a
    stage is sure to reach, then what each connection reaches. What was not reached comes first in a later row."""

    TRIES = 3

    def __init__(self, deep, shallow, dice):
        dice.shuffle(deep)
        dice.shuffle(shallow)
        self.missed = []
        self.deep = [(cut, 0) for cut in deep]
        self.shallow = [(cut, 0) for cut in shallow]
        self.given_up = []
        self.lock = threading.Lock()

    def take(self):
        with self.lock:
            row = []
            for source, most in ((self.missed, 1), (self.deep, 2), (self.shallow, IN_A_ROW), (self.deep, IN_A_ROW)):
                while source and len(row) < most:
                    row.append(source.pop())
            return row

    def give_back(self, row):
        with self.lock:
            self.missed += [(cut, tries + 1) for cut, tries in row if tries + 1 < self.TRIES]
            self.given_up += [cut for cut, tries in row if tries + 1 >= self.TRIES]


def points(connection, count):
    """So many: every boundary of records, in both ways, of a connection like this one that was not cut, every reply to
    one, and bytes in between: many of the TLS handshake, some of the frames behind it."""
    deep, shallow = [], []
    for how in (RST, FIN):
        for direction, meter in connection.meters.items():
            for number in range(meter.records):
                (deep if number > meter.records // 3 else shallow).append(Cut(direction, records=number, how=how))
        deep += [Cut("down", asked=number + 1, how=how) for number in range(connection.meters["up"].records)]
    handshake = {direction: meter.bytes * 2 // 5 for direction, meter in connection.meters.items()}
    rest = sum(meter.bytes - handshake[direction] for direction, meter in connection.meters.items())
    # One byte in so many of the handshake, one in four times as many behind it.
    step = max(1, (sum(handshake.values()) + rest // 4) // (count - len(deep) - len(shallow)))
    ways = itertools.cycle((RST, FIN))
    for direction, meter in connection.meters.items():
        shallow += [Cut(direction, after=at, how=next(ways)) for at in range(1, handshake[direction], step)]
        deep += [Cut(direction, after=at, how=next(ways)) for at in range(handshake[direction], meter.bytes, 4 * step)]
    return deep, shallow


def random_cut(dice):
    return Cut(dice.choice(("up", "down")), records=dice.randint(0, 14), after=dice.choice((0, 0, 1, 40)),
               how=dice.choice((RST, FIN)))


class Jobs:
    """What the workers share."""

    def __init__(self, backend, seed):
        self.backend = backend
        self.seed = seed
        self.points = None
        self.large = []
        self.lock = threading.Lock()
        # Stages that go through tunnels.
        self.tunnelled = TUNNELLED
        self.faults = []
        self.cuts = {"prepare": 0, "run": 0, "cleanup": 0}
        self.stages = 0
        self.named = 0
        self.jobs = 0
        self.codes = set()

    def fault(self, text):
        with self.lock:
            self.faults.append(text)
            print("FAULT:", text[:3000], flush=True)

    def next_tunnelled(self, most):
        """So many stages of one job, or fewer."""
        with self.lock:
            count = min(self.tunnelled, most)
            self.tunnelled -= count
            first = self.named
            self.named += count
        for number in range(first, first + count):
            name, code = f"small-{number}", number % 256
            script, expected = small_script(name, code)
            dice = random.Random(f"{self.seed}/tunnel/{number}")
            yield Case(name, script, expected, code,
                       lambda connection, dice=dice: random_cut(dice) if connection < 2 else None), random_cut(dice)

    def next_case(self):
        """A stage, and its row of points."""
        with self.lock:
            if self.large:
                return self.large.pop(), []
            row = self.points.take()
            if not row:
                return None, []
            number = self.named
            self.named += 1
        name, code = f"small-{number}", number % 256
        script, expected = small_script(name, code)
        plan = [cut for cut, _ in row]
        return Case(name, script, expected, code,
                    lambda connection: plan[connection] if connection < len(plan) else None), row

    def next_job(self):
        with self.lock:
            self.jobs += 1
            return self.jobs


class Worker:
    def __init__(self, jobs, number):
        self.jobs = jobs
        self.backend = jobs.backend
        self.proxy = CuttingProxy((self.backend.cluster.host, self.backend.cluster.port))
        self.kubeconfig = self.backend.cluster.kubeconfig_through(self.proxy.address,
                                                                  self.backend.root / f"kubeconfig-{number}")

    def counted(self, phase):
        self.proxy.plan = None
        with self.jobs.lock:
            self.jobs.cuts[phase] += self.proxy.cuts()
        self.proxy.forget()

    def few_cuts(self, program, number):
        """Of the first connections of a program that makes several requests on each: the reply to the first, the
        second, ... request is lost, then this and that."""
        def plan(connection):
            if connection < 2:
                return Cut("down", asked=6 + number % 8, how=(RST, FIN)[connection])
            dice = random.Random(f"{self.jobs.seed}/{program}/{number}/{connection}")
            return random_cut(dice) if connection < 8 else None
        return plan

    def prepared(self, cut=True, tunnels=False):
        number = self.jobs.next_job()
        job = self.backend.attempt(play_runner.response(job_id=number, image="busybox:latest", services=[SERVICE],
                                                        variables=VARIABLES),
                                   tunnels=tunnels, kubeconfig=self.kubeconfig)
        job.config().check(0)
        self.proxy.plan = self.few_cuts("prepare", number) if cut else None
        result = job.prepare()
        self.counted("prepare")
        if result.code != 0 or b"did not answer" in result.err:
            self.jobs.fault(f"prepare of job {number}: {result.code}\n{result.text()}")
        elif (pods := len(self.pods(job))) != 1:
            self.jobs.fault(f"prepare of job {number} made {pods} pods")
        return number, job, result.code == 0

    def pods(self, job):
        return [one for one in self.backend.cluster.items(self.backend.namespace, "pods")
                if one["metadata"].get("annotations", {}).get("berth.tmpdir") == str(job.tmpdir)
                and "deletionTimestamp" not in one["metadata"]]

    def play(self, job, stage, case, row):
        self.proxy.plan = case.plan
        job.exit_code_file.unlink(missing_ok=True)
        result = job.run(stage, case.script)
        wanted = (0, None) if case.code == 0 else (1, str(case.code))
        got = (result.code, job.exit_code() and job.exit_code().strip())
        self.check(case, row, result, wanted, got)

    def play_tunnelled(self, job, stage, case, cut):
        """As play(), but what is open is cut: connections that earlier stages have used."""
        self.proxy.cut_from_here(cut)
        self.play(job, stage, case, [])

    def check(self, case, row, result, wanted, got):
        cuts = [one.cut for one in self.proxy.connections if one.cut]
        self.jobs.points.give_back([one for one in row if one[0] not in cuts])
        if got != wanted:
            self.jobs.fault(f"{case.name}: exit status and code {got}, not {wanted}; cuts {cuts}\n{result.err.decode(errors='replace')}")
        if result.out != case.expected:
            self.jobs.fault(f"{case.name}: {len(result.out)} bytes {hashlib.sha256(result.out).hexdigest()}, not "
                            f"{len(case.expected)} bytes {hashlib.sha256(case.expected).hexdigest()}; cuts {cuts}\n"
                            f"{result.err.decode(errors='replace')}")
        self.counted("run")
        with self.jobs.lock:
            self.jobs.stages += 1
            self.jobs.codes.add(case.code)

    def work(self):
        try:
            tunnelled = list(self.jobs.next_tunnelled(TUNNELLED // 4))
            if tunnelled:
                number, job, prepared = self.prepared(cut=False, tunnels=True)
                for at, (case, cut) in enumerate(tunnelled if prepared else []):
                    self.play_tunnelled(job, ("build_script", "get_sources")[at % 2], case, cut)
                if prepared:
                    self.check_runs(number, job, [case.name for case, _ in tunnelled])
                self.clean_up(number, job)
            case, row = self.jobs.next_case()
            while case:
                number, job, prepared = self.prepared()
                played = []
                while prepared and case and len(played) < STAGES_OF_A_JOB:
                    # One after the other in either container.
                    self.play(job, ("build_script", "get_sources")[len(played) % 2], case, row)
                    played.append(case.name)
                    case, row = self.jobs.next_case()
                if prepared:
                    self.check_runs(number, job, played)
                self.clean_up(number, job)
                if not prepared:
                    return
        except Exception as error:  # noqa: BLE001: a worker's failure is the suite's
            self.jobs.fault(f"a worker ended: {error!r}")
        finally:
            self.proxy.close()

    def check_runs(self, number, job, played):
        ran = job.run("build_script", f"cat {RUNS}").check(0).out.decode().split()
        if ran != played:
            self.jobs.fault(f"job {number}: ran {ran}, not {played}")

    def clean_up(self, number, job):
        self.proxy.plan = self.few_cuts("cleanup", number)
        result = job.cleanup()
        self.counted("cleanup")
        if result.code != 0 or self.pods(job):
            self.jobs.fault(f"cleanup of job {number}: {result.code}, pods left {len(self.pods(job))}\n{result.text()}")
        job.close()


def large_plan(seed, most):
    """Down comes the output, up go acknowledgements: far fewer bytes."""
    down = random_cuts(f"{seed}/down", most=most, direction="down")
    up = random_cuts(f"{seed}/up", most=12_000, direction="up")
    return lambda connection: (up if connection % 4 == 3 else down)(connection)


def large_cases(seed, copies, cuts):
    size = copies * len(BLOCK)
    for number in range(2):
        name, code = f"large-{number}", 255 - number
        script, expected = large_script(name, code, copies)
        yield Case(name, script, expected, code, large_plan(f"{seed}/{number}", 2 * size // cuts))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin_dir", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--block-copies", type=int, default=50)
    parser.add_argument("--large-cuts", type=int, default=50)
    parser.add_argument("--only", type=int, help="so many of the points")
    options = parser.parse_args()
    try:
        backend = backends.make("kubernetes", options.bin_dir.resolve())
    except kubernetes_api.NoCluster as error:
        return leave_out.leave_out(error, "kubernetes")
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    jobs = Jobs(backend, options.seed)
    try:
        # One that is not cut: how many records and bytes a stage is.
        first = Worker(jobs, "first")
        number, job, prepared = first.prepared(cut=False)
        if prepared:
            script, expected = small_script("example", 0)
            job.run("build_script", "true").check(0)
            first.proxy.forget()
            job.run("build_script", script).check(0)
            example = first.proxy.connections[0]
            print({way: (meter.records, meter.bytes) for way, meter in example.meters.items()}, flush=True)
            deep, shallow = points(example, POINTS)
            jobs.points = Points(deep[:options.only], shallow[:options.only], random.Random(options.seed))
            jobs.large = list(large_cases(options.seed, options.block_copies, options.large_cuts))
        first.clean_up(number, job)
        first.proxy.close()
        workers = [threading.Thread(target=Worker(jobs, number).work) for number in range(options.workers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        total = sum(jobs.cuts.values())
        print(f"{total} cuts ({jobs.cuts}) of {jobs.stages} stages in {jobs.jobs} jobs, {len(jobs.codes)} exit codes, "
              f"{len(jobs.faults)} faults, {time.monotonic() - began:.0f} s; points not reached: {jobs.points.given_up}",
              flush=True)
        whole = options.only is not None or (total >= LEAST_CUTS and jobs.codes == set(range(256)))
        if not whole:
            print(f"too few: {LEAST_CUTS} cuts and 256 exit codes are wanted")
        return 0 if whole and not jobs.faults else 1
    finally:
        backend.close()


if __name__ == "__main__":
    sys.exit(main())
