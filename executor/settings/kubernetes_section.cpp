#include "executor/settings/kubernetes_section.hpp"

#include "executor/settings/api_object.hpp"
#include "executor/settings/kubernetes_security.hpp"
#include "executor/settings/kubernetes_syntax.hpp"
#include "executor/settings/kubernetes_volumes.hpp"
#include "executor/settings/patch_text.hpp"
#include "executor/settings/pattern.hpp"
#include "executor/settings/quantity.hpp"
#include "executor/settings/resource_keys.hpp"
#include "executor/settings/shared_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <list>
#include <utility>

namespace berth::settings {
namespace {

/// Keys of [runners.kubernetes] that Berth does not follow (gitlab-runner,
/// common/config.go, KubernetesConfig). To ignore one would change what operators
/// rely on, so each is refused by name.
const std::vector<std::string_view>& refused_keys() {
  static const std::vector<std::string_view> keys{
      "autoscaler",
      "helper_image_autoset_arch_and_os",
      "helper_image_flavor",
      "logs_base_dir",
      "namespace_per_job",
      "pod_disruption_budget",
      "resource_availability_check_max_attempts",
      "retry_backoff_max",
      "retry_limit",
      "retry_limits",
      "scripts_base_dir",
      "suspend_pvc_size",
      "suspend_pvc_storage_class",
  };
  return keys;
}

bool is_id(const std::string& text) {
  std::int64_t id = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, id);
  return error == std::errc() && end == last && id >= 0;
}

std::string quantity(const Reader& reader, const Value& value, std::string_view key) {
  std::string text = reader.text(value, key);
  const std::optional<Quantity> parsed = Quantity::parse(text);
  if (!parsed || *parsed < *Quantity::parse("0")) {
    reader.bad_value(value, key, "a quantity such as 500m, 2 or 1Gi");
  }
  return text;
}

std::string pattern(const Reader& reader, const Value& value, std::string_view key) {
  // "" stands in config.toml as often as the key is missing.
  if (value.kind == Value::Kind::scalar && value.scalar.empty()) return {};
  std::string text = reader.text(value, key);
  if (!pattern_valid(text)) reader.bad_value(value, key, "a regular expression (RE2)");
  return text;
}

std::string host(const Reader& reader, const Value& value) {
  std::string text = reader.text(value, "host");
  const bool url = (text.starts_with("https://") && text.size() > 8) ||
                   (text.starts_with("http://") && text.size() > 7);
  if (!url) reader.bad_value(value, "host", "a URL such as https://10.0.0.1:6443");
  return text;
}

std::string dns_policy(const Reader& reader, const Value& value) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> k_words{
      {{"none", "None"},
       {"default", "Default"},
       {"cluster-first", "ClusterFirst"},
       {"cluster-first-with-host-net", "ClusterFirstWithHostNet"}}};
  const std::string text = reader.text(value, "dns_policy");
  for (const auto& [word, api] : k_words) {
    if (text == word) return std::string(api);
  }
  reader.bad_value(value, "dns_policy",
                   "none, default, cluster-first or cluster-first-with-host-net");
}

/// A map whose keys and values must pass.
std::map<std::string, std::string> checked_map(const Reader& reader, const Value& value,
                                               std::string_view key,
                                               bool (*value_ok)(std::string_view),
                                               std::string_view value_expected) {
  std::map<std::string, std::string> all = read_text_map(reader, value, key);
  for (const Value::Entry& entry : value.entries) {
    if (!is_label_key(entry.key)) {
      reader.fail(entry.position, fmt::format("'{}' in '{}' must be a key such as team or "
                                              "example.com/team",
                                              entry.key, key));
    }
    if (!value_ok(entry.value.scalar)) reader.bad_value(entry.value, entry.key, value_expected);
  }
  return all;
}

