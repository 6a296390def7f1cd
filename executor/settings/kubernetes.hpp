#pragma once

#include "executor/support/secret.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::settings {

/// Quantities (quantity.hpp) as written; empty: not set.
struct Amounts {
  std::string cpu{};
  std::string memory{};
  std::string ephemeral_storage{};
  bool operator==(const Amounts&) const = default;
};

/// `cpu_limit`, ... of one kind of container, and how far a job may change
/// them: an empty `_overwrite_max_allowed` means not at all.
struct Resources {
  Amounts limits{};
  Amounts requests{};
  Amounts max_limits{};
  Amounts max_requests{};
  bool operator==(const Resources&) const = default;
};

/// A seccomp or AppArmor profile. type: RuntimeDefault | Localhost | Unconfined;
/// empty: not set. localhost_profile stands with Localhost, and only there.
struct SecurityProfile {
  std::string type{};
  std::string localhost_profile{};
  bool operator==(const SecurityProfile&) const = default;
};

struct PodSecurity {
  std::optional<std::int64_t> fs_group{};
  std::optional<std::int64_t> run_as_user{};
  std::optional<std::int64_t> run_as_group{};
  std::optional<bool> run_as_non_root{};
  std::vector<std::int64_t> supplemental_groups{};
  std::string selinux_type{};
  SecurityProfile seccomp_profile{};
  SecurityProfile app_armor_profile{};
  bool operator==(const PodSecurity&) const = default;
};

struct ContainerSecurity {
  std::optional<bool> privileged{};
  std::optional<bool> allow_privilege_escalation{};
  std::optional<bool> run_as_non_root{};
  std::optional<bool> read_only_root_filesystem{};
  std::optional<std::int64_t> run_as_user{};
  std::optional<std::int64_t> run_as_group{};
  /// A list that is there takes the place of the global one.
  std::optional<std::vector<std::string>> cap_add{};
  std::optional<std::vector<std::string>> cap_drop{};
  std::string selinux_type{};
  /// Default | Unmasked; empty: not set.
  std::string proc_mount{};
  SecurityProfile seccomp_profile{};
  SecurityProfile app_armor_profile{};
  bool operator==(const ContainerSecurity&) const = default;
};

/// An entry of one of the lists in `volumes`, mounted in build, helper and
/// services. Which fields mean something depends on `kind`.
struct KubernetesVolume {
  enum class Kind { host_path, pvc, config_map, secret, empty_dir, csi, nfs };
  Kind kind = Kind::empty_dir;
  /// Of a PVC: the claim's name too, and may refer to variables.
  std::string name{};
  std::string mount_path{};
  std::string sub_path{};
  bool read_only = false;
  /// None | HostToContainer | Bidirectional; empty: not set.
  std::string mount_propagation{};
  /// host_path: never empty there.
  std::string host_path{};
  /// config_map, secret: key to path; empty: all keys.
  std::map<std::string, std::string> items{};
  /// empty_dir
  std::string medium{};
  std::string size_limit{};
  /// csi
  std::string driver{};
  std::string fs_type{};
  std::map<std::string, std::string> volume_attributes{};
  /// nfs
  std::string server{};
  std::string path{};
  bool operator==(const KubernetesVolume&) const = default;
};

struct HostAlias {
  std::string ip{};
  std::vector<std::string> hostnames{};
  bool operator==(const HostAlias&) const = default;
};

/// An entry of `pod_spec`.
struct PodSpecPatch {
  enum class Type { merge, json, strategic };
  std::string name{};
  Type type = Type::strategic;
  /// JSON text, whatever was written (YAML, a string of YAML or JSON, a file).
  std::string patch{};
  /// Only between parse() and load(): load() reads the file into `patch`.
  std::string patch_path{};
  bool operator==(const PodSpecPatch&) const = default;
};

/// What only the Kubernetes backend needs; core::Policy has the rest (image,
/// helper_image, pull_policy, allowed_*, services, wait_for_services_timeout).
/// Keys and meaning are those of [runners.kubernetes]. An optional that holds
/// nothing leaves the choice to the cluster.
struct Kubernetes {
  /// API server. Empty: the pod's own service account, else the kubeconfig.
  std::string host;
  /// With `host` only.
  std::string cert_file;
  std::string key_file;
  std::string ca_file;
  support::Secret bearer_token;
  bool bearer_token_overwrite_allowed = false;
  /// Ours: file; empty: $KUBECONFIG, else ~/.kube/config.
  std::string kubeconfig;
  std::string context;

  /// `namespace`. Empty: the kubeconfig context's, the pod's own, else "default".
  std::string namespace_name;
  std::string namespace_overwrite_allowed;
  std::map<std::string, std::string> pod_labels;
  std::string pod_labels_overwrite_allowed;
  std::map<std::string, std::string> pod_annotations;
  std::string pod_annotations_overwrite_allowed;

  std::vector<std::string> image_pull_secrets;
  bool use_service_account_image_pull_secrets = false;
  /// Ours: image whose /berth-agent is copied into the pod. Empty: a ConfigMap.
  std::string agent_image;

  Resources build;
  Resources helper;
  Resources service;
  /// Of the pod as a whole; ephemeral_storage is never set.
  Resources pod;

  std::string service_account;
  std::string service_account_overwrite_allowed;
  std::optional<bool> automount_service_account_token;

  std::optional<bool> privileged;
  std::optional<bool> allow_privilege_escalation;
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  std::optional<std::string> runtime_class_name;
  /// User and group ids a job may ask for; empty: all but 0.
  std::vector<std::string> allowed_users;
  std::vector<std::string> allowed_groups;
  PodSecurity pod_security;
  ContainerSecurity build_security;
  ContainerSecurity helper_security;
  ContainerSecurity service_security;
  /// init_permissions_container_security_context: of the init container that
  /// copies the agent out of `agent_image`; there is no other.
  ContainerSecurity init_security;

  std::vector<KubernetesVolume> volumes;

  std::map<std::string, std::string> node_selector;
  std::string node_selector_overwrite_allowed;
  /// "key[=value]" to effect
  std::map<std::string, std::string> node_tolerations;
  std::string node_tolerations_overwrite_allowed;
  /// The API's own Affinity as JSON text; empty: none.
  std::string affinity;
  std::string scheduler_name;
  std::string priority_class_name;

  /// None | Default | ClusterFirst | ClusterFirstWithHostNet; empty: not set.
  std::string dns_policy;
  /// The API's own PodDNSConfig and Lifecycle as JSON text; empty: none.
  std::string dns_config;
  std::string container_lifecycle;
  std::vector<HostAlias> host_aliases;

  std::vector<PodSpecPatch> pod_spec;

  /// How long a pod may take to start, and how often to look where it cannot
  /// be watched.
  std::chrono::seconds poll_timeout{180};
  std::chrono::seconds poll_interval{3};
  bool print_pod_warning_events = true;
  /// The pod's own; nothing: the cluster's 30 s.
  std::optional<std::chrono::seconds> pod_termination_grace_period;
  /// Of the DELETE at the job's end; nothing: the backend's choice.
  std::optional<std::chrono::seconds> cleanup_grace_period;
  /// A bound on all of cleanup.
  std::chrono::seconds cleanup_resources_timeout{300};
  bool operator==(const Kubernetes&) const = default;
};

/// Whether a volume that outlives the pod is mounted there: several jobs at once
/// may see that directory.
bool is_shared(const Kubernetes& settings, std::string_view directory);

}  // namespace berth::settings
