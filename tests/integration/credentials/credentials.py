#!/usr/bin/env python3
"""Credentials in CI variables, in jobs: found, told of, handed out, masked, and what scripts make of them.

    credentials.py BACKEND BIN_DIR [unittest arguments]      BACKEND: docker, docker-exec, kubernetes
"""
import base64
import hashlib
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(ROOT / "support")]
import backends  # noqa: E402
import play_runner  # noqa: E402
import samples  # noqa: E402
import suite  # noqa: E402

BACKEND = None
MEMORY = "/run/berth/credentials"


def masked(key, value, **more):
    return {"key": key, "value": value, "public": False, "masked": True, **more}


class Jobs(unittest.TestCase):
    def attempt(self, variables, image="busybox:latest", credentials=(), **more):
        """A job that is prepared; `credentials`: lines of that section of the settings."""
        BACKEND.common = ["credentials:", *(f"  {line}" for line in credentials)] if credentials else []
        body = play_runner.response(job_id=os.getpid(), image=image, variables=variables, **more)
        body["job_info"]["project_id"] = backends.PROJECT
        job = BACKEND.attempt(body)
        self.addCleanup(lambda: job.tmpdir.exists() and self.finish(job))
        for one in variables:
            if one.get("file"):
                # The runner gives drivers the content.
                job.variables[one["key"]] = one["value"]
        job.config().check(0)
        return job

    def ready(self, variables, **more):
        job = self.attempt(variables, **more)
        job.prepared = job.prepare().check(0)
        return job

    @staticmethod
    def finish(job):
        job.cleanup().check(0)
        job.close()

    def run_with(self, job, variables, text, stage="build_script"):
        return job.run(stage, samples.exports(variables) + text)


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Pitfalls(Jobs):
    """What scripts make of variables by themselves, beside what comes of the same scripts with Berth's help."""

    def setUp(self):
        self.token = samples.new_secret()
        self.text = samples.kubeconfig(self.token)
        # So that its base64 needs padding.
        if len(self.text) % 3 == 0:
            self.text += "#\n"
        line = samples.one_line(self.text)
        self.assertTrue(line.endswith("="))
        self.assertTrue("+" in line and "/" in line)
        self.values = {
            "WRAPPED_KUBECONFIG": samples.wrapped(self.text),
            "CRLF_KUBECONFIG": samples.wrapped(self.text, end="\r\n"),
            "URL_KUBECONFIG": base64.urlsafe_b64encode(self.text.encode()).decode(),
            "UNPADDED_KUBECONFIG": line.rstrip("="),
            "TWICE_KUBECONFIG": samples.one_line(line + "\n"),
            "RAW_KUBECONFIG": self.text,
        }
        self.variables = [masked(key, value) for key, value in self.values.items()]
        self.variables.append(masked("FILE_KUBECONFIG", self.text, file=True))

    # (variable, the script's command, {image: what it makes alone}, what it makes with Berth)
    # same: the file, exit status 0; late: the file, but a failure; else something else.
    TABLE = [
        ("WRAPPED_KUBECONFIG", "echo $WRAPPED_KUBECONFIG | base64 -d", ("broken", "same"), "same"),
        ("CRLF_KUBECONFIG", 'echo "$CRLF_KUBECONFIG" | base64 -d', ("broken", "same"), "same"),
        ("URL_KUBECONFIG", 'echo "$URL_KUBECONFIG" | base64 -d', ("broken", "broken"), None),
        ("UNPADDED_KUBECONFIG", 'echo "$UNPADDED_KUBECONFIG" | base64 -d', ("late", "broken"), None),
        ("TWICE_KUBECONFIG", 'echo "$TWICE_KUBECONFIG" | base64 -d', ("wrong", "wrong"), None),
        ("RAW_KUBECONFIG", 'echo "$RAW_KUBECONFIG" | base64 -d', ("broken", "broken"), None),
        ("FILE_KUBECONFIG", 'echo "$FILE_KUBECONFIG" | base64 -d', ("broken", "broken"), None),
    ]

    def outcomes(self, job):
        """By variable: what its script made, and what Berth has put beside it."""
        text = "set +e\n"
        for name, command, _, _ in self.TABLE:
            text += (f"{command} > /tmp/out 2>/dev/null; code=$?\n"
                     f"echo {name} $code $(sha256sum < /tmp/out) $(cat {MEMORY}/{name} 2>/dev/null | sha256sum)\n")
        found = {}
        for line in self.run_with(job, self.variables, text).check(0).out.decode().splitlines():
            name, code, made, _, given, _ = line.split()
            same = made == sha(self.text)
            how = ("same" if same else "wrong") if code == "0" else ("late" if same else "broken")
            found[name] = (how, given == sha(self.text))
        return found

    def test_each_on_gnu_and_busybox(self):
        for column, image in enumerate(("debian:bookworm", "busybox:latest")):
            alone = self.outcomes(self.ready(self.variables, image=image, credentials=["recognise: off"]))
            helped = self.outcomes(self.ready(self.variables, image=image))
            for name, _, expected, with_berth in self.TABLE:
                with self.subTest(image=image, variable=name):
                    naive = expected[column]
                    # Which of two wrong things a version of base64 makes is its own affair.
                    kind = {"wrong": "broken"}
                    self.assertEqual(kind.get(alone[name][0], alone[name][0]), kind.get(naive, naive))
                    self.assertFalse(alone[name][1])
                    self.assertEqual(helped[name][0], with_berth or alone[name][0])
                    self.assertTrue(helped[name][1], "the file that Berth hands out")

    def test_one_line_says_so(self):
        job = self.ready(self.variables)
        text = job.prepared.text()
        for name in ("WRAPPED_KUBECONFIG", "CRLF_KUBECONFIG"):
            self.assertRegex(text, f"credential {name}: .*: scripts get it in one line")
        self.assertEqual(text.count("in one line"), 2)
        self.assertNotIn(self.token, text)
        self.finish(job)
        job = self.ready(self.variables, credentials=["normalise: false"])
        self.assertNotIn("in one line", job.prepared.text())
        self.assertEqual(self.outcomes(job)["WRAPPED_KUBECONFIG"], ("same", True))  # BusyBox

    def test_a_decoded_value_is_masked_and_so_is_a_trace_of_it(self):
        variables = [masked("KUBE_CONFIG", samples.one_line(self.text))]
        script = 'config=$(echo "$KUBE_CONFIG" | base64 -d); echo "$config"; set -x; : "$config"'
        for image in ("debian:bookworm", "busybox:latest"):
            alone = self.ready(variables, image=image, credentials=["mask: false"])
            self.assertIn(self.token.encode(), self.run_with(alone, variables, script).check(0).out)
            self.finish(alone)
            result = self.run_with(self.ready(variables, image=image), variables, script).check(0)
            self.assertNotIn(self.token.encode(), result.out + result.err)
            self.assertEqual(result.out.count(b"token: [MASKED]"), 2)

    def test_what_a_script_decodes_never_touches_the_disk(self):
        variables = [masked("KUBE_CONFIG", samples.one_line(self.text)),
                     {"key": "KUBECONFIG", "value": "/root/.kube/config"}]
        script = ('mkdir -p "$(dirname $KUBECONFIG)"; echo "$KUBE_CONFIG" | base64 -d > $KUBECONFIG\n'
                  'cd "$(dirname $KUBECONFIG)" && df -P . | tail -n 1 && sha256sum < config')
        for image in ("debian:bookworm", "busybox:latest"):
            for credentials, kept in (((), True), (["shield_kubeconfig: false"], False)):
                job = self.ready(variables, image=image, credentials=credentials)
                out = self.run_with(job, variables, script).check(0).out.decode()
                self.assertIn(sha(self.text), out)
                self.assertEqual(MEMORY in out, kept, out)
                self.finish(job)
        job = self.ready(variables, credentials=["shield_kubeconfig: false", "shield_paths: [/root/.kube]"])
        out = self.run_with(job, variables, script).check(0).out.decode()
        self.assertIn("/root/.kube\n", out)
        self.finish(job)
        # Also for what nobody recognises.
        job = self.ready([], credentials=["shield_paths: [/root/.kube]"])
        self.assertIn("/root/.kube\n", self.run_with(job, [], "df -P /root/.kube | tail -n 1").check(0).out.decode())
        self.finish(job)

    def test_the_wrong_thing_is_told_of_before_a_script_runs(self):
        contextless = masked("KUBE_CONFIG", samples.one_line(samples.kubeconfig(self.token, context="staging")))
        cut = masked("KUBE_CONFIG_2", samples.one_line(self.text)[:200])
        job = self.ready([contextless, cut])
        text = job.prepared.text()
        self.assertRegex(text, "WARNING: credential KUBE_CONFIG: it will not work: ")
        self.assertRegex(text, "WARNING: credential KUBE_CONFIG_2: (truncated|it will not work)")
        job.run("build_script", "echo runs").check(0)
        self.finish(job)
        job = self.attempt([contextless], credentials=["on_invalid: fail"])
        failed = job.prepare().check(1)
        self.assertIn("job error: credential KUBE_CONFIG: it will not work: ", failed.text())
        # One that the job has nothing to do with stops it as little as no credential does.
        job = self.ready([{"key": "SOME", "value": samples.one_line(samples.kubeconfig(self.token, "staging"))}],
                         credentials=["on_invalid: fail"])
        job.run("build_script", "echo runs").check(0)