void refuse_reserved(const Reader& reader, const Value& value, std::string_view key) {
  for (const Value::Entry& entry : value.entries) {
    if (is_reserved_key(entry.key)) {
      reader.fail(entry.position, fmt::format("'{}' in '{}' is set by Berth", entry.key, key));
    }
  }
}

bool anything(std::string_view) {
  return true;
}

std::map<std::string, std::string> tolerations(const Reader& reader, const Value& value) {
  std::map<std::string, std::string> all = read_text_map(reader, value, "node_tolerations");
  for (const Value::Entry& entry : value.entries) {
    const std::string key = entry.key.substr(0, entry.key.find('='));
    if (!key.empty() && !is_label_key(key)) {
      reader.fail(entry.position,
                  fmt::format("'{}' in 'node_tolerations' must be key or key=value", entry.key));
    }
    if (!is_taint_effect(all[entry.key])) {
      reader.bad_value(entry.value, entry.key, "NoSchedule, PreferNoSchedule or NoExecute");
    }
  }
  return all;
}

std::vector<HostAlias> host_aliases(const Reader& reader, const Value& value) {
  std::vector<HostAlias> all;
  for (const Value& item : reader.list(value, "host_aliases")) {
    HostAlias& alias = all.emplace_back();
    if (item.kind != Value::Kind::map) reader.wrong_type(item, "host_aliases", "a list of maps");
    reader.map(item, "host_aliases",
               {{"ip",
                 [&](const Value& v) {
                   alias.ip = reader.text(v, "ip");
                   if (!is_address(alias.ip)) reader.bad_value(v, "ip", "an IP address");
                 }},
                {"hostnames", [&](const Value& v) {
                   alias.hostnames = reader.texts(
                       v, "hostnames", [](const std::string& t) { return is_dns_subdomain(t); },
                       "host names in lower case");
                 }}});
    if (alias.ip.empty()) reader.fail(item.position, "'host_aliases' has an entry without 'ip'");
  }
  return all;
}

/// Adds handlers of one shape each; `keys` owns the names that are put together.
class Handlers {
 public:
  explicit Handlers(const Reader& reader) : m_reader(reader) {}

  void text(std::string_view key, std::string& target) {
    m_all[key] = [this, key, &target](const Value& v) { target = m_reader.text(v, key); };
  }
  void pattern_of(std::string_view key, std::string& target) {
    m_all[key] = [this, key, &target](const Value& v) { target = pattern(m_reader, v, key); };
  }
  void quantity_of(std::string key, std::string& target) {
    const std::string& name = m_names.emplace_back(std::move(key));
    m_all[name] = [this, &name, &target](const Value& v) { target = quantity(m_reader, v, name); };
  }
  template <typename Flag>
  void flag(std::string_view key, Flag& target) {
    m_all[key] = [this, key, &target](const Value& v) { target = m_reader.boolean(v, key); };
  }
  void texts(std::string_view key, std::vector<std::string>& target) {
    m_all[key] = [this, key, &target](const Value& v) { target = m_reader.texts(v, key); };
  }
  void texts(std::string_view key, std::vector<std::string>& target,
             bool (*valid)(const std::string&), std::string_view expected) {
    m_all[key] = [this, key, &target, valid, expected](const Value& v) {
      target = m_reader.texts(v, key, valid, expected);
    };
  }
  template <typename Duration>
  void duration(std::string_view key, Duration& target, std::int64_t low) {
    m_all[key] = [this, key, &target, low](const Value& v) {
      target = m_reader.duration(v, key, low);
    };
  }
  void other(std::string_view key, Reader::Handler handler) { m_all[key] = std::move(handler); }

  const Reader::Handlers& all() const { return m_all; }

 private:
  const Reader& m_reader;
  std::list<std::string> m_names;
  Reader::Handlers m_all;
};

bool is_object_name(const std::string& text) {
  return is_dns_subdomain(text);
}

