#include "executor/kubernetes/pod/names.hpp"

#include "executor/core/image_ref.hpp"
#include "executor/core/names.hpp"
#include "executor/settings/kubernetes_syntax.hpp"
#include "executor/support/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace berth::kubernetes {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Labels that objects are selected by, so that they must be there, whatever
/// their value is.
bool is_selected_by(std::string_view key) {
  return key == k_label_host || key == k_label_tmpdir;
}

}  // namespace

std::string pod_name(const core::JobSpec& spec) {
  return spec.resource_name;
}
std::string secret_name(const core::JobSpec& spec) {
  return spec.resource_name;
}

std::string container_name(core::ContainerRole role) {
  return std::string(role == core::ContainerRole::helper ? k_helper_container : k_build_container);
}

std::vector<std::string> service_container_names(const core::JobSpec& spec) {
  std::set<std::string> taken{std::string(k_build_container), std::string(k_helper_container),
                              std::string(k_agent_container)};
  for (std::size_t i = 0; i < spec.services.size(); ++i) taken.insert(fmt::format("svc-{}", i));
  std::vector<std::string> names;
  for (const core::ServiceSpec& service : spec.services) {
    const std::vector<std::string> derived = core::service_names(service.container.image);
    const auto own =
        std::find_if(service.aliases.begin(), service.aliases.end(), [&](const std::string& alias) {
          return settings::is_dns_label(alias) && !taken.contains(alias) &&
                 std::find(derived.begin(), derived.end(), alias) == derived.end();
        });
    names.push_back(own == service.aliases.end() ? fmt::format("svc-{}", names.size()) : *own);
    taken.insert(names.back());
  }
  return names;
}

Marks attempt_marks(const core::JobSpec& spec, std::string_view host, std::string_view type) {
  Labels all = spec.labels;
  all[std::string(k_label_managed)] = "true";
  all[std::string(k_label_type)] = type;
  all[std::string(k_label_attempt)] = spec.attempt;
  all[std::string(k_label_host)] = host;
  all[std::string(k_label_tmpdir)] = spec.tmpdir;
  all[std::string(k_label_deadline)] = std::to_string(spec.deadline);
  all[std::string(k_label_version)] = support::version();

  Marks marks;
  for (const auto& [key, value] : all) {
    if (is_selected_by(key)) {
      marks.labels[key] = core::stable_hash(value);
      marks.annotations[key] = value;
    } else if (settings::is_label_value(value)) {
      marks.labels[key] = value;
    } else {
      marks.annotations[key] = value;
    }
  }
  return marks;
}

std::string host_selector(std::string_view host) {
  return fmt::format("{}=true,{}={}", k_label_managed, k_label_host, core::stable_hash(host));
}

std::string tmpdir_selector(std::string_view host, std::string_view tmpdir) {
  return fmt::format("{},{}={}", host_selector(host), k_label_tmpdir, core::stable_hash(tmpdir));
}

std::string attempt_selector(std::string_view attempt) {
  return fmt::format("{}=true,{}={}", k_label_managed, k_label_attempt, attempt);
}

std::string any_attempt_selector() {
  return fmt::format("{}=true,{}", k_label_managed, k_label_attempt);
}

std::string to_label_value(std::string_view text) {
  std::string value;
  for (const char c : text.substr(0, 63)) {
    value += is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' ? c : '_';
  }
  while (!value.empty() && !is_letter_or_digit(value.back())) value.pop_back();
  const auto first = std::find_if(value.begin(), value.end(), is_letter_or_digit);
  value.erase(value.begin(), first);
  return value;
}

}  // namespace berth::kubernetes
