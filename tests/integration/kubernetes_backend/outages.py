#!/usr/bin/env python3
"""The API server is away for two minutes at each point of a job: every job comes to its right end.

    outages.py BIN_DIR [--seconds N] [--only NAME]

All jobs run at once, each through a proxy of its own (tests/support/cutting_proxy.py) that refuses or goes silent at
that job's point, so that the whole takes little longer than one outage.
Left out (125) where no cluster answers.
"""
import argparse
import pathlib
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support")]
import backends  # noqa: E402
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402
import play_runner  # noqa: E402
from cutting_proxy import REFUSE, SILENT, Cut, CuttingProxy  # noqa: E402

RUNS = "/builds/runs"
# Does not answer at once, so that it is waited for.
SERVICE = {"name": "busybox:latest", "alias": "web", "command": ["sh", "-c", "sleep 20; exec nc -ll -p 7000 -e true"],
           "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": "7000"}]}
# More than what the agent keeps of unsaid output: the script has to wait.
MUCH = 3_000_000
MUCH_TEXT = b"".join(b"%d\n" % i for i in range(1, MUCH + 1))


class OutageJob:
    def __init__(self, backend, number, seconds, services=(), tunnels=False):
        self.backend = backend
        self.seconds = seconds
        self.proxy = CuttingProxy((backend.cluster.host, backend.cluster.port))
        kubeconfig = backend.cluster.kubeconfig_through(self.proxy.address, backend.root / f"kubeconfig-{number}")
        self.job = backend.attempt(play_runner.response(job_id=number, image="busybox:latest", services=services),
                                   tunnels=tunnels, kubeconfig=kubeconfig)
        self.job.config().check(0)
        self.stages = 0

    def out_at(self, connection, direction, records, how):
        """The outage begins there, in the program that is started next: in the first connection from that one on that
        has so many records."""
        self.proxy.forget()
        cut = Cut(direction, records=records, how=how, seconds=self.seconds)
        self.proxy.plan = lambda number: cut if number >= connection and self.proxy.outages == 0 else None

    def out_from_here(self, direction, records, how):
        """The outage begins when so many more records have passed on a connection that is open."""
        self.proxy.cut_from_here(Cut(direction, records=records, how=how, seconds=self.seconds))

    def out_now(self, how):
        self.proxy.out(how, self.seconds)

    def came_through(self):
        """There was an outage, and the program that has just ended ended behind it."""
        assert self.proxy.outages == 1, f"{self.proxy.outages} outages"
        assert not self.proxy.is_out(), "the program did not need the API server"
        self.proxy.plan = None

    def prepare(self):
        result = self.job.prepare().check(0)
        assert "did not answer" not in result.text(), result.text()

    def start(self, body):
        self.stages += 1
        return self.job.start_run("build_script", f"echo {self.stages} >> {RUNS}\n{body}\nexit {self.stages + 6}\n")

    def end(self, process, expected):
        out, err = process.communicate(timeout=self.seconds + 300)
        text = err.decode(errors="replace")
        code = self.job.exit_code() and self.job.exit_code().strip()
        assert (process.returncode, code) == (1, str(self.stages + 6)), f"{process.returncode}, code {code}: {text}"
        assert out == expected, f"{len(out)} bytes, not {len(expected)}: {text}"

    # Several pieces of output, by several processes.
    def run(self, body="echo text; for i in $(seq 20); do sh -c 'echo more'; done", expected=b"text\n" + 20 * b"more\n"):
        self.end(self.start(body), expected)

    def cleanup(self):
        ran = self.job.run("build_script", f"cat {RUNS}").check(0).out.decode().split()
        assert ran == [str(number + 1) for number in range(self.stages)], f"stages that ran: {ran}"
        self.job.cleanup().check(0)
        left = self.backend.leftovers(self.job.tmpdir)
        assert not left, f"left: {left}"

    def close(self):
        self.proxy.plan = None
        self.proxy.back()
        self.job.cleanup()
        self.proxy.close()
        self.job.close()


# --- the points -----------------------------------------------------------------------
# Without tunnels, preparation's connections: calls, two or three of them, an exec to meet each agent, one that looks at the helper's
# tools, one that waits for services and lasts the longest. A TLS handshake is five records up, then comes the request;
# about eight down.

def preparing(connection, direction, records, how):
    def play(one):
        one.out_at(connection, direction, records, how)
        one.prepare()
        one.came_through()
        one.run()
        one.cleanup()
    return play


def the_pod_starts(one):
    process = one.job.start("berth-prepare")
    one.backend.cluster.wait_for(lambda: one.backend.leftovers(one.job.tmpdir), "the pod")
    one.out_now(REFUSE)
    out, err = process.communicate(timeout=one.seconds + 300)
    assert process.returncode == 0, (out + err).decode(errors="replace")
    one.came_through()
    one.run()
    one.cleanup()


