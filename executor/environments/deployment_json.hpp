#pragma once

#include "executor/environments/deployment.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// Deployments as JSON: in the ledger's files, in `--json` output and in events.
namespace berth::environments {

/// One object; every field stands, times as "2026-01-31T18:00:00Z" or null.
/// `with_manifests`: the ledger's own form; programs do not get manifests.
nlohmann::ordered_json to_json(const Deployment& deployment, bool with_manifests);
nlohmann::ordered_json to_json(const Workload& workload, bool with_manifest);

/// What to_json() has made. Fields that are missing keep their defaults, unknown
/// ones are left alone, so that other versions' records can be read. Throws
/// SystemError for a wrong type; `name` stands in it.
Deployment deployment_of(const nlohmann::json& json, std::string_view name);
Workload workload_of(const nlohmann::json& json);

/// "2026-01-31T18:00:00Z"
std::string iso_time(std::int64_t unix_seconds);
/// The reverse; 0 for a text that is none.
std::int64_t unix_time(std::string_view iso);

}  // namespace berth::environments
