#pragma once

#include <string>

namespace berth::kubernetes {

/// One kind of object as its path names it: /api/v1/namespaces/x/pods for the
/// core group, /apis/<group>/<version>/… for the others.
struct Resource {
  std::string group{};
  std::string version = "v1";
  /// As in paths and RBAC rules: "pods".
  std::string plural{};
  /// For messages: "pod".
  std::string singular{};
  bool operator==(const Resource&) const = default;
};

namespace resources {
inline const Resource k_pods{.plural = "pods", .singular = "pod"};
inline const Resource k_secrets{.plural = "secrets", .singular = "secret"};
inline const Resource k_config_maps{.plural = "configmaps", .singular = "config map"};
inline const Resource k_service_accounts{.plural = "serviceaccounts",
                                         .singular = "service account"};
inline const Resource k_services{.plural = "services", .singular = "service"};
inline const Resource k_volume_claims{.plural = "persistentvolumeclaims",
                                      .singular = "persistent volume claim"};
inline const Resource k_events{.plural = "events", .singular = "event"};
/// Not in a namespace: pass "" for it.
inline const Resource k_namespaces{.plural = "namespaces", .singular = "namespace"};
inline const Resource k_nodes{.plural = "nodes", .singular = "node"};
inline const Resource k_disruption_budgets{
    .group = "policy", .plural = "poddisruptionbudgets", .singular = "pod disruption budget"};
}  // namespace resources

}  // namespace berth::kubernetes
