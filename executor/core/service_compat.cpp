#include "executor/core/service_compat.hpp"

#include "executor/core/expand.hpp"
#include "executor/core/image_ref.hpp"

#include <algorithm>
#include <array>

namespace berth::core {
namespace {

struct Change {
  /// In the last part of the repository's name: postgres, postgresql, postgis.
  std::string_view image;
  /// Not wanted by older images; nothing is done where one of these has a value.
  std::array<std::string_view, 3> satisfied_by;
  std::string_view variable;
  std::string_view value;
};

constexpr std::array k_changes = {
    // docker-library/postgres refuses to start without a password since February 2020.
    Change{"postg",
           {"POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_HOST_AUTH_METHOD"},
           "POSTGRES_HOST_AUTH_METHOD",
           "trust"},
};

std::string seen_by_service(std::string_view key, const std::vector<Variable>& own, const Job& job,
                            const Variables& expanded) {
  const auto last =
      std::find_if(own.rbegin(), own.rend(), [&](const Variable& one) { return one.key == key; });
  if (last != own.rend()) {
    if (last->raw) return last->value;
    Variables source = expanded;
    for (const Variable& variable : own) source.set(variable);
    return expand(last->value, source);
  }
  const Variable* sent = job.variables.find(key);
  return sent == nullptr || sent->is_public ? expanded.get(key) : std::string();
}

}  // namespace

std::map<std::string, std::string> service_compat(std::string_view image,
                                                  const std::vector<Variable>& own, const Job& job,
                                                  const Variables& expanded) {
  const std::string repository = parse_image_ref(image).repository;
  const std::string_view name = std::string_view(repository).substr(repository.rfind('/') + 1);
  std::map<std::string, std::string> added;
  for (const Change& change : k_changes) {
    if (name.find(change.image) == std::string_view::npos) continue;
    const bool satisfied = std::any_of(
        change.satisfied_by.begin(), change.satisfied_by.end(), [&](std::string_view key) {
          return !key.empty() && !seen_by_service(key, own, job, expanded).empty();
        });
    if (!satisfied) added.emplace(change.variable, change.value);
  }
  return added;
}

}  // namespace berth::core
