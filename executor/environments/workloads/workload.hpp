#pragma once

#include "executor/kubernetes/api/resource.hpp"

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What runs in a namespace, as values that can be kept in a deployment's record. Pure.
namespace berth::environments::workloads {

enum class Kind { deployment, stateful_set, daemon_set, job, cron_job };

inline constexpr std::array k_kinds = {Kind::deployment, Kind::stateful_set, Kind::daemon_set,
                                       Kind::job, Kind::cron_job};

/// "Deployment", as manifests have it.
std::string_view name_of(Kind kind);
std::optional<Kind> kind_of(std::string_view name);
const kubernetes::Resource& resource_of(Kind kind);
/// "apps/v1"
std::string api_version_of(Kind kind);

struct Id {
  Kind kind = Kind::deployment;
  std::string name{};

  /// "Deployment 'web'"
  std::string text() const;
  auto operator<=>(const Id&) const = default;
};

struct Image {
  std::string container{};
  /// As the manifest names it.
  std::string image{};
  /// What the nodes made of it: "sha256:…"; "" where no pod has run it.
  std::string digest{};

  /// "app:v2 (sha256:0123456789ab)"
  std::string text() const;
  bool operator==(const Image&) const = default;
};

struct Workload {
  Id id{};
  std::string uid{};
  std::int64_t generation = 0;
  /// Of a Deployment its number, of a StatefulSet its update revision, of others the
  /// generation.
  std::string revision{};
  /// Containers, then init containers, in the manifest's order.
  std::vector<Image> images{};
  /// A JSON object with what it takes to make it so again: kind, name, labels,
  /// annotations and spec; without what the server and its controllers add. It may hold
  /// what its authors wrote into `env`: keep it where Secrets may stand.
  std::string manifest{};
  /// Of a Job: it has completed or failed.
  bool finished = false;
  /// Something else made it and looks after it: a CronJob, an operator.
  bool owned = false;
  /// When somebody last changed it, by the cluster's clock, in seconds since the epoch.
  std::int64_t changed_at = 0;

  bool operator==(const Workload&) const = default;
};

struct Snapshot {
  /// "10.0.0.1:6443"
  std::string server{};
  std::string name_space{};
  /// In the order of their ids.
  std::vector<Workload> workloads{};
  /// What could not be looked at, each with the reason in words: "cronjobs: forbidden".
  std::vector<std::string> unseen{};

  const Workload* find(const Id& id) const;
  /// Whether objects of that kind could be looked at.
  bool sees(Kind kind) const;
  bool operator==(const Snapshot&) const = default;
};

/// Takes away the manifests that nobody will compare or bring back: of what has an owner,
/// and of finished Jobs, which can no more be changed.
void drop_needless_manifests(Snapshot& snapshot);

nlohmann::json to_json(const Snapshot& snapshot);
/// Throws support::SystemError where it is not what to_json() makes.
Snapshot parse_snapshot(const nlohmann::json& value);

}  // namespace berth::environments::workloads