void add_access(Handlers& keys, const Reader& reader, Kubernetes& k) {
  keys.other("host", [&](const Value& v) { k.host = host(reader, v); });
  keys.text("context", k.context);
  keys.text("kubeconfig", k.kubeconfig);
  keys.text("cert_file", k.cert_file);
  keys.text("key_file", k.key_file);
  keys.text("ca_file", k.ca_file);
  keys.other("bearer_token", [&](const Value& v) {
    k.bearer_token = support::Secret(reader.text(v, "bearer_token"));
  });
  keys.flag("bearer_token_overwrite_allowed", k.bearer_token_overwrite_allowed);
  keys.other("namespace", [&](const Value& v) {
    k.namespace_name = reader.text(v, "namespace");
    if (!is_dns_label(k.namespace_name)) {
      reader.bad_value(v, "namespace", "lower case letters, digits and dashes");
    }
  });
  keys.pattern_of("namespace_overwrite_allowed", k.namespace_overwrite_allowed);
  keys.other("service_account", [&](const Value& v) {
    k.service_account = reader.text(v, "service_account");
    if (!is_dns_subdomain(k.service_account)) {
      reader.bad_value(v, "service_account", "the name of a service account");
    }
  });
  keys.pattern_of("service_account_overwrite_allowed", k.service_account_overwrite_allowed);
  keys.flag("automount_service_account_token", k.automount_service_account_token);
}

void add_images(Handlers& keys, const Reader& reader, core::Policy& policy, Kubernetes& k) {
  keys.text("image", policy.image);
  keys.text("helper_image", policy.helper_image);
  keys.text("agent_image", k.agent_image);
  keys.other("pull_policy", [&](const Value& v) {
    policy.pull_policies = read_pull_policies(reader, v, "pull_policy");
  });
  keys.other("allowed_pull_policies", [&](const Value& v) {
    policy.allowed_pull_policies = read_pull_policies(reader, v, "allowed_pull_policies");
  });
  keys.other("allowed_images", [&](const Value& v) {
    policy.allowed_images = read_globs(reader, v, "allowed_images");
  });
  keys.other("allowed_services", [&](const Value& v) {
    policy.allowed_services = read_globs(reader, v, "allowed_services");
  });
  keys.texts("image_pull_secrets", k.image_pull_secrets, is_object_name, "names of Secrets");
  keys.flag("use_service_account_image_pull_secrets", k.use_service_account_image_pull_secrets);
  keys.other("services", [&](const Value& v) {
    policy.services = read_services(reader, v, {"suspend_data_path"});
  });
  keys.other("docker_in_docker", [&](const Value& v) { read_docker_in_docker(reader, v, policy); });
  keys.text("docker_in_docker_image", policy.docker_in_docker_image);
  keys.other("wait_for_services_timeout",
             [&](const Value& v) { read_services_timeout(reader, v, policy); });
}

void add_security(Handlers& keys, const Reader& reader, Kubernetes& k) {
  keys.flag("privileged", k.privileged);
  keys.flag("allow_privilege_escalation", k.allow_privilege_escalation);
  keys.texts("cap_add", k.cap_add);
  keys.texts("cap_drop", k.cap_drop);
  keys.texts("allowed_users", k.allowed_users, is_id, "user ids");
  keys.texts("allowed_groups", k.allowed_groups, is_id, "group ids");
  keys.other("pod_security_context", [&](const Value& v) {
    k.pod_security = read_pod_security(reader, v, "pod_security_context");
  });
  const auto container = [&](std::string_view key, ContainerSecurity& target) {
    keys.other(key, [&reader, key, &target](const Value& v) {
      target = read_container_security(reader, v, key);
    });
  };
  container("build_container_security_context", k.build_security);
  container("helper_container_security_context", k.helper_security);
  container("service_container_security_context", k.service_security);
  container("init_permissions_container_security_context", k.init_security);
}

