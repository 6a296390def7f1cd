#include "executor/kubernetes/pod/overwrites.hpp"

#include "executor/settings/kubernetes_syntax.hpp"
#include "executor/settings/pattern.hpp"
#include "executor/settings/quantity.hpp"
#include "executor/settings/resource_keys.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <utility>

namespace berth::kubernetes {
namespace {

using settings::Quantity;

constexpr std::string_view k_ask =
    "use a value within that bound, or ask the runner's operator to widen it";

[[noreturn]] void refuse(std::string_view variable, std::string_view value, std::string_view why,
                         std::string_view hint = k_ask) {
  throw support::JobError(fmt::format("overwrite refused: {}: '{}' {}", variable, value, why),
                          std::string(hint));
}

std::string left_aside(std::string_view variable, std::string_view key) {
  return fmt::format("{} is left aside: the runner's settings have no {}", variable, key);
}

/// A quantity of the job, within its maximum.
void check_quantity(const std::string& variable, const std::string& value, const std::string& key,
                    const std::string& maximum) {
  const auto wanted = Quantity::parse(value);
  if (!wanted || *wanted < *Quantity::parse("0")) {
    refuse(variable, value, "is no quantity", "write it as 500m, 2 or 1Gi");
  }
  const auto most = Quantity::parse(maximum);
  if (!most) {
    throw support::OperatorError(
        fmt::format("{}_overwrite_max_allowed of berth.yaml: '{}' is no quantity", key, maximum));
  }
  if (*wanted > *most) {
    refuse(variable, value, fmt::format("is more than {}_overwrite_max_allowed, {}", key, maximum));
  }
}

class Overwriter {
 public:
  Overwriter(JobSettings& result, const core::Variables& variables)
      : m_settings(result.settings), m_notes(result.notes), m_variables(variables) {}

  void apply() {
    text("KUBERNETES_NAMESPACE_OVERWRITE", m_settings.namespace_name, "namespace_overwrite_allowed",
         m_settings.namespace_overwrite_allowed, settings::is_dns_label);
    text("KUBERNETES_SERVICE_ACCOUNT_OVERWRITE", m_settings.service_account,
         "service_account_overwrite_allowed", m_settings.service_account_overwrite_allowed,
         settings::is_dns_subdomain);
    bearer_token();
    entries("KUBERNETES_POD_LABELS_", m_settings.pod_labels, "pod_labels_overwrite_allowed",
            m_settings.pod_labels_overwrite_allowed, '=', true,
            [](std::string_view label, auto) { return !settings::is_reserved_key(label); });
    entries("KUBERNETES_POD_ANNOTATIONS_", m_settings.pod_annotations,
            "pod_annotations_overwrite_allowed", m_settings.pod_annotations_overwrite_allowed, '=',
            true, [](std::string_view label, auto) { return !settings::is_reserved_key(label); });
    entries("KUBERNETES_NODE_SELECTOR_", m_settings.node_selector,
            "node_selector_overwrite_allowed", m_settings.node_selector_overwrite_allowed, '=',
            true, [](auto, std::string_view value) { return settings::is_label_value(value); });
    entries("KUBERNETES_NODE_TOLERATIONS_", m_settings.node_tolerations,
            "node_tolerations_overwrite_allowed", m_settings.node_tolerations_overwrite_allowed,
            ':', false,
            [](auto, std::string_view effect) { return settings::is_taint_effect(effect); });
    for (const settings::ResourceKey& key : settings::resource_keys()) {
      settings::Resources& resources = m_settings.*key.container;
      quantity(key, key.maximum(std::as_const(resources)), key.value(resources));
    }
  }

 private:
  /// The job's value where it has one and may use it.
  const std::string* wanted(const std::string& variable, std::string_view key, bool allowed) {
    const core::Variable* found = m_variables.find(variable);
    if (found == nullptr || found->value.empty()) return nullptr;
    if (allowed) return &found->value;
    m_notes.push_back(left_aside(variable, key));
    return nullptr;
  }

