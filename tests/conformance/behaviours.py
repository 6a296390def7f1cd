#!/usr/bin/env python3
"""What a job may rely on, whatever the backend: one list, run on each of them.

    behaviours.py BACKEND BIN_DIR [unittest arguments]      BACKEND: docker, docker-exec, kubernetes

Every case plays the runner with the four programs; none knows what the containers are made of.
Where the backend cannot be had here it ends with 125 (a skip for CTest), or fails if BERTH_REQUIRE names it.
"""
import hashlib
import os
import pathlib
import signal
import sys
import time
import unittest

import backends
import play_runner
import suite

BACKEND = None


def a_response(**more):
    body = play_runner.response(job_id=os.getpid(), **more)
    body["job_info"]["project_id"] = backends.PROJECT
    return body


class Behaviours(unittest.TestCase):
    def setUp(self):
        self.attempts = []
        # What an earlier case may have left is that case's failure alone.
        self.before = BACKEND.leftovers()

    def leftovers(self):
        return [one for one in BACKEND.leftovers() if one not in self.before]

    def tearDown(self):
        for attempt in self.attempts:
            if attempt.tmpdir.exists():
                attempt.cleanup().check(0)
                attempt.close()
        self.assertEqual(self.leftovers(), [], "objects left behind")

    def attempt(self, job=None, variables=None, **settings):
        one = BACKEND.attempt(job or a_response(), variables=variables, **settings)
        self.attempts.append(one)
        return one

    def ready(self, job=None, variables=None, **settings):
        one = self.attempt(job, variables, **settings)
        one.config().check(0)
        one.prepared = one.prepare().check(0)
        return one

    def finish(self, attempt):
        attempt.cleanup().check(0)
        attempt.close()

    # --- the way of a job ---------------------------------------------------------

    def test_prepare_run_cleanup(self):
        job = self.ready()
        self.assertIn(b"Running on", job.run("prepare_script", 'echo "Running on $(hostname)..."').check(0).out)
        job.run("get_sources", "mkdir -p /builds/group/polls && echo one > /builds/group/polls/file").check(0)
        result = job.run("build_script", "cd /builds/group/polls && cat file && echo two > /cache/kept").check(0)
        self.assertEqual(result.out, b"one\n")
        job.run("after_script", "echo after").check(0)
        job.run("archive_cache", "gitlab-runner --version && cat /cache/kept").check(0)
        job.run("cleanup_file_variables", "true").check(0)
        self.finish(job)
        self.assertEqual(self.leftovers(), [])

    def test_stages_run_where_docker_and_kubernetes_run_them(self):
        job = self.ready(a_response(image="busybox:latest"))
        where = "test -e /bin/busybox && echo build || echo helper"
        for stage, place in {"prepare_script": "helper", "get_sources": "helper", "restore_cache": "helper",
                             "download_artifacts": "helper", "build_script": "build", "step_release": "build",
                             "after_script": "build", "archive_cache": "helper", "archive_cache_on_failure": "helper",
                             "upload_artifacts_on_success": "helper", "upload_artifacts_on_failure": "helper",
                             "cleanup_file_variables": "helper", "a_stage_of_tomorrow": "build"}.items():
            with self.subTest(stage=stage):
                self.assertEqual(job.run(stage, where).check(0).out.decode().strip(), place)

    def test_exit_code_of_a_failing_script(self):
        job = self.ready()
        job.run("build_script", "exit 7").check(1)
        self.assertEqual(job.exit_code().strip(), "7")
        job.run("after_script", "exit 3").check(1)
        self.assertEqual(job.exit_code().strip(), "3")

    def test_a_failing_command_ends_the_script(self):
        job = self.ready()
        result = job.run("build_script", "echo before; false; echo behind").check(1)
        self.assertEqual(result.out, b"before\n")
        self.assertEqual(job.exit_code().strip(), "1")

    def test_a_shell_ended_by_a_signal(self):
        job = self.ready()
        # Not QUIT: bash ignores it.
        names = "HUP INT ILL ABRT FPE KILL USR1 SEGV PIPE ALRM TERM"
        for number in (*(signal.Signals[f"SIG{name}"].value for name in names.split()), 64):
            with self.subTest(signal=number):
                result = job.run("build_script", f"echo before; kill -{number} $$; echo behind", raw=True).check(1)
                self.assertEqual((result.out, job.exit_code().strip()), (b"before\n", str(128 + number)))

    def test_a_command_ended_by_a_signal(self):
        job = self.ready()
        for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM):
            with self.subTest(signal=number):
                job.run("build_script", f"sh -c 'kill -{number} $$'; echo behind").check(1)
                self.assertEqual(job.exit_code().strip(), str(128 + number))

    def test_cancel_ends_the_script_and_leaves_the_containers(self):
        job = self.ready()
        process = job.start_run("build_script", "echo started; (trap '' TERM; sleep 1000) & sleep 1000")
        self.assertEqual(process.stdout.readline(), b"started\n")
        result = play_runner.terminate(process)
        self.assertEqual(result.code, 2, result.text())
        left = job.run("after_script", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '").check(0)
        self.assertNotIn(b"sleep 1000", left.out)

    NO_TOOLS = "berth/no-tools:latest"
    # As an entrypoint's child the agent cannot signal the whole namespace at once.
    IN_BETWEEN = ["sh", "-c", '"$@"; exit $?', "entrypoint"]

    def family(self, job, mark):
        """The program of a stage with three generations of processes (tests/images/no-tools), all three running."""
        process = job.start_run("build_script", f"/family {mark}")
        self.assertEqual(process.stdout.readline(), b"started\n")
        self.assertEqual(len(backends.processes(mark)), 3, "the node's processes are looked for on this machine")
        return process

    def test_cancel_reaches_every_generation_in_an_image_without_tools(self):
        for case, entrypoint in {"first process": None, "below an entrypoint": self.IN_BETWEEN}.items():
            with self.subTest(case):
                job = self.ready(a_response(image=self.NO_TOOLS, entrypoint=entrypoint))
                mark = f"{job.tmpdir.name}-{case.replace(' ', '-')}"
                result = play_runner.terminate(self.family(job, mark))
                self.assertEqual(backends.processes(mark), [])
                self.assertEqual(result.code, 2, result.text())
                self.assertEqual(result.text().count("the second generation was told\n"), 1, result.text())
                job.run("after_script", "echo after").check(0)

    def test_the_scripts_own_words_stay_out_of_the_log_after_a_cancel(self):
        # A shell tells of a child that a signal ended by printing what the child ran: the whole script, its
        # variables with it. bash 5.2 does so for every signal but TERM, older and newer ones for that too.
        canary = "SCRIPT_BODY_CANARY_e3b0c442"
        body = f"echo started\n{canary}=true\n%s\nwhile :; do sleep 1000; done\n"
        quick = body % "trap 'echo caught-$((1 + 1)); exit 1' TERM"
        # What the rest of this case would see if a shell were left to tell of its child.
        told = self.ready().run("build_script", body % "kill -KILL $BASHPID").check(1)
        self.assertIn(canary, told.text())
        # Deaf to TERM: KILL follows.
        deaf = body % "trap '' TERM"
        cases = {"ends on TERM": (self.ready(), quick), "ends by KILL": (self.ready(), deaf),
                 "below an entrypoint": (self.ready(a_response(entrypoint=self.IN_BETWEEN)), deaf)}
        started = {}
        for case, (job, script) in cases.items():
            started[case] = job.start_run("build_script", script)
            self.assertEqual(started[case].stdout.readline(), b"started\n")
        # All three are told before any is waited for: they take their ten seconds together.
        for process in started.values():
            os.killpg(process.pid, signal.SIGTERM)
        for case, process in started.items():
            with self.subTest(case):
                out, err = process.communicate(timeout=60)
                text = (out + err).decode()
                self.assertEqual(process.returncode, 2, text)
                self.assertNotIn(canary, text)
                # What the script says to its end is its output all the same.
                self.assertEqual(text.count("caught-2"), 1 if case == "ends on TERM" else 0, text)

    def test_a_stage_whose_program_was_killed_gives_way_to_the_next(self):
        job = self.ready(a_response(image=self.NO_TOOLS))
        for number in (signal.SIGKILL, signal.SIGQUIT, signal.SIGABRT):
            with self.subTest(signal=number):
                mark = f"{job.tmpdir.name}-{number.name}"
                process = self.family(job, mark)
                process.send_signal(number)
                process.communicate()
                self.assertEqual(process.returncode, -number)
                self.assertEqual(job.run("after_script", "echo after").check(0).out, b"after\n")
                self.assertEqual(backends.processes(mark), [])

    def test_the_script_reads_end_of_file(self):
        job = self.ready()
        result = job.run("build_script", "if read -t 5 line; then echo \"got $line\"; else echo eof; fi").check(0)
        self.assertEqual(result.out, b"eof\n")

    def test_a_background_process_does_not_hold_the_stage(self):
        job = self.ready()
        job.run("build_script", "sleep 1000 & echo done", timeout=60).check(0)
        # It lives on, as on Kubernetes.
        job.run("after_script", "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -q 'sleep 1000'").check(0)

    # --- output ---------------------------------------------------------------------

    def test_output_keeps_its_order(self):
        job = self.ready()
        result = job.run("build_script", "for i in 1 2 3 4 5 6 7 8; do echo out $i; echo err $i >&2; done").check(0)
        expected = "".join(f"out {i}\nerr {i}\n" for i in range(1, 9))
        self.assertEqual(result.out.decode(), expected)

    def test_ten_megabytes_arrive_unchanged(self):
        job = self.ready()
        line = "0123456789abcdef" * 4 + "\n"
        count = 10_000_000 // len(line)
        result = job.run("build_script", f"awk 'BEGIN {{ for (i = 0; i < {count}; ++i) print \"{line.strip()}\" }}'").check(0)
        self.assertEqual(hashlib.sha256(result.out).hexdigest(), hashlib.sha256((line * count).encode()).hexdigest())

    def test_binary_output_and_a_line_without_end(self):
        job = self.ready()
        result = job.run("build_script", "printf '\\000\\377\\001\\r\\n'; head -c 1048576 /dev/zero | tr '\\0' x").check(0)
        self.assertEqual(result.out, b"\0\xff\1\r\n" + b"x" * 1048576)

    # --- failures ---------------------------------------------------------------------

    def test_out_of_memory_is_named(self):
        job = self.ready(memory="48m")
        result = job.run("build_script", "head -c 400m /dev/zero | tail | wc -c").check(1)
        self.assertIn("memory", result.err.decode().lower())
        job.run("cleanup_file_variables", "true").check(0)

    def test_a_full_disk_fails_the_script_alone(self):
        job = self.ready(shm_size=1048576)
        result = job.run("build_script", "head -c 10m /dev/zero > /dev/shm/big").check(1)
        self.assertIn(b"No space left", result.out + result.err)
        job.run("after_script", "rm /dev/shm/big; echo fine").check(0)

    def test_an_image_that_does_not_exist_blames_the_job(self):
        job = self.attempt(a_response(image="berth.invalid/no/such:image"))
        job.config().check(0)
        result = job.prepare()
        self.assertIn(result.code, (1, 2))
        self.assertIn("berth.invalid/no/such:image", result.text())

    def test_pull_policy_never_takes_only_what_is_there(self):
        job = self.attempt(a_response(image="no-such-image:here"), pull_policy="never")
        job.config().check(0)
        result = job.prepare()
        result.check(1)
        self.assertIn("no-such-image:here", result.text())
        self.finish(job)
        self.ready(a_response(image="busybox:latest"), pull_policy="never")

    def test_pull_policies_without_overlap_are_refused(self):
        job = self.attempt(a_response(image_more={"pull_policy": ["always"]}), pull_policy="never",
                           allowed_pull_policies="[never, if-not-present]")
        result = job.config()
        result.check(1)
        self.assertIn("pull", result.text())

    def test_an_image_without_a_shell_is_said_to_be_one(self):
        job = self.attempt(a_response(image="gcr.io/distroless/static-debian12:latest"))
        job.config().check(0)
        result = job.prepare()
        result.check(1)
        self.assertIn("shell", result.text())
        self.assertIn("distroless", result.text())

    # --- images ---------------------------------------------------------------------

    def test_an_entrypoint_is_kept_and_its_exports_reach_the_script(self):
        job = self.ready(a_response(entrypoint=["sh", "-c", 'export FROM_ENTRY=yes; exec "$0" "$@"']))
        self.assertEqual(job.run("build_script", "echo $FROM_ENTRY").check(0).out, b"yes\n")

    def test_an_entrypoint_that_swallows_its_arguments(self):
        job = self.attempt(a_response(entrypoint=["sh", "-c", "echo my own way; exit 5"]))
        job.config().check(0)
        result = job.prepare().check(1)
        for words in ("exit code 5", "my own way", 'entrypoint: [""]'):
            self.assertIn(words, result.text())

    def test_an_entrypoint_is_cleared(self):
        job = self.ready(a_response(image="docker:dind", entrypoint=[""]))
        job.run("build_script", "echo cleared").check(0)

    # --- users and their files --------------------------------------------------------

    CLONE = {"key": "GIT_STRATEGY", "value": "clone"}
    FETCH = {"key": "GIT_STRATEGY", "value": "fetch"}

    @staticmethod
    def umask_flags(value):
        return [{"key": f"FF_DISABLE_UMASK_FOR_{name}_EXECUTOR", "value": value} for name in ("DOCKER", "KUBERNETES")]

    @staticmethod
    def get_sources(job, body):
        return job.run("get_sources", body + play_runner.OWNERSHIP).check(0)

    def test_a_user_other_than_root_writes_in_the_checkout(self):
        for case, flags in {"by default": [], "told by the flag": self.umask_flags("true")}.items():
            with self.subTest(case):
                job = self.ready(a_response(image="berth/nonroot:latest", variables=[self.CLONE, *flags]))
                self.get_sources(job, "cd /builds; mkdir -p group/polls/sub group/polls.tmp; echo x > group/polls/sub/file; "
                                      "echo secret > group/polls.tmp/VARIABLE")
                result = job.run("build_script", "id -u; cd /builds/group/polls; stat -c %a . sub sub/file; echo y >> sub/file; "
                                                 "touch sub/new /cache/mine; echo again > ../polls.tmp/VARIABLE; cat sub/file; "
                                                 "find /builds/group -perm /022 ! -type l").check(0)
                uid, *rest = result.out.decode().split()
                self.assertNotEqual(uid, "0")
                self.assertEqual(rest, ["755", "755", "644", "x", "y"])
                job.run("archive_cache", "cat /builds/group/polls/sub/new; echo z > /builds/group/polls/sub/file").check(0)
                self.finish(job)

    def test_umask_0000_where_the_job_asks_for_it(self):
        job = self.ready(a_response(image="berth/nonroot:latest", variables=[self.CLONE, *self.umask_flags("false")]))
        self.get_sources(job, "mkdir -p /builds/group/polls; echo x > /builds/group/polls/file")
        result = job.run("build_script", "cd /builds/group/polls; stat -c '%a %u' . file; echo y >> file").check(0)
        self.assertEqual(result.out, b"777 0\n666 0\n")

    def as_user(self, user, variables):
        """A job whose image has git, as this user."""
        options = {"executor_opts": {"docker": {"user": user}, "kubernetes": {"user": user}}}
        return self.ready(a_response(image=backends.HELPER, entrypoint=[""], image_more=options, variables=variables))

    REPOSITORY = ("mkdir -p /builds/group/polls && cd /builds/group/polls && git init -q . && git add --all && "
                  "git -c user.name=x -c user.email=x@example.com commit -q --allow-empty -m first")

    def test_git_works_for_every_user(self):
        for case, flags in {"its own files": [], "files of the helper": self.umask_flags("false")}.items():
            with self.subTest(case):
                job = self.as_user("1000", [self.CLONE, *flags])
                self.get_sources(job, self.REPOSITORY)
                result = job.run("build_script", "export HOME=/tmp; id -u; cd /builds/group/polls; git log --format=%s; "
                                                 "git status --short; touch new").check(0)
                self.assertEqual(result.out, b"1000\nfirst\n")
                # What artifacts: untracked asks for.
                found = job.run("upload_artifacts_on_success", "cd /builds/group/polls; git ls-files --others").check(0)
                self.assertEqual(found.out, b"new\n")
                self.finish(job)

    def test_git_of_the_helper_works_whatever_the_job_tells_git(self):
        job = self.as_user("1000", [self.CLONE])
        self.get_sources(job, self.REPOSITORY)
        job.run("archive_cache", "export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.abbrev GIT_CONFIG_VALUE_0=12; "
                                 "cd /builds/group/polls; git status --short").check(0)

    def test_a_kept_checkout_changes_hands(self):
        if not BACKEND.keeps_checkouts:
            self.skipTest("/builds goes with the job")
        for user in ("1000", "0", "1001", "0", "0"):
            with self.subTest(user=user):
                job = self.as_user(user, [self.FETCH])
                self.get_sources(job, self.REPOSITORY)
                result = job.run("build_script", "export HOME=/tmp; cd /builds/group/polls; git status --short; "
                                                 "touch by-$(id -u) .git/index; stat -c %u . .git .git/HEAD").check(0)
                self.assertEqual(result.out.decode().split(), [user] * 3)
                job.run("cleanup_file_variables", play_runner.FORGET_OWNER).check(0)
                self.finish(job)
        job = self.as_user("0", [self.FETCH])
        job.run("get_sources", "test ! -e /builds/.gitlab-build-uid-gid; rm -rf /builds/group").check(0)

    # --- services ---------------------------------------------------------------------

    POSTGRES = {"name": "postgres:15", "alias": "db,database extra"}

    def test_services_answer_to_all_their_names(self):
        job = self.ready(a_response(services=[self.POSTGRES], variables=[
            {"key": "POSTGRES_PASSWORD", "value": "secret"}, {"key": "POSTGRES_DB", "value": "polls"}]))
        names = "for name in postgres db database extra; do (exec 3<>/dev/tcp/$name/5432) && echo $name; done"
        self.assertEqual(job.run("build_script", names).check(0).out.split(), [b"postgres", b"db", b"database", b"extra"])
        job.run("get_sources", "getent hosts postgres db").check(0)

    def test_services_see_each_other_and_the_job(self):
        server = {"name": "busybox:latest", "alias": "one", "command": ["nc", "-ll", "-p", "7000", "-e", "echo", "hello"]}
        asker = {"name": "busybox:latest", "alias": "two",
                 "command": ["sh", "-c", "until nc -w 1 one 7000 | grep hello; do :; done; exec nc -ll -p 7001 -e echo seen"]}
        job = self.ready(a_response(services=[server, asker]))
        script = "for i in $(seq 100); do (exec 3<>/dev/tcp/two/7001 && head -n 1 <&3) 2>/dev/null && break; sleep 0.1; done"
        self.assertIn(b"seen", job.run("build_script", script).check(0).out)

    def test_services_get_public_variables_and_their_own(self):
        service = {"name": "busybox:latest", "alias": "env", "command": ["sh", "-c", "env > /builds/env-of-service; exec sleep 1000"],
                   "variables": [{"key": "OWN", "value": "own-$PUBLIC"}, {"key": "OWN_SECRET", "value": "$PRIVATE"}]}
        job = self.ready(a_response(services=[service], variables=[
            {"key": "PUBLIC", "value": "pub"}, {"key": "PRIVATE", "value": "hush", "public": False}]))
        script = "for i in $(seq 100); do grep -q OWN= /builds/env-of-service 2>/dev/null && break; sleep 0.1; done; cat /builds/env-of-service"
        lines = job.run("build_script", script).check(0).out.decode().split("\n")
        self.assertIn("OWN=own-pub", lines)
        self.assertIn("OWN_SECRET=hush", lines)
        self.assertIn("PUBLIC=pub", lines)
        self.assertNotIn("PRIVATE=hush", lines)

    def test_a_service_of_the_settings_gets_what_they_give_it(self):
        service = ('[{name: "busybox:latest", alias: env, environment: ["OWN=own-$PUBLIC"], '
                   'command: [sh, -c, "env > /builds/env-of-service; exec sleep 1000"]}]')
        job = self.ready(a_response(variables=[self.CLONE, {"key": "PUBLIC", "value": "pub"}]), services=service)
        script = "for i in $(seq 100); do grep -q OWN= /builds/env-of-service 2>/dev/null && break; sleep 0.1; done; cat /builds/env-of-service"
        self.assertIn("OWN=own-pub", job.run("build_script", script).check(0).out.decode().split("\n"))

    def test_the_build_container_starts_with_public_variables_only(self):
        job = self.ready(a_response(variables=[{"key": "PUBLIC", "value": "pub"},
                                               {"key": "PRIVATE", "value": "hush", "public": False}]))
        out = job.run("build_script", "echo [$PUBLIC] [$PRIVATE] [$BERTH_AGENT]").check(0).out
        self.assertEqual(out, b"[pub] [] []\n")

    def test_a_dead_service_is_shown_and_the_job_goes_on(self):
        job = self.ready(a_response(services=[{"name": "postgres:15", "alias": "db"}]))
        text = job.prepared.text()
        self.assertIn("postgres:15", text)
        self.assertIn("POSTGRES_PASSWORD", text, "the service's own last words")
        job.run("build_script", "echo goes on").check(0)

    def test_a_failure_that_the_field_knows_gets_one_hint(self):
        job = self.ready(a_response(services=[{"name": "postgres:15", "alias": "db"}]))
        self.assertNotIn("HINT", job.prepared.text())
        self.assertNotIn("HINT", job.run("build_script", "docker version || true").check(0).text())
        text = job.run("build_script", "docker version").check(1).text()
        hints = [line for line in text.splitlines() if "HINT: " in line]
        self.assertEqual(len(hints), 2, text)
        self.assertIn("no docker client", hints[0])
        self.assertIn("service 'postgres:15'", hints[1])
        self.assertIn("service_compat: true", hints[1])
        self.assertNotIn("HINT", job.run("after_script", "docker version").check(1).text())

    def test_service_compat_lets_an_old_pipeline_have_its_database(self):
        BACKEND.common.append("service_compat: true")
        self.addCleanup(BACKEND.common.remove, "service_compat: true")
        job = self.ready(a_response(services=[{"name": "postgres:15", "alias": "db"}],
                                    variables=[{"key": "POSTGRES_PASSWORD", "value": ""}]))
        self.assertIn("POSTGRES_HOST_AUTH_METHOD=trust (service_compat)", job.prepared.text())
        job.run("build_script", "exec 3<>/dev/tcp/db/5432").check(0)

    def test_a_service_that_is_never_ready_is_a_warning(self):
        service = {"name": "busybox:latest", "alias": "late", "command": ["sh", "-c", "echo not yet; exec sleep 1000"],
                   "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": "4242"}]}
        job = self.ready(a_response(services=[service]), wait_for_services_timeout=1)
        for words in ("busybox:latest", "4242", "not yet"):
            self.assertIn(words, job.prepared.text())
        job.run("build_script", "echo goes on").check(0)

    def test_services_are_not_waited_for_when_told_so(self):
        service = {"name": "busybox:latest", "alias": "late", "command": ["sleep", "1000"],
                   "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": "4242"}]}
        job = self.ready(a_response(services=[service]), wait_for_services_timeout=-1)
        self.assertNotIn("4242", job.prepared.text())

    def test_a_service_with_a_bad_command_blames_the_job(self):
        job = self.attempt(a_response(services=[{"name": "busybox:latest", "alias": "x", "command": ["/no/such/program"]}]))
        job.config().check(0)
        result = job.prepare().check(1)
        self.assertIn("/no/such/program", result.text())
        self.assertIn("busybox:latest", result.text())

    def test_entrypoint_and_command_of_a_service(self):
        service = {"name": "busybox:latest", "alias": "web", "entrypoint": ["sh", "-c"],
                   "command": ["exec nc -ll -p 7002 -e echo from-entrypoint"],
                   "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": "7002"}]}
        job = self.ready(a_response(services=[service]))
        self.assertIn(b"from-entrypoint", job.run("build_script", "exec 3<>/dev/tcp/web/7002; head -n 1 <&3").check(0).out)

    # --- cleaning up --------------------------------------------------------------------

    def test_cleanup_twice(self):
        job = self.ready()
        job.cleanup().check(0)
        job.cleanup().check(0)
        job.close()

    def test_cleanup_without_state(self):
        job = self.ready(a_response(services=[{"name": "busybox:latest", "alias": "x", "command": ["sleep", "1000"]}]))
        for name in ("plan.json", "sandbox.json"):
            (job.tmpdir / name).unlink()
        self.finish(job)
        self.assertEqual(self.leftovers(), [])

    def test_cleanup_with_damaged_state(self):
        job = self.ready()
        for name in ("plan.json", "sandbox.json"):
            (job.tmpdir / name).write_text('{"version": 1, "jo')
        self.finish(job)
        self.assertEqual(self.leftovers(), [])

    def test_cleanup_of_an_unknown_job(self):
        job = self.attempt()
        job.cleanup().check(0)
        job.config().check(0)
        self.finish(job)

    def test_another_attempt_after_a_killed_preparation(self):
        first = self.attempt()
        first.config().check(0)
        process = first.start("berth-prepare")
        deadline = time.monotonic() + 60
        while not (first.tmpdir / "unfinished").exists() and time.monotonic() < deadline:
            pass
        process.kill()
        process.communicate()
        self.finish(first)
        second = self.ready()
        second.run("build_script", "echo second").check(0)

    def test_leftovers_of_a_killed_runner_go_with_the_next_job(self):
        first = self.ready()
        self.assertTrue(BACKEND.leftovers(first.tmpdir))
        first.close()
        second = self.ready()
        self.assertEqual(BACKEND.leftovers(first.tmpdir), [])
        second.run("build_script", "true").check(0)

    def test_a_checkout_is_kept_for_fetch_and_held_by_one_job(self):
        fetch = [{"key": "GIT_STRATEGY", "value": "fetch"}]
        mark = f"mark-{os.getpid()}"
        first = self.ready(a_response(variables=fetch))
        first.run("get_sources", f"echo kept > /builds/{mark}").check(0)
        beside = self.ready(a_response(variables=fetch))
        beside.run("get_sources", f"test ! -e /builds/{mark}").check(0)
        self.finish(first)
        self.finish(beside)
        again = self.ready(a_response(variables=fetch))
        # Where /builds lives with the job there is nothing to take over, and nothing to mix up.
        kept = f"cat /builds/{mark} && rm /builds/{mark}" if BACKEND.keeps_checkouts else f"test ! -e /builds/{mark}"
        again.run("get_sources", kept).check(0)

    def test_nothing_is_kept_for_clone(self):
        clone = [{"key": "GIT_STRATEGY", "value": "clone"}]
        first = self.ready(a_response(variables=clone))
        first.run("get_sources", "echo x > /builds/not-kept").check(0)
        self.finish(first)
        self.ready(a_response(variables=clone)).run("get_sources", "test ! -e /builds/not-kept").check(0)


def use(backend):
    global BACKEND
    BACKEND = backend


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    return suite.run(lambda: backends.make(sys.argv[1], pathlib.Path(sys.argv[2]).resolve()),
                     use, sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
