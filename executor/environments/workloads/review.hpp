#pragma once

#include "executor/kubernetes/api/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// Namespaces that come and go with their environment (review apps). Only those that Berth
/// has made are ever removed: a label says so.
namespace berth::environments::workloads {

struct ReviewNamespace {
  std::string name{};
  std::string environment{};
  /// Path of the project.
  std::string project{};
  /// Seconds since the epoch; 0: until it is stopped.
  std::int64_t expires = 0;
  bool operator==(const ReviewNamespace&) const = default;
};

/// `pattern` with `{slug}` replaced, fit for a namespace (RFC 1123 label). Throws
/// OperatorError where it is not. Pure.
std::string namespace_name(std::string_view pattern, std::string_view slug);

/// An object that each such namespace gets: JSON.
struct TemplateObject {
  kubernetes::Resource resource{};
  std::string name{};
  std::string object{};
};

/// YAML of one or several documents: ResourceQuota, LimitRange, NetworkPolicy, Role,
/// RoleBinding, ServiceAccount, ConfigMap. `{slug}` and `{namespace}` in its text are
/// replaced. Throws OperatorError "<name>:<line>:<column>: ...". Pure.
std::vector<TemplateObject> read_template(std::string_view yaml, std::string_view name,
                                          std::string_view slug, std::string_view name_space);

/// Makes the namespace, or (where it is ours and for this environment) moves its end, and
/// applies the template's objects. Throws JobError where somebody else's stands there, and
/// as Client's methods do.
void ensure_namespace(kubernetes::Client& client, const ReviewNamespace& wanted,
                      const std::vector<TemplateObject>& objects, std::stop_token stop);

enum class NamespaceRemoval { begun, absent, not_ours };

/// Removes it with all that is in it, where it is ours and for this environment of this
/// project; with an `expires` that is not 0 only where that is still its end.
NamespaceRemoval remove_namespace(kubernetes::Client& client, const ReviewNamespace& known,
                                  std::stop_token stop);

/// Of a list of namespaces (its items), those of ours whose time is over. Pure.
std::vector<ReviewNamespace> expired(const nlohmann::json& namespaces, std::int64_t now);
/// Asks the cluster for those. Throws as Client's methods do.
std::vector<ReviewNamespace> find_expired(kubernetes::Client& client, std::int64_t now,
                                          std::stop_token stop);

}  // namespace berth::environments::workloads
