#include "executor/settings/resource_keys.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace berth::settings {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

std::vector<ResourceKey> make_keys() {
  constexpr std::array<std::pair<std::string_view, Resources Kubernetes::*>, 4> k_containers{
      {{"", &Kubernetes::build},
       {"helper_", &Kubernetes::helper},
       {"service_", &Kubernetes::service},
       {"pod_", &Kubernetes::pod}}};
  constexpr std::array<std::pair<std::string_view, std::string Amounts::*>, 3> k_amounts{
      {{"cpu", &Amounts::cpu},
       {"memory", &Amounts::memory},
       {"ephemeral_storage", &Amounts::ephemeral_storage}}};
  std::vector<ResourceKey> keys;
  for (const auto& [prefix, container] : k_containers) {
    for (const auto& [name, amount] : k_amounts) {
      // A pod as a whole has no ephemeral storage of its own.
      if (container == &Kubernetes::pod && amount == &Amounts::ephemeral_storage) continue;
      for (const bool limit : {true, false}) {
        const std::string key =
            std::string(prefix) + std::string(name) + (limit ? "_limit" : "_request");
        keys.push_back({.key = key,
                        .variable = "KUBERNETES_" + upper(key),
                        .container = container,
                        .limit = limit,
                        .amount = amount});
      }
    }
  }
  return keys;
}

}  // namespace

const std::vector<ResourceKey>& resource_keys() {
  static const std::vector<ResourceKey> keys = make_keys();
  return keys;
}

}  // namespace berth::settings
