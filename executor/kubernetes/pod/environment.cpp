#include "executor/kubernetes/pod/environment.hpp"

#include "executor/core/expand.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::kubernetes {
namespace {

/// A shorter value is a word that may stand anywhere; GitLab
/// itself masks from 8 characters on.
constexpr std::size_t k_shortest_secret = 8;

/// What every Kubernetes version takes for the name of a variable.
bool is_variable_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
  };
  return !name.empty() && is_letter(name.front()) && name != "." && !name.starts_with("..") &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

void set(std::vector<NameValue>& all, const std::string& name, std::string value) {
  const auto known =
      std::find_if(all.begin(), all.end(), [&](const NameValue& one) { return one.name == name; });
  if (known == all.end()) {
    all.push_back({.name = name, .value = std::move(value)});
  } else {
    known->value = std::move(value);
  }
}

void remove(std::vector<NameValue>& all, std::string_view name) {
  std::erase_if(all, [&](const NameValue& one) { return one.name == name; });
}

bool is_public(const PodInputs& inputs, std::string_view name) {
  return inputs.container_environment.find(name) != nullptr ||
         inputs.expanded.find(name) == nullptr;
}

/// Whether the value is made of a variable that containers are not given.
bool uses_hidden(const PodInputs& inputs, const core::Variables& own, const std::string& value) {
  bool hidden = false;
  core::expand(value, [&](std::string_view name) -> std::string {
    hidden = hidden || (own.find(name) == nullptr && !is_public(inputs, name));
    return {};
  });
  return hidden;
}

}  // namespace

ContainerEnvironment build_environment(const PodInputs& inputs) {
  ContainerEnvironment environment;
  for (const core::Variable& variable : inputs.container_environment.all()) {
    if (!is_variable_name(variable.key)) continue;
    if (!revealed(variable.value, inputs.expanded).empty()) {
      environment.withheld.push_back(variable.key);
      continue;
    }
    set(environment.plain, variable.key, variable.value);
  }
  return environment;
}

ContainerEnvironment service_environment(const PodInputs& inputs, std::size_t index) {
  ContainerEnvironment environment = build_environment(inputs);
  const core::Variables own(index < inputs.services.size() ? inputs.services[index].own
                                                           : std::vector<core::Variable>{});
  core::Variables source = inputs.expanded;
  for (const core::Variable& variable : own.all()) source.set(variable);
  for (const core::Variable& variable : own.all()) {
    if (!is_variable_name(variable.key)) continue;
    const std::string value = variable.raw ? variable.value : core::expand(variable.value, source);
    const bool hidden = (!variable.raw && uses_hidden(inputs, own, variable.value)) ||
                        !revealed(value, inputs.expanded).empty();
    remove(hidden ? environment.plain : environment.secret, variable.key);
    set(hidden ? environment.secret : environment.plain, variable.key, value);
    std::erase(environment.withheld, variable.key);
  }
  const dind::JobDaemon* daemon =
      inputs.daemons == nullptr ? nullptr : inputs.daemons->found.find(index);
  if (daemon == nullptr) return environment;
  for (const auto& [key, value] : daemon->plan.environment) {
    remove(environment.secret, key);
    set(environment.plain, key, value);
  }
  return environment;
}

std::string revealed(std::string_view text, const core::Variables& variables) {
  for (const core::Variable& variable : variables.all()) {
    if (variable.masked && variable.value.size() >= k_shortest_secret &&
        text.find(variable.value) != std::string_view::npos) {
      return variable.key;
    }
  }
  return {};
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '$' ? "$$" : std::string(1, c);
  return result;
}

std::string expanded_setting(std::string_view text, const core::Variables& variables,
                             std::string_view where) {
  std::string value = core::expand(text, variables);
  const std::string masked = revealed(value, variables);
  if (!masked.empty()) {
    throw support::JobError(
        fmt::format("{} of berth.yaml: '{}' would show the masked variable {} to who may read "
                    "the pod",
                    where, text, masked),
        "do not put a masked value into a variable that the runner's operator uses there");
  }
  return value;
}

}  // namespace berth::kubernetes
