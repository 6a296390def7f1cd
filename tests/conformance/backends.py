"""What the behaviours need of a backend, and nothing they assert."""
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import engine_api  # noqa: E402
import play_runner  # noqa: E402

HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v19.4.0"


class DockerBackend:
    """A Docker engine; `direct` by the agents' sockets, otherwise through engine execs."""

    def __init__(self, bin_dir, direct=True):
        self.engine = engine_api.Engine()
        self.bin = bin_dir
        self.direct = direct
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="berth-conformance-"))
        self.jobs = self.root / "jobs"
        self.state = self.root / "state"
        self.count = 0

    def settings(self, **docker):
        values = {"host": self.engine.host, "helper_image": HELPER, "pull_policy": "if-not-present", **docker}
        lines = ["backend: docker", f"state_dir: {self.state}", "docker:"]
        lines += [f"  {key}: {value}" for key, value in values.items()]
        self.count += 1
        path = self.root / f"berth-{self.count}.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def attempt(self, response, variables=None, **settings):
        environment = dict(os.environ)
        environment["BERTH_TRANSPORT"] = "direct" if self.direct else "exec"
        return play_runner.Attempt(self.bin, self.settings(**settings), response, self.jobs,
                                   environment=environment, variables=variables)

    def leftovers(self, tmpdir=None):
        """Objects and files that this test's jobs, or the one with this TMPDIR, have left."""
        records = [*(self.state / "run").glob("*/owner"), *(self.state / "holders").glob("*")]
        files = [str(path) for path in records if tmpdir is None or str(tmpdir) in path.read_text()]
        return self.engine.objects(tmpdir or self.jobs) + files

    def close(self):
        self.engine.remove_kept_volumes(PROJECT)
        shutil.rmtree(self.root)


# A project of these tests' own, so that their kept volumes can be told from others.
PROJECT = 900000 + os.getpid() % 90000


def make(name, bin_dir):
    return {"docker": lambda: DockerBackend(bin_dir), "docker-exec": lambda: DockerBackend(bin_dir, direct=False)}[name]()
