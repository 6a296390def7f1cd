#include "executor/dind/daemon.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using dind::Daemon;
using dind::Mode;
using dind::plan_daemon;
using dind::ServiceFacts;
using dind::Words;
using Pairs = std::vector<std::pair<std::string, std::string>>;

namespace {

ServiceFacts official(Words environment = {}, Words command = {}) {
  return {.image = "docker:dind",
          .command = std::move(command),
          .environment = std::move(environment),
          .config = dind::ImageConfig{.entrypoint = {"dockerd-entrypoint.sh"},
                                      .environment = {"DOCKER_TLS_CERTDIR=/certs"},
                                      .exposed_ports = {"2376/tcp"}}};
}

core::Variables job(std::vector<core::Variable> all) {
  return core::Variables(std::move(all));
}

}  // namespace

TEST_CASE("dind: TLS where nobody says anything") {
  const Daemon daemon = plan_daemon(official(), "", {});
  CHECK(daemon == Daemon{.mode = Mode::tls,
                         .port = 2376,
                         .cert_dir = "/certs",
                         .environment = {{"DOCKER_TLS_CERTDIR", "/certs"}},
                         .command = {}});
  CHECK(dind::client_environment(daemon, "docker", job({})) ==
        Pairs{{"DOCKER_HOST", "tcp://docker:2376"},
              {"DOCKER_TLS_VERIFY", "1"},
              {"DOCKER_CERT_PATH", "/certs/client"}});
  CHECK(plan_daemon(official({"DOCKER_TLS_CERTDIR=/tmp/c/"}), "", {}).cert_dir == "/tmp/c");
  CHECK(plan_daemon(official(), "tcp://docker:2376", {}).mode == Mode::tls);
}

TEST_CASE("dind: plain where the job or the service says so") {
  const Daemon plain{.mode = Mode::plain,
                     .port = 2375,
                     .cert_dir = {},
                     .environment = {{"DOCKER_TLS_CERTDIR", ""}},
                     .command = {"--tls=false"}};
  CHECK(plan_daemon(official({"DOCKER_TLS_CERTDIR="}), "", {}) == plain);
  CHECK(plan_daemon(official(), "tcp://localhost:2375", {}) == plain);
  CHECK(plan_daemon(official(), "tcp://docker:2375/", {}) == plain);
  CHECK(plan_daemon(official({}, {"--tls=false"}), "", {}) ==
        Daemon{plain.mode, plain.port, {}, plain.environment, {}});
  CHECK(plan_daemon(official({}, {"--debug"}), "tcp://docker:2375", {}).command ==
        Words{"--debug", "--tls=false"});
  CHECK(dind::client_environment(plain, "docker", job({})) ==
        Pairs{{"DOCKER_HOST", "tcp://docker:2375"}});
  CHECK(plan_daemon(official({"DOCKER_TLS_CERTDIR=", "DOCKER_TLS_VERIFY=1"}), "", {}).environment ==
        Pairs{{"DOCKER_TLS_CERTDIR", ""}, {"DOCKER_TLS_VERIFY", ""}});
  ServiceFacts old = official();
  old.config->environment.clear();
  CHECK(plan_daemon(old, "", {}) == plain);
}

TEST_CASE("dind: what is known of an image by its name alone") {
  ServiceFacts named{.image = "docker:dind"};
  CHECK(plan_daemon(named, "", {}).mode == Mode::tls);
  for (const char* old : {"docker:1.13-dind", "docker:17.12-dind", "docker:18.06.3-ce-dind"}) {
    named.image = old;
    CHECK(plan_daemon(named, "", {}).mode == Mode::plain);
  }
  for (const char* later : {"docker:18.09-dind", "docker:19.03.1-dind", "docker:stable-dind",
                            "docker:18-dind", "docker:28-dind"}) {
    named.image = later;
    CHECK(plan_daemon(named, "", {}).mode == Mode::tls);
  }
}

