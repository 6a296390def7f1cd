#include "cli/local/pipeline/entries.hpp"
#include "cli/local/pipeline/fields.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 4> k_image{"name", "entrypoint", "pull_policy", "docker"};
constexpr std::array<std::string_view, 7> k_service{
    "name", "entrypoint", "pull_policy", "docker", "command", "alias", "variables"};
constexpr std::array<std::string_view, 2> k_unsupported{"kubernetes", "ports"};
constexpr std::array<std::string_view, 2> k_docker{"platform", "user"};
constexpr std::array<std::string_view, 3> k_pull_policies{"always", "never", "if-not-present"};

void read_pull_policy(const Value& map, core::Image& image, Problems& problems) {
  const auto policies = words_field(map, "pull_policy", problems);
  if (!policies) return;
  const Place& place = map.find("pull_policy")->value->place;
  if (policies->empty()) problems.add(place, "`pull_policy` is empty");
  for (const std::string& policy : *policies) {
    if (std::find(k_pull_policies.begin(), k_pull_policies.end(), policy) ==
        k_pull_policies.end()) {
      problems.add(place, fmt::format("`pull_policy` must be {}, not `{}`", one_of(k_pull_policies),
                                      policy));
    }
  }
  image.pull_policy = *policies;
}

void read_docker(const Value& map, core::Image& image, Problems& problems) {
  const Entry* docker = present_entry(map, "docker");
  if (docker == nullptr) return;
  if (!docker->value->is(Value::Kind::map)) return wrong_type(*docker, "a map", problems);
  check_keys(*docker->value, {"`docker`", k_docker, {}}, problems);
  image.docker_platform = string_field(*docker->value, "platform", problems).value_or("");
  image.docker_user = string_field(*docker->value, "user", problems).value_or("");
}

/// What images and services have in common.
std::optional<core::Image> read_common(const Value& value, std::string_view what,
                                       const KeyTable& table, Problems& problems) {
  core::Image image;
  if (value.is(Value::Kind::string)) {
    image.name = value.text;
  } else if (value.is(Value::Kind::map)) {
    check_keys(value, table, problems);
    if (present_entry(value, "name") == nullptr) {
      problems.add(value.place, fmt::format("{} has no `name`", what));
      return std::nullopt;
    }
    const auto name = string_field(value, "name", problems);
    if (!name) return std::nullopt;
    image.name = *name;
    image.entrypoint = strings_field(value, "entrypoint", problems);
    read_pull_policy(value, image, problems);
    read_docker(value, image, problems);
  } else {
    problems.add(value.place,
                 fmt::format("{} must be a name or a map, not {}", what, kind_name(value)));
    return std::nullopt;
  }
  if (image.name.find_first_not_of(" \t\n") == std::string::npos) {
    problems.add(value.place, fmt::format("{} has an empty name", what));
    return std::nullopt;
  }
  return image;
}

}  // namespace

std::optional<core::Image> read_image(const Entry& entry, Problems& problems) {
  return read_common(*entry.value, "an image", {"`image`", k_image, k_unsupported}, problems);
}

std::vector<core::Image> read_services(const Entry& entry, Problems& problems) {
  std::vector<core::Image> services;
  if (!entry.value->is(Value::Kind::list)) {
    wrong_type(entry, "a list of services", problems);
    return services;
  }
  for (const ValuePtr& item : entry.value->items) {
    auto service =
        read_common(*item, "a service", {"a service", k_service, k_unsupported}, problems);
    if (!service) continue;
    if (item->is(Value::Kind::map)) {
      service->alias = string_field(*item, "alias", problems).value_or("");
      service->command = strings_field(*item, "command", problems);
      if (const Entry* variables = present_entry(*item, "variables")) {
        service->variables = read_variables(*variables, VariableForm::plain, problems);
      }
    }
    services.push_back(*std::move(service));
  }
  return services;
}

}  // namespace berth::local::pipeline
