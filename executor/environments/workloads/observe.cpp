#include "executor/environments/workloads/observe.hpp"

#include "executor/environments/workloads/read_workload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

std::optional<json> list(kubernetes::Client& client, const kubernetes::Resource& resource,
                         Snapshot& snapshot, const std::stop_token& stop) {
  try {
    return std::move(client.list(resource, snapshot.name_space, {}, stop)["items"]);
  } catch (const kubernetes::ApiError& error) {
    // 404: a server without that kind; 401: a credential that has ended.
    if (!error.forbidden() && !error.not_found() && !error.unauthorized()) throw;
    snapshot.unseen.push_back(fmt::format("{}: {}", resource.plural, error.server_text()));
    return std::nullopt;
  }
}

}  // namespace

Snapshot observe(kubernetes::Client& client, const std::string& name_space, std::stop_token stop) {
  Snapshot snapshot{.server = client.connection().host(), .name_space = name_space};
  for (const Kind kind : k_kinds) {
    const std::optional<json> objects = list(client, resource_of(kind), snapshot, stop);
    if (!objects) continue;
    for (const json& object : *objects) snapshot.workloads.push_back(read_workload(kind, object));
  }
  if (const std::optional<json> pods = list(client, kubernetes::resources::k_pods, snapshot, stop))
    add_digests(snapshot.workloads, *pods);
  std::sort(snapshot.workloads.begin(), snapshot.workloads.end(),
            [](const Workload& a, const Workload& b) { return a.id < b.id; });
  return snapshot;
}

}  // namespace berth::environments::workloads
