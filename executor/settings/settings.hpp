#pragma once

#include "executor/core/planner.hpp"
#include "executor/settings/credentials.hpp"
#include "executor/settings/environments.hpp"
#include "executor/settings/kubernetes.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::settings {

/// Where a job's services answer: each at an address of its own under its names,
/// or all in one network namespace with the job, as in a pod.
enum class NetworkMode {
  /// Shared where the job's variables point at a service's port on localhost.
  automatic,
  aliases,
  shared,
};

/// What only the Docker backend needs; core::Policy has the rest. Keys and
/// meaning are those of [runners.docker].
struct Docker {
  /// unix:///path or tcp://host:port; empty: DOCKER_HOST, else the default socket.
  std::string host;
  /// Directory with ca.pem, cert.pem and key.pem; empty: none.
  std::string tls_cert_path;
  bool tls_verify = false;
  /// Of helper and build container. 0 of a number: no limit, or the engine's default.
  std::int64_t memory_bytes = 0;
  std::int64_t nano_cpus = 0;
  std::int64_t shm_size_bytes = 0;
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  /// As the engine takes them: a seccomp profile is inlined.
  std::vector<std::string> security_opt;
  std::vector<std::string> dns;
  /// "name:address"
  std::vector<std::string> extra_hosts;
  int network_mtu = 0;
  /// Ours: `network`.
  NetworkMode network = NetworkMode::automatic;
  /// Jobs without services on a bridge of Berth's own, where containers cannot
  /// reach each other, in place of the engine's default bridge.
  bool network_isolation = false;
  bool operator==(const Docker&) const = default;
};

/// berth.yaml, complete.
struct Settings {
  core::Policy policy;
  Docker docker;
  Kubernetes kubernetes;
  Credentials credentials;
  /// Nothing: the section is not there, and no job is a deployment.
  std::optional<Environments> environments;
  /// Where Berth keeps sockets, locks and its host id. Absolute; empty only
  /// behind parse(), where the file names none.
  std::filesystem::path state_dir;
  /// Where load() has read them, absolute; empty: nowhere.
  std::filesystem::path file;
  bool operator==(const Settings&) const = default;
};

/// Whether the backend in use lets several jobs at once see that directory. Kept
/// checkouts of a Docker engine belong to one slot at a time.
bool is_shared(const Settings& settings, std::string_view directory);

/// Reads settings strictly: an unknown or duplicate key, a wrong type or a bad
/// value throws OperatorError "<name>:<line>:<column>: ...". No I/O.
Settings parse(std::string_view yaml, std::string_view name);

/// An environment variable's value, or nothing.
using GetEnv = std::function<std::optional<std::string>(std::string_view)>;

/// The settings of this process: the file of `argument`, else of
/// $BERTH_SETTINGS, else /etc/berth/berth.yaml if it is there, else defaults.
/// state_dir is filled in: /var/lib/berth for root, else
/// $XDG_STATE_HOME/berth, else ~/.local/state/berth. Throws OperatorError.
Settings load(const std::optional<std::filesystem::path>& argument, const GetEnv& getenv);
/// With this process's environment.
Settings load(const std::optional<std::filesystem::path>& argument);

}  // namespace berth::settings
