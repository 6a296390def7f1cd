#include "executor/environments/workloads/comparison.hpp"
#include "executor/environments/workloads/json_reading.hpp"
#include "executor/environments/workloads/rollback.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

bool is_named_list(const json& list) {
  return list.is_array() && std::all_of(list.begin(), list.end(),
                                        [](const json& one) { return !word(one, "name").empty(); });
}

/// Whether `live` has something at a place where the record has nothing. Lists that are
/// not keyed by name count as soon as they differ.
bool has_more(const json& recorded, const json& live) {
  if (recorded == live) return false;
  if (recorded.is_object() && live.is_object()) {
    for (const auto& [key, value] : live.items()) {
      if (!recorded.contains(key) || has_more(recorded.at(key), value)) return true;
    }
    return false;
  }
  if (is_named_list(recorded) && is_named_list(live)) {
    return std::any_of(live.begin(), live.end(), [&](const json& one) {
      const auto same = std::find_if(recorded.begin(), recorded.end(), [&](const json& other) {
        return word(other, "name") == word(one, "name");
      });
      return same == recorded.end() || has_more(*same, one);
    });
  }
  return recorded.is_array() || live.is_array();
}

std::string escaped(std::string key) {
  // RFC 6901
  for (const auto& [from, to] : {std::pair{"~", "~0"}, std::pair{"/", "~1"}}) {
    for (std::size_t at = 0; (at = key.find(from, at)) != std::string::npos; at += 2)
      key.replace(at, 1, to);
  }
  return key;
}

std::string removal_of(const json& recorded, const json& live, const std::string& uid) {
  json patch = json::array();
  const json& wanted = member(recorded, "spec");
  for (const auto& [key, value] : member(live, "spec").items()) {
    const std::string path = "/spec/" + escaped(key);
    if (!wanted.contains(key)) {
      // An autoscaler's business where the record has none.
      if (key != "replicas") patch.push_back({{"op", "remove"}, {"path", path}});
    } else if (has_more(wanted.at(key), value)) {
      patch.push_back({{"op", "replace"}, {"path", path}, {"value", wanted.at(key)}});
    }
  }
  if (patch.empty()) return {};
  json whole = json::array({{{"op", "test"}, {"path", "/metadata/uid"}, {"value", uid}}});
  for (json& one : patch) whole.push_back(std::move(one));
  return whole.dump();
}

bool is_ours_to_bring_back(const Workload& workload) {
  return workload.id.kind != Kind::job && !workload.owned && !workload.manifest.empty();
}

}  // namespace

RollbackPlan plan_rollback(const Snapshot& recorded, const Snapshot& live) {
  RollbackPlan plan;
  for (const Workload& one : recorded.workloads) {
    if (one.id.kind == Kind::job) continue;
    const Workload* now = live.find(one.id);
    if (!is_ours_to_bring_back(one)) {
      if (now == nullptr)
        plan.left.push_back(one.id.text() + " is gone; something else made it, and has to again");
      continue;
    }
    if (now == nullptr) {
      plan.steps.push_back({.id = one.id, .manifest = one.manifest});
      continue;
    }
    const json wanted = json::parse(one.manifest, nullptr, false);
    const json there = json::parse(now->manifest, nullptr, false);
    if (wanted == there) continue;
    plan.steps.push_back(
        {.id = one.id, .manifest = one.manifest, .removal = removal_of(wanted, there, now->uid)});
  }
  for (const Workload& now : live.workloads) {
    if (recorded.find(now.id) == nullptr && now.id.kind != Kind::job && !now.owned)
      plan.left.push_back(now.id.text() + " is newer than the record, and stays");
  }
  return plan;
}

bool can_bring_back(const Snapshot& recorded) {
  return std::any_of(recorded.workloads.begin(), recorded.workloads.end(), is_ours_to_bring_back);
}

std::vector<std::string> unlike(const Snapshot& recorded, const Snapshot& live) {
  std::vector<std::string> wrong;
  for (const Workload& one : recorded.workloads) {
    if (!is_ours_to_bring_back(one)) continue;
    const Workload* now = live.find(one.id);
    if (now == nullptr) {
      wrong.push_back(one.id.text() + " is not there");
      continue;
    }
    for (const Image& image : one.images) {
      const auto there =
          std::find_if(now->images.begin(), now->images.end(),
                       [&](const Image& other) { return other.container == image.container; });
      const bool same =
          there != now->images.end() && there->image == image.image &&
          (there->digest.empty() || image.digest.empty() || there->digest == image.digest);
      if (same) continue;
      wrong.push_back(
          fmt::format("{} runs {} as '{}', and the record says {}", one.id.text(),
                      there == now->images.end() ? std::string("nothing") : there->text(),
                      image.container, image.text()));
    }
  }
  return wrong;
}

}  // namespace berth::environments::workloads
