#pragma once

#include "executor/core/backend.hpp"
#include "executor/core/job_spec.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Names, labels and annotations of what one attempt makes in a cluster. Pure.
///
/// Pod and Secret are both called JobSpec::resource_name, berth-<job id>-<attempt>.
/// A label's value has at most 63 characters of few kinds, so:
///   - what operators select by, and what fits, is a label under Docker's name;
///   - what does not fit is an annotation under the same name, whole;
///   - berth.host and berth.tmpdir, which the sweep and cleanup select by, are
///     labels by their hash, and annotations whole.
namespace berth::kubernetes {

using Labels = std::map<std::string, std::string>;

inline constexpr std::string_view k_build_container = "build";
inline constexpr std::string_view k_helper_container = "helper";
/// Copies the agent out of `agent_image`; there only with that setting.
inline constexpr std::string_view k_agent_container = "berth-agent";

/// Where things are inside the containers; the agent's defaults are the same.
inline constexpr std::string_view k_agent_directory = "/.berth/bin";
inline constexpr std::string_view k_agent_program = "/.berth/bin/berth-agent";
inline constexpr std::string_view k_run_directory = "/.berth/run";
inline constexpr std::string_view k_lease_directory = "/.berth/lease";

/// Services have no agent. So that their pod ends with the watchdog all the same, an
/// agent that ends for it writes more into the lease's volume than that may hold:
/// the kubelet then evicts the pod, within about a minute
/// (kubernetes.io/docs/concepts/storage/volumes, emptyDir).
inline constexpr std::string_view k_lease_volume = "berth-lease";
inline constexpr std::string_view k_lease_limit = "1Mi";
inline constexpr std::int64_t k_lease_overfill = std::int64_t{2} << 20;

/// Keeps a pod from being scheduled until the Secret it names exists.
inline constexpr std::string_view k_secret_gate = "berth.executor/secret";

inline constexpr std::string_view k_label_managed = "com.gitlab.gitlab-runner.managed";
inline constexpr std::string_view k_label_type = "com.gitlab.gitlab-runner.type";
inline constexpr std::string_view k_label_job = "com.gitlab.gitlab-runner.job.id";
inline constexpr std::string_view k_label_attempt = "berth.attempt";
inline constexpr std::string_view k_label_host = "berth.host";
inline constexpr std::string_view k_label_tmpdir = "berth.tmpdir";
inline constexpr std::string_view k_label_deadline = "berth.deadline";
/// An annotation alone: the second by which a living driver has seen the pod run, or
/// given it up.
inline constexpr std::string_view k_annotation_start_by = "berth.start-by";
inline constexpr std::string_view k_label_version = "berth.version";

std::string pod_name(const core::JobSpec& spec);
std::string secret_name(const core::JobSpec& spec);
std::string container_name(core::ContainerRole role);
/// Those whose container runs an agent.
inline constexpr std::array k_agent_roles = {core::ContainerRole::build,
                                             core::ContainerRole::helper};

/// Names of the services' containers, in JobSpec::services' order: the first of
/// a service's own aliases that can be one and is free, else svc-<index>.
std::vector<std::string> service_container_names(const core::JobSpec& spec);

/// Labels and annotations of an object that goes away with the attempt. `type`
/// is pod or secret; `host` is Identity::host (executor/state/host_id.hpp).
struct Marks {
  Labels labels{};
  Labels annotations{};
};
Marks attempt_marks(const core::JobSpec& spec, std::string_view host, std::string_view type);

/// Label selectors ("a=b,c=d"): what this host has made; what an attempt with
/// that TMPDIR on this host has made; one attempt.
std::string host_selector(std::string_view host);
std::string tmpdir_selector(std::string_view host, std::string_view tmpdir);
std::string attempt_selector(std::string_view attempt);
/// Every attempt's, of every host.
std::string any_attempt_selector();

/// A label's value made of any text, as the built-in executor does: cut, other
/// characters become `_`, none but letters and digits at either end.
std::string to_label_value(std::string_view text);

}  // namespace berth::kubernetes
