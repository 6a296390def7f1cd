#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/settings/kubernetes.hpp"

#include <stop_token>
#include <string>
#include <vector>

/// What the backend may have to do on a cluster, for `berth doctor`. The Role in
/// runner-config/kubernetes/rbac.yaml grants exactly the rights of default settings
/// with registry logins; a test holds the two together.
namespace berth::kubernetes {

/// One verb on one kind of object.
struct Right {
  std::string verb{};
  Resource resource{};
  /// "exec", "log"
  std::string subresource{};
  /// What for: "to remove the pod of a job".
  std::string purpose{};
  /// Jobs run without it, and tell less.
  bool optional = false;

  /// "pods/exec"
  std::string object() const;
};

/// Of these settings: no ConfigMap with `agent_image`, no events where they are not
/// to be shown. Pure.
std::vector<Right> needed_rights(const settings::Kubernetes& settings);

/// What the missing of a right means, and the rule that grants it. Pure.
core::Finding missing_right(const Right& right, const std::string& name_space,
                            const std::string& reason);

/// Asks for each of them (SelfSubjectAccessReview), several at once. One finding for
/// each that is missing, or one that says that all are there.
std::vector<core::Finding> examine_rights(Client& client, const std::string& name_space,
                                          const std::vector<Right>& rights, std::stop_token stop);

}  // namespace berth::kubernetes