class Delivery(Jobs):
    def test_files_for_the_jobs_user_alone(self):
        key = samples.private_key()
        variables = [masked("KUBE_CONFIG", samples.one_line(samples.kubeconfig(samples.new_secret()))),
                     masked("GCP_SA_KEY", samples.one_line(samples.service_account(key))),
                     masked("DOCKER_CONFIG_JSON", samples.docker_config("me", samples.new_secret())),
                     masked("SSH_KEY_FILE", "/where/the/job/says")]
        for image, user in (("debian:bookworm", "0"), ("berth/nonroot:latest", None)):
            job = self.ready(variables, image=image)
            look = (f"id -u; stat -c '%a %u %s' {MEMORY}/KUBE_CONFIG {MEMORY}/GCP_SA_KEY {MEMORY}/DOCKER_CONFIG_JSON/*\n"
                    "echo $KUBECONFIG; echo $GOOGLE_APPLICATION_CREDENTIALS\n"
                    "echo $CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE; echo $DOCKER_CONFIG\n"
                    f"grep ' {MEMORY} ' /proc/mounts | cut -d' ' -f3; cat $KUBECONFIG | wc -c")
            lines = self.run_with(job, variables, look).check(0).out.decode().split("\n")
            own = user or lines[0]
            sizes = [str(len(samples.kubeconfig(samples.new_secret()))), str(len(samples.service_account(key)))]
            self.assertEqual(lines[1:3], [f"400 {own} {size}" for size in sizes])
            self.assertTrue(lines[3].startswith(f"400 {own} "))
            self.assertEqual(lines[4:8], [f"{MEMORY}/KUBE_CONFIG", *[f"{MEMORY}/GCP_SA_KEY"] * 2,
                                          f"{MEMORY}/DOCKER_CONFIG_JSON"])
            self.assertEqual(lines[8], "tmpfs")
            # The helper, which runs none of the job's words, has none of it.
            helper = job.run("get_sources", f"ls {MEMORY} 2>&1 || true").check(0).out.decode()
            self.assertNotIn("KUBE_CONFIG", helper)
            self.finish(job)

    def test_what_the_job_sets_stays(self):
        variables = [masked("KUBE_CONFIG", samples.one_line(samples.kubeconfig(samples.new_secret()))),
                     {"key": "KUBECONFIG", "value": "mine"}]
        job = self.ready(variables)
        out = self.run_with(job, variables, "echo $KUBECONFIG").check(0).out
        self.assertEqual(out, b"mine\n")

    def test_scope(self):
        variables = [masked("KUBE_CONFIG", samples.wrapped(samples.kubeconfig(samples.new_secret())))]
        rule = ["scope:", '  - variables: ["KUBE_*"]', "    projects: [other/project]"]
        job = self.ready(variables, credentials=rule)
        self.assertIn("out of its scope", job.prepared.text())
        out = self.run_with(job, variables, f"{{ ls {MEMORY} 2>/dev/null || true; }} | wc -l; echo \"[$KUBECONFIG]\"").check(0).out
        self.assertEqual(out, b"0\n[]\n")


