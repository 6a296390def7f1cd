#pragma once

#include "executor/core/job_spec.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

/// Names and labels of everything one attempt makes on an engine. Pure.
///
///     berth-<job id>-<attempt>-helper   -build   -svc-<n>   -net   -lease
///
/// Names carry the attempt's random part, so a name that is taken is ours from
/// a request whose reply was lost. Labels are how cleanup and the sweep find
/// objects again without any state.
namespace berth::docker {

using Labels = std::map<std::string, std::string>;

inline constexpr std::string_view k_label_managed = "com.gitlab.gitlab-runner.managed";
inline constexpr std::string_view k_label_type = "com.gitlab.gitlab-runner.type";
inline constexpr std::string_view k_label_service = "com.gitlab.gitlab-runner.service";
inline constexpr std::string_view k_label_attempt = "berth.attempt";
inline constexpr std::string_view k_label_host = "berth.host";
inline constexpr std::string_view k_label_tmpdir = "berth.tmpdir";
inline constexpr std::string_view k_label_deadline = "berth.deadline";
/// The volume a Docker daemon keeps its layers in for later jobs.
inline constexpr std::string_view k_label_layers = "berth.layers";
inline constexpr std::string_view k_label_version = "berth.version";

/// Where things are inside the containers; the agent's defaults are the same.
inline constexpr std::string_view k_agent_directory = "/.berth/bin";
inline constexpr std::string_view k_agent_program = "/.berth/bin/berth-agent";
inline constexpr std::string_view k_run_directory = "/.berth/run";
inline constexpr std::string_view k_lease_directory = "/.berth/lease";

/// The bridge that jobs without services share; a set MTU has its own bridge.
std::string shared_network_name(int mtu);

std::string helper_name(const core::JobSpec& spec);
std::string build_name(const core::JobSpec& spec);
std::string service_name(const core::JobSpec& spec, std::size_t index);
std::string network_name(const core::JobSpec& spec);
std::string lease_volume_name(const core::JobSpec& spec);

/// Labels of an object that goes away with the attempt. `type` is build,
/// helper, service, network or volume; `host` see host_identity.hpp.
Labels attempt_labels(const core::JobSpec& spec, std::string_view host, std::string_view type);

/// Labels of what outlives jobs (kept volumes, the shared network): nothing in
/// them names an attempt, so neither cleanup nor the sweep takes them.
Labels lasting_labels(const core::JobSpec& spec, std::string_view type);

}  // namespace berth::docker