def between_stages(one):
    one.prepare()
    one.run()
    one.out_now(REFUSE)
    one.run()
    one.came_through()
    one.cleanup()


def starting_a_stage(connection, direction, records, how):
    def play(one):
        one.prepare()
        one.out_at(connection, direction, records, how)
        one.run()
        one.came_through()
        one.cleanup()
    return play


def in_the_midst_of_output(one):
    one.prepare()
    # The handshake, then pieces of output.
    one.out_at(0, "down", 200, SILENT)
    one.run(f"seq 1 {MUCH}", MUCH_TEXT)
    one.came_through()
    one.cleanup()


def the_script_ends_meanwhile(one):
    one.prepare()
    process = one.start("echo started; until test -e /builds/go; do sleep 0.1; done; touch /builds/gone; echo done")
    assert process.stdout.readline() == b"started\n"
    one.out_now(REFUSE)
    through, one.job.settings = one.job.settings, one.backend.settings()
    one.job.run("get_sources", "touch /builds/go; until test -e /builds/gone; do sleep 0.1; done").check(0)
    one.job.settings = through
    assert one.proxy.is_out()
    one.end(process, b"done\n")
    one.came_through()
    one.cleanup()


def a_silent_script(one):
    one.prepare()
    process = one.start("echo started; until test -e /builds/go; do sleep 0.1; done; echo done")
    assert process.stdout.readline() == b"started\n"
    one.out_now(SILENT)
    one.job.run("get_sources", "touch /builds/go").check(0)
    one.came_through()
    one.end(process, b"done\n")
    one.cleanup()


def in_a_tunnel(direction, records, how, *what):
    """Through an exec that earlier stages have used."""
    def play(one):
        one.prepare()
        one.run()
        one.out_from_here(direction, records, how)
        one.run(*what)
        one.came_through()
        one.cleanup()
    return play


def cleaning_up(direction, records, how):
    def play(one):
        one.prepare()
        one.run()
        ran = one.job.run("build_script", f"cat {RUNS}").check(0).out.split()
        assert ran == [b"1"], ran
        one.out_at(0, direction, records, how)
        one.job.cleanup().check(0)
        one.came_through()
        assert not one.backend.leftovers(one.job.tmpdir)
    return play


POINTS = {
    "preparation's first byte": preparing(0, "up", 0, REFUSE),
    "preparation's first reply": preparing(0, "down", 8, SILENT),
    "the pod is starting": the_pod_starts,
    "an agent is met": preparing(3, "up", 6, SILENT),
    "the helper's tools are looked at": preparing(4, "up", 6, SILENT),
    "a service is waited for": preparing(4, "down", 17, REFUSE),
    "between two stages": between_stages,
    "a stage is being started": starting_a_stage(0, "up", 6, REFUSE),
    "a stage has just started": starting_a_stage(0, "down", 12, SILENT),
    "in the midst of much output": in_the_midst_of_output,
    "the script ends meanwhile": the_script_ends_meanwhile,
    "a script that says nothing": a_silent_script,
    "tunnels: an agent is met": preparing(3, "up", 6, SILENT),
    "tunnels: between two stages": between_stages,
    "tunnels: a stage is being started": in_a_tunnel("up", 0, REFUSE),
    "tunnels: a stage has just started": in_a_tunnel("down", 1, SILENT),
    "tunnels: in the midst of much output": in_a_tunnel("down", 50, SILENT, f"seq 1 {MUCH}", MUCH_TEXT),
    "tunnels: the script ends meanwhile": the_script_ends_meanwhile,
    "tunnels: a script that says nothing": a_silent_script,
    "cleanup's first byte": cleaning_up("up", 0, SILENT),
    "cleanup's reply": cleaning_up("down", 8, REFUSE),
}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin_dir", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--only")
    options = parser.parse_args()
    try:
        backend = backends.make("kubernetes", options.bin_dir.resolve())
    except kubernetes_api.NoCluster as error:
        return leave_out.leave_out(error, "kubernetes")
    faults = []
    began = time.monotonic()

    def play(number, name, point):
        one = None
        try:
            one = OutageJob(backend, number, options.seconds, [SERVICE] if "service" in name else [],
                            name.startswith("tunnels"))
            point(one)
            print(f"ok: {name}: {time.monotonic() - began:.0f} s", flush=True)
        except Exception as error:  # noqa: BLE001: told of, and counted
            faults.append(name)
            print(f"FAULT: {name}: {error!s}"[:3000], flush=True)
        finally:
            if one is not None:
                one.close()

    try:
        threads = [threading.Thread(target=play, args=(number, name, point))
                   for number, (name, point) in enumerate(POINTS.items(), 1) if options.only in (None, name)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"{len(threads)} outages of {options.seconds:.0f} s, {len(faults)} faults, {time.monotonic() - began:.0f} s")
        return 1 if faults or not threads else 0
    finally:
        backend.close()


if __name__ == "__main__":
    sys.exit(main())
