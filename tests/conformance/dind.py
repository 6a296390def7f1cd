#!/usr/bin/env python3
"""What a job with a Docker daemon may rely on, whatever the backend, with nothing configured but privileges.

    dind.py BACKEND BIN_DIR [unittest arguments]      BACKEND: docker, docker-exec, kubernetes

Real daemons in docker:dind (tests/images/dind); their images are made of what the job has, as they can pull none.
"""
import os
import pathlib
import sys
import unittest

import backends
import play_runner
import suite

BACKEND = None
DIND = {"name": "docker:dind"}
# A tree of one static program makes an image: the agent itself.
IMPORT = "tar -C /.berth/bin -hc berth-agent | docker import - inner:1 >/dev/null && "
# Gives the job BusyBox, for inner images that are to serve something.
BUSYBOX = {"name": "busybox:latest", "alias": "tools", "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": "7000"}],
           "command": ["sh", "-c", "cp /bin/busybox /builds/busybox && exec nc -ll -p 7000 -e true"]}


def variables(**values):
    return [{"key": key, "value": value} for key, value in values.items()]


class Daemons(unittest.TestCase):
    def setUp(self):
        self.attempts = []
        self.before = BACKEND.leftovers()

    def tearDown(self):
        for attempt in self.attempts:
            if attempt.tmpdir.exists():
                attempt.cleanup().check(0)
                attempt.close()
        self.assertEqual([one for one in BACKEND.leftovers() if one not in self.before], [], "objects left behind")

    def attempt(self, services=(DIND,), image="docker:latest", job_variables=(), image_more=None, **settings):
        privileges = {"services_privileged": "true"} if BACKEND.suite == "docker" else {"privileged": "true"}
        job = play_runner.response(job_id=os.getpid(), image=image, services=services, variables=job_variables,
                                   image_more=image_more or {})
        job["job_info"]["project_id"] = backends.PROJECT
        one = BACKEND.attempt(job, **{**privileges, **settings})
        self.attempts.append(one)
        one.config().check(0)
        return one

    def ready(self, *arguments, **settings):
        one = self.attempt(*arguments, **settings)
        one.prepared = one.prepare().check(0)
        return one

    def output(self, job, script):
        return job.run("build_script", script).check(0).out.decode()

    def test_tls_without_a_word(self):
        job = self.ready()
        self.assertIn("Docker daemon of service 'docker:dind' is ready (TLS)", job.prepared.text())
        # The client's first try, by a plain shell: no entrypoint has set anything.
        out = self.output(job, "docker version --format '{{.Server.Os}}' && env | grep ^DOCKER_ | sort")
        self.assertEqual(out.splitlines()[0], "linux")
        for line in ("DOCKER_HOST=tcp://docker:2376", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=/certs/client"):
            self.assertIn(line, out.splitlines())
        # The port without TLS is shut, and nobody gets in without a certificate.
        job.run("build_script", "DOCKER_HOST=tcp://docker:2375 DOCKER_TLS_VERIFY= docker version").check(1)
        job.run("build_script", "DOCKER_CERT_PATH=/nowhere DOCKER_TLS_VERIFY= docker --tls=false version").check(1)

    def test_plain_where_the_job_says_so(self):
        for name, service, job_variables in (
                ("an empty directory", DIND, variables(DOCKER_TLS_CERTDIR="")),
                ("the old port", DIND, variables(DOCKER_HOST="tcp://docker:2375")),
                ("the service's command", {**DIND, "command": ["--tls=false"]}, ()),
                ("the service's variables", {**DIND, "variables": variables(DOCKER_TLS_CERTDIR="")}, ()),
                ("a daemon's own words", {**DIND, "command": ["dockerd", "--host=tcp://0.0.0.0:2375"]}, ())):
            with self.subTest(name):
                job = self.ready((service,), job_variables=job_variables)
                self.assertIn("is ready (without TLS)", job.prepared.text())
                out = self.output(job, "docker version --format '{{.Server.Os}}'; echo $DOCKER_HOST")
                self.assertEqual(out.split(), ["linux", "tcp://docker:2375"])
                job.cleanup().check(0)
                job.close()

    def test_localhost_as_in_a_pod(self):
        job = self.ready((DIND, BUSYBOX), job_variables=variables(DOCKER_HOST="tcp://localhost:2375"))
        out = self.output(job, "docker version --format '{{.Server.Os}}' && "
                          "tar -C /builds -c busybox | docker import - web:1 >/dev/null && "
                          "docker run -d -p 6060:8080 web:1 /busybox nc -ll -p 8080 -e /busybox echo inner >/dev/null && "
                          "for i in $(seq 100); do (exec 3<>/dev/tcp/localhost/6060 && head -n 1 <&3) 2>/dev/null && break; "
                          "sleep 0.1; done")
        self.assertEqual(out.split(), ["linux", "inner"])
        # By its address too, as inner containers would come back to the job.
        self.assertIn("inner", self.output(job, "(exec 3<>/dev/tcp/$(hostname -i | cut -d' ' -f1)/6060 && head -n 1 <&3)"))

    def test_inner_containers_see_the_checkout(self):
        job = self.ready()
        job.run("get_sources", "mkdir -p /builds/group/polls && echo checked-out > /builds/group/polls/file").check(0)
        out = self.output(job, f"cd /builds/group/polls && {IMPORT} "
                          "mkdir made && docker run --rm -v $PWD:/x inner:1 /berth-agent install /x/made && ls made && "
                          "printf 'FROM inner:1\\nCOPY file /\\nCMD [\"/berth-agent\", \"--version\"]\\n' > Dockerfile && "
                          "docker build -q -t built:1 . >/dev/null && docker run --rm built:1")
        self.assertIn("berth-agent", out.splitlines()[0])
        self.assertRegex(out.splitlines()[1], "^berth-agent .* protocol ")

    def test_an_image_without_docker_words_finds_it_too(self):
        # No entrypoint, no variable: what another image with a client in it would have.
        job = self.ready(image_more={"entrypoint": [""]})
        self.assertEqual(self.output(job, "env -u DOCKER_TLS_CERTDIR docker info --format '{{.OSType}}'").strip(), "linux")

    def test_what_the_job_sets_is_left_alone(self):
        job = self.ready(job_variables=variables(DOCKER_HOST="tcp://docker:2376", DOCKER_TLS_CERTDIR="/certs",
                                                 DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH="/certs/client"))
        self.assertEqual(self.output(job, "docker info --format '{{.OSType}}'").strip(), "linux")
        # The image's entrypoint would set what it finds certificates for.
        job = self.ready(job_variables=variables(DOCKER_HOST="tcp://elsewhere:4000"), image_more={"entrypoint": [""]})
        self.assertEqual(self.output(job, "echo $DOCKER_HOST $DOCKER_TLS_VERIFY").split(), ["tcp://elsewhere:4000"])

    def test_another_directory_of_certificates(self):
        job = self.ready(job_variables=variables(DOCKER_TLS_CERTDIR="/opt/tls"))
        self.assertEqual(self.output(job, "docker info --format '{{.OSType}}'; ls $DOCKER_CERT_PATH; ls /opt/tls").split(),
                         ["linux", "ca.pem", "cert.pem", "key.pem", "client"])

    def test_refused_where_nothing_allows_it(self):
        key, settings = (("docker.privileged", {"services_privileged": None}) if BACKEND.suite == "docker" else
                         ("kubernetes.privileged", {"privileged": None}))
        job = self.attempt(**{name: "false" for name in settings})
        result = job.prepare().check(1)
        lines = [line for line in result.text().splitlines() if "ERROR" in line]
        self.assertEqual(len(lines), 1, result.text())
        self.assertIn("docker:dind", lines[0])
        if BACKEND.suite == "docker":
            self.assertIn("docker.services_privileged", lines[0])
        else:
            self.assertIn(key, lines[0])
        self.assertEqual(BACKEND.containers(job.tmpdir), [])

    def test_a_daemon_that_dies_is_shown_with_the_likely_cause(self):
        job = self.ready(({**DIND, "command": ["--no-such-flag"]},))
        self.assertIn("unknown flag: --no-such-flag", job.prepared.text())
        self.assertIn("likely cause: its version does not know one of its arguments", job.prepared.text())
        job.run("build_script", "echo goes on").check(0)

    def test_a_daemon_that_dies_under_a_script_is_shown_when_it_fails(self):
        mortal = "dockerd-entrypoint.sh & until test -e /builds/end; do sleep 0.1; done; kill $!; wait; echo is gone; exit 3"
        job = self.ready(({**DIND, "entrypoint": ["sh", "-c", mortal]},))
        self.assertIn("is ready (TLS)", job.prepared.text())
        # A script that tries again for a while, as scripts do.
        result = job.run("build_script", "docker version >/dev/null; touch /builds/end; tries=0; until test $tries -gt 20; do "
                         "docker version >/dev/null 2>&1 || tries=$((tries + 1)); sleep 0.1; done; rm /builds/end; exit 9").check(1)
        self.assertEqual(job.exit_code().strip(), "9")
        self.assertIn("the Docker daemon of service 'docker:dind' ended with exit code 3", result.text())
        self.assertIn("is gone", result.text())

    def test_layers_are_kept_where_the_operator_says_so(self):
        if BACKEND.suite != "docker":
            self.skipTest("a volume of the operator's there")
        first = self.ready(docker_in_docker_keep_layers="true")
        self.output(first, f"{IMPORT} docker images -q")
        # Who comes while they are in use has others.
        beside = self.ready(docker_in_docker_keep_layers="true")
        self.assertEqual(self.output(beside, "docker images -q"), "")
        first.cleanup().check(0)
        first.close()
        next_one = self.ready(docker_in_docker_keep_layers="true")
        self.assertEqual(self.output(next_one, "docker images --format '{{.Repository}}:{{.Tag}}'"), "inner:1\n")

    def test_every_job_has_one_where_the_operator_says_so(self):
        job = self.ready((), docker_in_docker="always")
        self.assertEqual(self.output(job, "docker info --format '{{.OSType}}'; echo $DOCKER_HOST").split(),
                         ["linux", "tcp://docker:2376"])
        job.cleanup().check(0)
        job.close()
        # And not two.
        job = self.ready(({**DIND, "alias": "mine"},), docker_in_docker="always")
        self.assertEqual(job.prepared.text().count("is ready (TLS)"), 1)
        self.assertEqual(self.output(job, "docker info --format '{{.OSType}}'").strip(), "linux")

    def test_no_daemon_is_looked_for_where_the_operator_says_so(self):
        job = self.ready(docker_in_docker="never")
        self.assertEqual(self.output(job, "echo [$DOCKER_TLS_VERIFY] [$DOCKER_CERT_PATH]"), "[] []\n")

    def test_keys_are_nowhere_to_be_read(self):
        job = self.ready()
        key = "".join(self.output(job, "cat /certs/client/key.pem").splitlines()[1:-1])
        self.assertGreater(len(key), 100)
        texts = BACKEND.descriptions(job.tmpdir)
        self.assertGreater(len(texts), 0)
        for text in (*texts, job.prepared.text(), *(path.read_text() for path in job.tmpdir.glob("*.json"))):
            flat = text.replace("\\n", "").replace("\n", "")
            self.assertNotIn(key[:40], flat)
            self.assertNotIn("PRIVATE KEY", flat)
            self.assertNotIn("UFJJVkFURSBLRV", flat)

    def test_the_clients_key_is_for_any_user_the_servers_for_none(self):
        if BACKEND.suite != "docker":
            self.skipTest("users are the pod's there")
        job = self.ready(image_more={"executor_opts": {"docker": {"user": "1000"}, "kubernetes": {}}})
        self.assertEqual(self.output(job, "id -u; HOME=/tmp docker info --format '{{.OSType}}'; ls /certs").split(),
                         ["1000", "linux", "client"])

    def test_two_services_that_want_one_port(self):
        if BACKEND.suite != "docker":
            self.skipTest("a warning there: kubernetes_causes")
        web = {"name": "busybox:latest", "command": ["nc", "-ll", "-p", "8000", "-e", "true"],
               "variables": [{"key": "HEALTHCHECK_TCP_PORT", "value": "8000"}]}
        job = self.attempt(({**web, "alias": "one"}, {"name": "busybox", "alias": "two", **{k: web[k] for k in ("command", "variables")}}),
                           network="shared")
        result = job.prepare().check(1)
        for word in ("(one)", "(two)", "port 8000"):
            self.assertIn(word, result.text())


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)

    def use(backend):
        global BACKEND
        BACKEND = backend

    return suite.run(lambda: backends.make(sys.argv[1], pathlib.Path(sys.argv[2]).resolve()), use, sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
