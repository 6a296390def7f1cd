#!/usr/bin/env python3
"""A runner that is not root: a user of its own, in the group that may use the engine's socket, who keeps Berth's
state in the home directory. A job runs through the four programs and leaves nothing there and on the engine.

    unprivileged_runner.py BIN_DIR [unittest arguments]

Started by root it takes the uid of nobody in particular; by another user it runs as that one. Left out (125) where no
engine answers.
"""
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "conformance"))
import backends  # noqa: E402
import engine_api  # noqa: E402
import leave_out  # noqa: E402
import play_runner  # noqa: E402

# No entry of /etc/passwd: HOME alone says where the home is.
UID, GID = 64321, 64321
PROGRAMS = ("berth", "berth-agent", "berth-config", "berth-prepare", "berth-run", "berth-run-engine", "berth-tunnel", "berth-cleanup")
BIN = None
ENGINE = None


class UnprivilegedRunner(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="berth-user-"))
        self.addCleanup(shutil.rmtree, self.root)
        self.root.chmod(0o755)
        self.user = (UID, GID, [os.stat(ENGINE.path).st_gid]) if os.geteuid() == 0 else None
        self.home = self.folder("home")
        self.state = self.home / ".local/state/berth"
        self.settings = self.home / "berth.yaml"
        self.settings.write_text(f"docker:\n  host: {ENGINE.host}\n  helper_image: {backends.HELPER}\n"
                                 "  pull_policy: if-not-present\n  disable_cache: true\n")
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ("DOCKER_HOST", "XDG_STATE_HOME", "BERTH_SETTINGS")}
        self.environment["HOME"] = str(self.home)

    def folder(self, name):
        path = self.root / name
        path.mkdir(mode=0o700)
        if self.user:
            os.chown(path, UID, GID)
        return path

    def attempt(self, transport):
        job = play_runner.response(job_id=os.getpid(), image="busybox:latest",
                                   services=[{"name": "busybox:latest", "alias": "web", "command": ["sleep", "1000"]}],
                                   variables=[{"key": "GIT_STRATEGY", "value": "clone"}])
        job["job_info"]["project_id"] = backends.PROJECT
        return play_runner.Attempt(BIN, self.settings, job, self.folder("jobs"), user=self.user,
                                   environment=dict(self.environment, BERTH_TRANSPORT=transport))

    def files(self, folder):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))

    def check_nothing_left(self, tmpdirs):
        self.assertEqual(ENGINE.objects(tmpdirs), [])
        self.assertEqual(self.files(self.state / "run") + self.files(self.state / "holders"), [])
        # The user's own all of it: root's would stay for ever.
        for path in [self.state, *self.state.rglob("*")]:
            self.assertEqual(path.stat().st_uid, UID if self.user else os.geteuid(), path)

    def play(self, transport, script="echo two > /cache/file; cat file"):
        job = self.attempt(transport)
        try:
            job.config().check(0)
            job.prepare().check(0)
            sockets = [path for path in self.state.rglob("*") if stat.S_ISSOCK(path.lstat().st_mode)]
            self.assertEqual(len(sockets), 2 if transport == "direct" else 0, sockets)
            self.assertEqual(stat.S_IMODE(self.state.stat().st_mode), 0o700)
            job.run("get_sources", "mkdir -p /builds/group/polls && echo one > /builds/group/polls/file").check(0)
            result = job.run("build_script", f"cd /builds/group/polls; id -u; {script}; exit 3").check(1)
            self.assertEqual(result.out, b"0\none\n")
            self.assertEqual(job.exit_code().strip(), "3")
            job.run("after_script", "echo after").check(0)
        finally:
            ended = job.cleanup()
        ended.check(0)
        # As the runner would, who is that user: nothing of root's may be in it.
        subprocess.run(["rm", "-r", str(job.tmpdir)], check=True, **job.user)
        self.check_nothing_left(job.tmpdir)

    def test_a_job_by_the_agents_sockets(self):
        self.play("direct")

    def test_a_job_that_leaves_files_of_roots_in_the_agents_directory(self):
        self.play("direct", "mkdir -p /.berth/run/x/y && chmod 700 /.berth/run/x && touch /.berth/run/x/y/z; cat file")

    def test_a_job_through_the_engine(self):
        self.play("exec")

    def test_berth_local(self):
        work = self.folder("work")
        (work / ".gitlab-ci.yml").write_text("small: {image: 'busybox:latest', script: [cat .gitlab-ci.yml]}\n")
        who = {} if self.user is None else {"user": UID, "group": GID, "extra_groups": self.user[2]}
        options = {"cwd": work, "env": self.environment, "stdin": subprocess.DEVNULL, **who}
        for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "x")):
            subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example", *words], check=True, **options)
        done = subprocess.run([BIN / "berth", "local", "--settings", self.settings], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300, **options)
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        self.assertIn(b"\nsmall: {image: ", done.stdout)
        self.assertEqual(self.files(self.state / "local/tmp"), [])
        self.check_nothing_left(self.state / "local")

    def test_a_user_outside_the_group_is_told(self):
        if self.user is None:
            self.skipTest("only root can start a program as a user outside the group")
        self.user = (UID, GID, [])
        job = self.attempt("direct")
        job.config().check(0)
        result = job.prepare().check(2)
        self.assertIn(ENGINE.path, result.text())
        self.assertIn("ermission denied", result.text())
        job.cleanup()


def main():
    global BIN, ENGINE
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        ENGINE = engine_api.Engine()
    except engine_api.NoEngine as error:
        return leave_out.leave_out(error)
    # Where that user can read them, wherever they were built.
    with tempfile.TemporaryDirectory(prefix="berth-bin-") as folder:
        os.chmod(folder, 0o755)
        BIN = pathlib.Path(folder)
        for name in PROGRAMS:
            shutil.copy(pathlib.Path(sys.argv[1]) / name, BIN)
        program = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], exit=False, verbosity=2)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
