#include "executor/environments/workloads/workload.hpp"

#include "executor/support/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

struct KindEntry {
  std::string_view name;
  kubernetes::Resource resource;
};

/// In the order of Kind.
const std::array<KindEntry, k_kinds.size()>& table() {
  static const std::array<KindEntry, k_kinds.size()> k_table = {
      KindEntry{"Deployment", {.group = "apps", .plural = "deployments", .singular = "deployment"}},
      KindEntry{"StatefulSet",
                {.group = "apps", .plural = "statefulsets", .singular = "stateful set"}},
      KindEntry{"DaemonSet", {.group = "apps", .plural = "daemonsets", .singular = "daemon set"}},
      KindEntry{"Job", {.group = "batch", .plural = "jobs", .singular = "job"}},
      KindEntry{"CronJob", {.group = "batch", .plural = "cronjobs", .singular = "cron job"}}};
  return k_table;
}

const KindEntry& entry(Kind kind) {
  return table().at(static_cast<std::size_t>(kind));
}

}  // namespace

std::string_view name_of(Kind kind) {
  return entry(kind).name;
}

std::optional<Kind> kind_of(std::string_view name) {
  for (const Kind kind : k_kinds) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

const kubernetes::Resource& resource_of(Kind kind) {
  return entry(kind).resource;
}

std::string api_version_of(Kind kind) {
  const kubernetes::Resource& resource = resource_of(kind);
  return resource.group + "/" + resource.version;
}

std::string Id::text() const {
  return fmt::format("{} '{}'", name_of(kind), name);
}

std::string Image::text() const {
  constexpr std::size_t k_enough = 7 + 12;  // "sha256:" and what tells two apart
  return digest.empty() ? image : fmt::format("{} ({})", image, digest.substr(0, k_enough));
}

const Workload* Snapshot::find(const Id& id) const {
  const auto found = std::find_if(workloads.begin(), workloads.end(),
                                  [&](const Workload& one) { return one.id == id; });
  return found == workloads.end() ? nullptr : &*found;
}

bool Snapshot::sees(Kind kind) const {
  const std::string front = resource_of(kind).plural + ":";
  return std::none_of(unseen.begin(), unseen.end(),
                      [&](const std::string& one) { return one.starts_with(front); });
}

void drop_needless_manifests(Snapshot& snapshot) {
  for (Workload& one : snapshot.workloads) {
    if (one.owned || (one.id.kind == Kind::job && one.finished)) one.manifest.clear();
  }
}

json to_json(const Snapshot& snapshot) {
  json workloads = json::array();
  for (const Workload& one : snapshot.workloads) {
    json images = json::array();
    for (const Image& image : one.images) {
      images.push_back(
          {{"container", image.container}, {"image", image.image}, {"digest", image.digest}});
    }
    workloads.push_back({{"kind", name_of(one.id.kind)},
                         {"name", one.id.name},
                         {"uid", one.uid},
                         {"generation", one.generation},
                         {"revision", one.revision},
                         {"images", std::move(images)},
                         {"manifest", one.manifest},
                         {"finished", one.finished},
                         {"owned", one.owned},
                         {"changed_at", one.changed_at}});
  }
  return {{"server", snapshot.server},
          {"namespace", snapshot.name_space},
          {"workloads", std::move(workloads)},
          {"unseen", snapshot.unseen}};
}

Snapshot parse_snapshot(const json& value) {
  constexpr const char* k_what = "recorded workloads";
  try {
    Snapshot snapshot{.server = value.at("server").get<std::string>(),
                      .name_space = value.at("namespace").get<std::string>(),
                      .unseen = value.at("unseen").get<std::vector<std::string>>()};
    for (const json& one : value.at("workloads")) {
      const std::string name = one.at("kind").get<std::string>();
      const std::optional<Kind> kind = kind_of(name);
      if (!kind) throw support::SystemError(fmt::format("{}: unknown kind '{}'", k_what, name));
      Workload workload{.id = {*kind, one.at("name").get<std::string>()},
                        .uid = one.at("uid").get<std::string>(),
                        .generation = one.at("generation").get<std::int64_t>(),
                        .revision = one.at("revision").get<std::string>(),
                        .manifest = one.at("manifest").get<std::string>(),
                        .finished = one.at("finished").get<bool>(),
                        .owned = one.at("owned").get<bool>(),
                        .changed_at = one.at("changed_at").get<std::int64_t>()};
      for (const json& image : one.at("images")) {
        workload.images.push_back({.container = image.at("container").get<std::string>(),
                                   .image = image.at("image").get<std::string>(),
                                   .digest = image.at("digest").get<std::string>()});
      }
      snapshot.workloads.push_back(std::move(workload));
    }
    return snapshot;
  } catch (const json::exception& error) {
    throw support::json_error(error, k_what);
  }
}

}  // namespace berth::environments::workloads
