#pragma once

#include "executor/docker/bodies.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/host_state.hpp"
#include "executor/docker/names.hpp"
#include "tests/contract/fake_engine.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/docker/sample_spec.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace berth::tests {

/// An engine in this process, the client to it, and this host's state folder.
struct EngineFixture {
  TempDir tmp;
  FakeEngine fake{tmp.path() / "engine.sock", {.agent = {}, .images = {{"image", {}}}}};
  docker::Engine engine{docker::resolve_address({.host = fake.host()},
                                                [](const std::string&) { return std::string(); })};
  docker::HostState state{tmp.path() / "state"};

  /// A plan of this host with a TMPDIR that exists.
  core::JobSpec spec(const std::string& attempt) {
    core::JobSpec made = sample_spec();
    made.attempt = attempt;
    made.resource_name = "berth-42-" + attempt;
    made.tmpdir = (tmp.path() / ("tmpdir-" + attempt)).string();
    std::filesystem::create_directory(made.tmpdir);
    return made;
  }
  std::string host() const { return state.identity(tmp.path() / "state"); }

  /// One container, network and volume with the attempt's labels.
  void make_objects(const core::JobSpec& of) {
    const auto labels = docker::attempt_labels(of, host(), "build");
    engine.create_container(
        docker::build_name(of),
        {{"Image", "image"}, {"Labels", labels}, {"HostConfig", nlohmann::json::object()}}, "", {});
    engine.create_network({{"Name", docker::network_name(of)}, {"Labels", labels}}, {});
    engine.create_volume({{"Name", docker::lease_volume_name(of)}, {"Labels", labels}}, {});
  }

  std::size_t objects() const {
    return fake.containers().size() + fake.networks().size() + fake.volumes().size();
  }
  docker::LabelFilter labels(const core::JobSpec& of) const {
    return {std::string(docker::k_label_attempt) + "=" + of.attempt};
  }
};

}  // namespace berth::tests