class Masking(Jobs):
    def test_nothing_of_it_is_shown_in_any_encoding(self):
        token, password, key = samples.new_secret(), samples.new_secret(), samples.private_key()
        config, account = samples.kubeconfig(token), samples.service_account(key)
        docker = samples.docker_config("deployer", password)
        variables = [masked("KUBE_CONFIG", samples.wrapped(config)), masked("GCP_SA_KEY", samples.one_line(account)),
                     masked("DOCKER_AUTH_CONFIG", docker), masked("DEPLOY_KEY", key, file=True)]
        job = self.ready(variables, image="debian:bookworm")
        lines = key.splitlines()[1:-1]
        pair = base64.b64encode(f"deployer:{password}".encode()).decode()
        printed = [text for secret in (token, password, pair) for _, text in samples.encodings(secret)]
        printed += [text for line in lines for how, text in samples.encodings(line) if "base64" not in how]
        whole = [text for how, text in samples.encodings(key) if "base64" in how]
        printed += [*whole, config, account, docker, key]
        script = "cat <<'END'\n" + "\n".join(printed) + "\nEND\n"
        # Wrapped, and slowly: a cut anywhere.
        script += f"base64 {MEMORY}/GCP_SA_KEY\nfor part in " + " ".join(
            [token[:7], token[7:], password[:11], password[11:]]) + "; do printf %s \"$part\"; sleep 0.05; done; echo\n"
        for stage in ("build_script", "after_script"):
            result = self.run_with(job, variables, script, stage).check(0)
            text = result.out.decode()
            for secret in (token, password, pair, *lines):
                self.assertNotIn(secret[:20], text)
            for secret in (token, password, pair):
                for how, form in samples.encodings(secret):
                    # What stands around it is the form's own.
                    self.assertNotIn(form[4:-4] if "base64" in how else secret, text, how)
            for form in whole:
                inside = form[40:-40]
                for at in range(0, len(inside) - 32, 8):
                    self.assertNotIn(inside[at:at + 32], text)
            self.assertGreater(text.count("[MASKED]"), len(printed) - 10)

    def test_a_hundred_megabytes_are_byte_identical(self):
        job = self.ready([masked("KUBE_CONFIG", samples.one_line(samples.kubeconfig(samples.new_secret())))])
        command = "seq 1 12400000"
        result = job.run("build_script", command, timeout=600).check(0)
        local = subprocess.run(command.split(), check=True, capture_output=True).stdout
        self.assertGreater(len(local), 100_000_000)
        self.assertEqual(hashlib.sha256(result.out).digest(), hashlib.sha256(local).digest())

    def test_a_job_adds_masks(self):
        job = self.ready([])
        word = samples.new_secret()
        out = job.run("build_script", f"echo '::add-mask::{word}'; echo \"a {word}\"").check(0).out.decode()
        self.assertEqual(out, "::add-mask::[MASKED]\na [MASKED]\n")
        self.assertEqual(job.run("after_script", f"echo '{word}'").check(0).out, b"[MASKED]\n")
        kept = [path for path in job.tmpdir.rglob("*") if path.is_file() and path.name != "script"]
        for path in kept:
            self.assertNotIn(word.encode(), path.read_bytes(), path)