void add_scheduling(Handlers& keys, const Reader& reader, Kubernetes& k) {
  keys.other("node_selector", [&](const Value& v) {
    k.node_selector = checked_map(reader, v, "node_selector", is_label_value, "a label's value");
  });
  keys.pattern_of("node_selector_overwrite_allowed", k.node_selector_overwrite_allowed);
  keys.other("node_tolerations",
             [&](const Value& v) { k.node_tolerations = tolerations(reader, v); });
  keys.pattern_of("node_tolerations_overwrite_allowed", k.node_tolerations_overwrite_allowed);
  keys.other("affinity", [&](const Value& v) { k.affinity = read_affinity(reader, v); });
  keys.text("scheduler_name", k.scheduler_name);
  keys.text("priority_class_name", k.priority_class_name);
  keys.other("runtime_class_name",
             [&](const Value& v) { k.runtime_class_name = reader.text(v, "runtime_class_name"); });
  for (const ResourceKey& key : resource_keys()) {
    keys.quantity_of(key.key, key.value(k.*key.container));
    keys.quantity_of(key.key + "_overwrite_max_allowed", key.maximum(k.*key.container));
  }
}

void add_pod(Handlers& keys, const Reader& reader, Kubernetes& k) {
  keys.other("pod_labels", [&](const Value& v) {
    k.pod_labels = checked_map(reader, v, "pod_labels", anything, "");
    refuse_reserved(reader, v, "pod_labels");
  });
  keys.pattern_of("pod_labels_overwrite_allowed", k.pod_labels_overwrite_allowed);
  keys.other("pod_annotations", [&](const Value& v) {
    k.pod_annotations = checked_map(reader, v, "pod_annotations", anything, "");
    refuse_reserved(reader, v, "pod_annotations");
  });
  keys.pattern_of("pod_annotations_overwrite_allowed", k.pod_annotations_overwrite_allowed);
  keys.other("volumes", [&](const Value& v) { k.volumes = read_kubernetes_volumes(reader, v); });
  keys.other("dns_policy", [&](const Value& v) { k.dns_policy = dns_policy(reader, v); });
  keys.other("dns_config", [&](const Value& v) { k.dns_config = read_dns_config(reader, v); });
  keys.other("host_aliases", [&](const Value& v) { k.host_aliases = host_aliases(reader, v); });
  keys.other("container_lifecycle",
             [&](const Value& v) { k.container_lifecycle = read_lifecycle(reader, v); });
  keys.other("pod_spec", [&](const Value& v) { k.pod_spec = read_pod_spec(reader, v); });
  keys.flag("print_pod_warning_events", k.print_pod_warning_events);
  keys.duration("poll_interval", k.poll_interval, 1);
  keys.duration("poll_timeout", k.poll_timeout, 1);
  keys.duration("pod_termination_grace_period_seconds", k.pod_termination_grace_period, 0);
  keys.duration("cleanup_grace_period_seconds", k.cleanup_grace_period, 0);
  keys.duration("cleanup_resources_timeout", k.cleanup_resources_timeout, 1);
}

}  // namespace

void read_kubernetes_section(const Reader& reader, const Value& value, core::Policy& policy,
                             Kubernetes& kubernetes) {
  // The cluster decides where nothing is said.
  policy.pull_policies.clear();
  Handlers keys(reader);
  add_access(keys, reader, kubernetes);
  add_images(keys, reader, policy, kubernetes);
  add_security(keys, reader, kubernetes);
  add_scheduling(keys, reader, kubernetes);
  add_pod(keys, reader, kubernetes);
  reader.map(value, "kubernetes", keys.all(), refused_keys());
  if (const auto found = kubernetes.node_selector.find("kubernetes.io/arch");
      found != kubernetes.node_selector.end()) {
    policy.machine = found->second;
  }
  if (!kubernetes.cert_file.empty() != !kubernetes.key_file.empty()) {
    reader.fail(value.position, "'kubernetes' has only one of 'cert_file' and 'key_file'");
  }
}

}  // namespace berth::settings