  void text(const std::string& variable, std::string& target, std::string_view key,
            const std::string& pattern, bool (*valid)(std::string_view)) {
    const std::string* value = wanted(variable, key, !pattern.empty());
    if (value == nullptr) return;
    check_pattern(variable, *value, key, pattern);
    if (!valid(*value)) refuse(variable, *value, "is no name of such an object", "");
    target = *value;
    m_notes.push_back(fmt::format("{} is '{}'", variable, *value));
  }

  void bearer_token() {
    const std::string* value = wanted("KUBERNETES_BEARER_TOKEN", "bearer_token_overwrite_allowed",
                                      m_settings.bearer_token_overwrite_allowed);
    if (value == nullptr) return;
    m_settings.bearer_token = support::Secret(*value);
    m_notes.emplace_back("KUBERNETES_BEARER_TOKEN takes the place of the runner's own");
  }

  /// All variables with a prefix; each is <key><separator><value>.
  template <typename Valid>
  void entries(std::string_view prefix, std::map<std::string, std::string>& target,
               std::string_view key, const std::string& pattern, char separator,
               bool need_separator, const Valid& valid) {
    for (const core::Variable& variable : m_variables.all()) {
      if (!variable.key.starts_with(prefix)) continue;
      if (pattern.empty()) {
        m_notes.push_back(left_aside(variable.key, key));
        continue;
      }
      const std::string& value = variable.value;
      if (variable.masked) {
        refuse(variable.key, "[masked]", "would show a masked value to who may read the pod", "");
      }
      check_pattern(variable.key, value, key, pattern);
      const std::size_t at = value.find(separator);
      if (at == std::string::npos && need_separator) {
        refuse(variable.key, value, "is not of the form key=value", "");
      }
      const std::string name = value.substr(0, at);
      const std::string rest = at == std::string::npos ? std::string() : value.substr(at + 1);
      // A toleration's name is key or key=value, or nothing: it tolerates all.
      std::string_view checked = name;
      if (!need_separator) checked = checked.substr(0, checked.find('='));
      const bool named = settings::is_label_key(checked) || (!need_separator && checked.empty());
      if (!named || !valid(name, rest)) {
        refuse(variable.key, value,
               need_separator ? "has no key and value that Kubernetes takes"
                              : "is not of the form key[=value]:effect",
               "");
      }
      target[name] = rest;
      m_notes.push_back(fmt::format("{} is '{}'", variable.key, value));
    }
  }

  void quantity(const settings::ResourceKey& key, const std::string& maximum, std::string& target) {
    const std::string* value =
        wanted(key.variable, key.key + "_overwrite_max_allowed", !maximum.empty());
    if (value == nullptr) return;
    check_quantity(key.variable, *value, key.key, maximum);
    target = *value;
    m_notes.push_back(fmt::format("{} is '{}'", key.variable, *value));
  }

  static void check_pattern(std::string_view variable, const std::string& value,
                            std::string_view key, const std::string& pattern) {
    if (!settings::pattern_found(pattern, value)) {
      refuse(variable, value, fmt::format("does not match {}, '{}'", key, pattern));
    }
  }

  settings::Kubernetes& m_settings;
  std::vector<std::string>& m_notes;
  const core::Variables& m_variables;
};

}  // namespace

JobSettings apply_overwrites(const settings::Kubernetes& settings,
                             const core::Variables& variables) {
  JobSettings result{.settings = settings, .notes = {}};
  Overwriter(result, variables).apply();
  return result;
}

settings::Resources service_resources(const settings::Kubernetes& settings,
                                      const std::vector<core::Variable>& own,
                                      const std::string& name, std::vector<std::string>& notes) {
  settings::Resources resources = settings.service;
  const core::Variables variables(own);
  for (const settings::ResourceKey& key : settings::resource_keys()) {
    if (key.container != &settings::Kubernetes::service) continue;
    const std::string value = variables.get(key.variable);
    if (value.empty()) continue;
    const std::string where = fmt::format("{} of service '{}'", key.variable, name);
    const std::string maximum = key.maximum(std::as_const(resources));
    if (maximum.empty()) {
      notes.push_back(left_aside(where, key.key + "_overwrite_max_allowed"));
      continue;
    }
    check_quantity(where, value, key.key, maximum);
    key.value(resources) = value;
    notes.push_back(fmt::format("{} is '{}'", where, value));
  }
  return resources;
}

}  // namespace berth::kubernetes