class Artifacts(Jobs):
    def test_a_secret_in_them_is_found_before_they_are_uploaded(self):
        token = samples.new_secret()
        variables = [masked("KUBE_CONFIG", samples.one_line(samples.kubeconfig(token)))]
        artifacts = [{"name": "dist", "paths": ["dist/"], "exclude": ["dist/left/**/*"], "artifact_type": "archive",
                      "artifact_format": "zip", "when": "always"}]
        fill = (f"rm -rf $CI_PROJECT_DIR/dist $CI_PROJECT_DIR/beside; mkdir -p $CI_PROJECT_DIR/dist/left; cd $CI_PROJECT_DIR/dist; echo fine > good\n"
                f"echo 'token: {token}' > left/out; echo 'token: {token}' > ../beside\n")
        where = "export CI_PROJECT_DIR=/builds/group/polls\n"
        for mode, code in (("warn", 0), ("fail", 1)):
            job = self.ready(variables, artifacts=artifacts, credentials=[f"scan_artifacts: {mode}"])
            job.run("build_script", where + fill).check(0)
            self.assertNotIn("WARNING", job.run("upload_artifacts_on_success", "echo up").check(0).text())
            job.run("build_script", where + fill + f"echo '{samples.one_line('x' + token)}' > bad").check(0)
            result = job.run("upload_artifacts_on_success", "echo up").check(code)
            self.assertIn("artifact 'dist/bad' has a secret", result.text())
            self.assertEqual(result.text().count("has a secret"), 1)
            self.assertEqual(b"up\n" in result.out, mode == "warn")
            self.finish(job)


class Costs(Jobs):
    def test_a_job_without_credentials_has_nothing_of_it(self):
        job = self.ready([masked("PASSWORD", "correct horse battery staple")])
        text = (job.tmpdir / "sandbox.json").read_text()
        self.assertNotIn("memory:", text)
        self.assertNotIn("export", text)
        self.assertNotIn("credential", job.prepared.text())
        out = job.run("build_script", f"test -e {MEMORY} || echo none").check(0).out
        self.assertEqual(out, b"none\n")


def use(backend):
    global BACKEND
    BACKEND = backend


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    return suite.run(lambda: backends.make(sys.argv[1], pathlib.Path(sys.argv[2]).resolve()), use, sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
