#include "executor/docker/names.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker/sample_spec.hpp"

using namespace berth;

TEST_CASE("names of an attempt's objects") {
  const core::JobSpec spec = tests::sample_spec();
  CHECK(docker::helper_name(spec) == "berth-42-0123456789ab-helper");
  CHECK(docker::build_name(spec) == "berth-42-0123456789ab-build");
  CHECK(docker::service_name(spec, 2) == "berth-42-0123456789ab-svc-2");
  CHECK(docker::network_name(spec) == "berth-42-0123456789ab-net");
  CHECK(docker::shared_network_name(0) == "berth");
  CHECK(docker::shared_network_name(1400) == "berth-mtu1400");
}

TEST_CASE("labels of an attempt name job, host and TMPDIR") {
  const auto labels = docker::attempt_labels(tests::sample_spec(), "host1", "build");
  CHECK(labels.at("com.gitlab.gitlab-runner.managed") == "true");
  CHECK(labels.at("com.gitlab.gitlab-runner.type") == "build");
  CHECK(labels.at("com.gitlab.gitlab-runner.job.id") == "42");
  CHECK(labels.at("berth.attempt") == "0123456789ab");
  CHECK(labels.at("berth.host") == "host1");
  CHECK(labels.at("berth.tmpdir") == "/tmp/custom-executor123");
  CHECK(labels.at("berth.deadline") == "1800000000");
  CHECK_FALSE(labels.at("berth.version").empty());
}

TEST_CASE("what outlives a job carries nothing a cleanup looks for") {
  const auto labels = docker::lasting_labels(tests::sample_spec(), "cache");
  CHECK(labels.at("com.gitlab.gitlab-runner.managed") == "true");
  CHECK(labels.at("com.gitlab.gitlab-runner.project.id") == "7");
  for (const char* key : {"berth.attempt", "berth.host", "berth.tmpdir"}) {
    CHECK_FALSE(labels.contains(key));
  }
}
