#include "executor/settings/settings.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace berth;
using namespace std::chrono_literals;
using settings::parse;

TEST_CASE("settings: an empty file is the defaults") {
  CHECK(parse("", "f") == settings::Settings{});
  CHECK(parse("docker:\n", "f") == settings::Settings{});
  const settings::Settings defaults;
  CHECK(defaults.policy.backend == "docker");
  CHECK(defaults.policy.pull_policies == std::vector<std::string>{"always"});
  CHECK(defaults.policy.orphan_timeout == 15min);
  CHECK(defaults.policy.connection_timeout == 5min);
  CHECK(defaults.policy.pull_retry_timeout == 3min);
  CHECK(defaults.policy.wait_for_services_timeout == 30s);
  CHECK_FALSE(defaults.policy.privileged);
}

TEST_CASE("settings: the top level") {
  const settings::Settings all = parse(
      "backend: docker\nstate_dir: /srv/berth\norphan_timeout: 10m\nconnection_timeout: 90\n"
      "pull_retry_timeout: 0\nservice_compat: true\n",
      "f");
  CHECK(all.policy.backend == "docker");
  CHECK(all.state_dir == "/srv/berth");
  CHECK(all.policy.orphan_timeout == 10min);
  CHECK(all.policy.connection_timeout == 90s);
  CHECK(all.policy.pull_retry_timeout == 0s);
  CHECK(all.policy.service_compat);
}

TEST_CASE("settings: errors of the top level") {
  const auto message = [](const char* yaml) {
    return tests::message_of<support::OperatorError>([&] { parse(yaml, "f.yaml"); });
  };
  CHECK(message("state-dir: /x") ==
        "f.yaml:1:1: unknown key 'state-dir'; did you mean 'state_dir'?");
  CHECK(message("whatever_else: 1") == "f.yaml:1:1: unknown key 'whatever_else'");
  CHECK(message("state_dir: relative") ==
        "f.yaml:1:12: 'state_dir' must be an absolute path, not 'relative'");
  CHECK(message("backend: podman") ==
        "f.yaml:1:10: 'backend' must be docker or kubernetes, not 'podman'");
  CHECK(message("orphan_timeout: soon") ==
        "f.yaml:1:17: 'orphan_timeout' must be seconds, or a duration such as 5m or 1h30m, not "
        "'soon'");
  CHECK(message("connection_timeout: [1]") ==
        "f.yaml:1:21: 'connection_timeout' must be seconds, or a duration such as 5m or 1h30m, not "
        "a list");
  CHECK(message("orphan_timeout: 0") ==
        "f.yaml:1:17: 'orphan_timeout' must be at least 1 seconds, not '0'");
  CHECK(message("- docker") == "f.yaml:1:1: 'the file' must be a map, not a list");
  CHECK(message("docker: 1\ndocker: 2") == "f.yaml:2:1: 'docker' is given twice");
}

TEST_CASE("settings: the example that is shipped") {
  const settings::Settings example =
      parse(support::read_file(BERTH_EXAMPLE_SETTINGS, 100000), BERTH_EXAMPLE_SETTINGS);
  CHECK(example.policy.image == "debian:bookworm");
}
