#pragma once

#include "executor/environments/workloads/workload.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

/// Two states of a namespace side by side. Pure.
namespace berth::environments::workloads {

struct Difference {
  enum class What {
    created,
    changed,
    /// A new object of the same name stands there: a Job that was deleted and made anew.
    remade,
    removed,
    /// The manifest is the same, and what its tag names is not.
    moved_tag,
  };

  Id id{};
  What what = What::changed;
  std::vector<Image> before{};
  std::vector<Image> after{};
  std::string revision_before{};
  std::string revision_after{};
  /// Paths of what else differs: "spec.template.spec.containers[app].env[DEBUG].value".
  std::vector<std::string> fields{};
  bool operator==(const Difference&) const = default;
};

/// In the order of the ids. Kinds that either could not see are left out; so are Jobs
/// that a CronJob made, and Jobs that went: they do that by themselves when done.
std::vector<Difference> diff(const Snapshot& before, const Snapshot& after);

/// Of what is recorded and what runs: diff() without Jobs, which are acts, not states.
std::vector<Difference> drift(const Snapshot& recorded, const Snapshot& live);

/// One line: "Deployment 'web' changed: app: app:v1 -> app:v2 (sha256:0123456789ab); also
/// spec.replicas".
std::string words(const Difference& difference);

nlohmann::ordered_json to_json(const Difference& difference);

/// Paths at which the two differ, at most `limit` and then "...". Lists of objects that
/// have names are compared by name.
std::vector<std::string> field_changes(const nlohmann::json& before, const nlohmann::json& after,
                                       std::size_t limit = 12);

}  // namespace berth::environments::workloads
