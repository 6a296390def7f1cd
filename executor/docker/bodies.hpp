#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/settings/settings.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Request bodies of POST /containers/create and POST /networks/create
/// (Engine API 1.41). Pure: everything that had to be asked or decided stands
/// in the arguments. tests/golden/docker/ shows them whole.
///
/// Every volume is mounted with NoCopy: the engine otherwise fills an empty
/// volume from the image's directory, even through a read-only mount, and so a
/// job's image could plant files where later jobs look.
namespace berth::docker {

/// Where this attempt's containers find their things.
struct Placement {
  /// berth.host of the labels.
  std::string host;
  /// The volume that holds the agent program.
  std::string agent_volume;
  /// Actual names of JobSpec::volumes, in their order (slots.hpp may move a
  /// kept volume to another slot).
  std::vector<std::string> volumes;
  /// Directory of this attempt on the engine's own host, with helper/, build/
  /// and lease/ in it. Absent: the engine does not see our files, so that the
  /// agents are reached through the engine and the lease is a volume.
  std::optional<std::filesystem::path> host_directory;
  /// ID of the network of helper and services.
  std::string network_id;
  /// Helper and services share one network namespace: that of this container, the
  /// helper. Empty: each service has its own address.
  std::string namespace_of{};
  /// Names that mean 127.0.0.1 then.
  std::vector<std::string> local_names{};
  /// Directories of the build container that are kept in memory.
  std::vector<std::string> memory{};
};

/// A volume that a container has beside the job's directories; it takes the place
/// of what the settings mount there.
struct ExtraMount {
  /// Empty: a new volume that goes with the container.
  std::string volume{};
  std::string target{};
  bool read_only = false;
  /// Stays for later jobs.
  bool kept = false;
};

/// What a service has beside what its job says (executor/dind).
struct ServiceExtras {
  std::vector<ExtraMount> mounts{};
  std::vector<std::string> aliases{};
  /// In place of its own; empty: its own.
  std::vector<std::string> command{};
  /// Is not to be given the engine's own socket, which the settings may mount.
  bool without_engine_socket = false;
};

/// KEY=value pairs of what a container may be started with.
using Environment = std::vector<std::string>;
Environment to_environment(const core::Variables& variables);
/// Sets a key, in the place of its last definition.
void set_in(Environment& environment, std::string_view key, std::string_view value);

/// The helper: root, first process is the agent behind the image's ENTRYPOINT.
/// Names, hosts and DNS are set here, because the build container shares its
/// network namespace and may not set them.
nlohmann::json helper_body(const core::JobSpec& spec, const Placement& placement,
                           const settings::Docker& options, const std::string& image_id);

/// The build container, in the helper's network namespace.
nlohmann::json build_body(const core::JobSpec& spec, const Placement& placement,
                          const settings::Docker& options, const std::string& image_id,
                          const Environment& environment, const std::string& helper_id,
                          const std::vector<ExtraMount>& extra = {});

/// Service number `index`, reachable under its aliases on the job's network.
/// Of the operator's options it gets what the built-in executor gives services:
/// privileged, shm_size, dns, extra_hosts; no limits, no capabilities.
nlohmann::json service_body(const core::JobSpec& spec, std::size_t index,
                            const Placement& placement, const settings::Docker& options,
                            const std::string& image_id, const Environment& environment,
                            const ServiceExtras& extras = {});

/// Whether a container of the job is given the engine's own socket by the settings.
bool mounts_engine_socket(const core::JobSpec& spec);

/// The job's own bridge.
nlohmann::json job_network_body(const core::JobSpec& spec, const std::string& host, int mtu);

/// The bridge that jobs without services share: containers of different jobs
/// cannot talk to each other on it.
nlohmann::json shared_network_body(const core::JobSpec& spec, int mtu);

}  // namespace berth::docker