TEST_CASE("dind: a daemon with listeners of its own") {
  Daemon daemon = plan_daemon(
      official({}, {"dockerd", "--host=unix:///var/run/docker.sock", "--host=tcp://0.0.0.0:4000"}),
      "", {});
  CHECK(daemon.mode == Mode::plain);
  CHECK(daemon.port == 4000);
  CHECK(daemon.command.back() == "--tls=false");
  CHECK(daemon.environment.empty());
  daemon = plan_daemon(official({}, {"dockerd", "-H", "unix:///run/docker.sock"}), "", {});
  CHECK(daemon.mode == Mode::own);
  CHECK(daemon.port == 0);
  CHECK(dind::client_environment(daemon, "docker", job({})).empty());
  daemon = plan_daemon(official({}, {"dockerd", "-H=tcp://0.0.0.0:2376", "--tlsverify",
                                     "--tlscacert=/certs/server/ca.pem"}),
                       "", {});
  CHECK(daemon.mode == Mode::tls);
  CHECK(daemon.cert_dir == "/certs");
  daemon = plan_daemon(official({}, {"dockerd", "-Htcp://0.0.0.0:2376", "--tlsverify",
                                     "--tlscacert", "/mine/ca.pem"}),
                       "", {});
  CHECK(daemon.mode == Mode::own);
  CHECK(daemon.port == 2376);
  // A shell's words cannot be added to.
  ServiceFacts shell{.image = "x", .entrypoint = {"sh", "-c", "dockerd -H tcp://0.0.0.0:2375"}};
  daemon = plan_daemon(shell, "", {.mtu = 1400});
  CHECK(daemon.mode == Mode::plain);
  CHECK(daemon.port == 2375);
  CHECK(daemon.command.empty());
}

TEST_CASE("dind: what the network asks of it") {
  const dind::NetworkNeeds needs{.mtu = 1450, .dns = {"10.0.0.2", "10.0.0.3"}};
  CHECK(plan_daemon(official(), "", needs).command ==
        Words{"--mtu=1450", "--dns=10.0.0.2", "--dns=10.0.0.3"});
  CHECK(plan_daemon(official({}, {"--mtu", "1300", "--dns=1.1.1.1"}), "", needs).command.empty());
}

TEST_CASE("dind: what the job has set is left alone") {
  const Daemon daemon = plan_daemon(official(), "", {});
  CHECK(dind::client_environment(
            daemon, "docker",
            job({{"DOCKER_HOST", "tcp://docker:2376"}, {"DOCKER_CERT_PATH", "/certs/client"}})) ==
        Pairs{{"DOCKER_TLS_VERIFY", "1"}});
  // Another daemon than this one.
  CHECK(dind::client_environment(daemon, "docker", job({{"DOCKER_HOST", "unix:///mine.sock"}}))
            .empty());
}

TEST_CASE("dind: a port that nobody listens on is told of") {
  const Daemon plain = plan_daemon(official({"DOCKER_TLS_CERTDIR="}), "tcp://docker:2376", {});
  CHECK(dind::mismatch(plain, "docker:dind", "tcp://docker:2376") ==
        "DOCKER_HOST is 'tcp://docker:2376', but service 'docker:dind' listens on port 2375, "
        "without TLS: DOCKER_TLS_CERTDIR or its command says so");
  CHECK(dind::mismatch(plain, "docker:dind", "tcp://docker:2375").empty());
  CHECK(dind::mismatch(plain, "docker:dind", "unix:///x").empty());
  CHECK(dind::mismatch(plain, "docker:dind", "").empty());
}

TEST_CASE("dind: ports of DOCKER_HOST") {
  CHECK(dind::port_of("tcp://docker:2375") == 2375);
  CHECK(dind::port_of("tcp://[::1]:2376/x") == 2376);
  for (const char* none : {"", "tcp://docker", "unix:///var/run/docker.sock", "tcp://docker:x",
                           "tcp://docker:99999", "http://docker:2375"}) {
    CHECK(dind::port_of(none) == 0);
  }
}

TEST_CASE("dind: why it died") {
  CHECK_THAT(dind::cause_of_end("mount: /: Operation not permitted"),
             ContainsSubstring("services_privileged"));
  CHECK_THAT(dind::cause_of_end("failed to start daemon: write: no space left on device"),
             ContainsSubstring("disk"));
  CHECK(dind::cause_of_end("API listen on [::]:2376").empty());
}
