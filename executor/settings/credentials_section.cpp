#include "executor/settings/credentials_section.hpp"

#include "executor/core/volume.hpp"
#include "executor/settings/shared_keys.hpp"

#include <fmt/format.h>

#include <utility>

namespace berth::settings {
namespace {

/// More have no reason, and each is looked at for every variable of every job.
constexpr std::size_t k_most_entries = 100;

template <typename Word>
Word word(const Reader& reader, const Value& value, std::string_view key,
          std::initializer_list<std::pair<std::string_view, Word>> words) {
  const std::string text = reader.text(value, key);
  std::string expected;
  for (const auto& [name, meaning] : words) {
    if (text == name) return meaning;
    expected += (expected.empty() ? "" : " or ") + std::string(name);
  }
  reader.bad_value(value, key, expected);
}

void limit(const Reader& reader, const Value& value, std::string_view key, std::size_t size) {
  if (size > k_most_entries)
    reader.fail(value.position,
                fmt::format("'{}' has {} entries, more than {}", key, size, k_most_entries));
}

std::vector<std::string> globs(const Reader& reader, const Value& value, std::string_view key) {
  std::vector<std::string> all = read_globs(reader, value, key);
  limit(reader, value, key, all.size());
  return all;
}

/// One a tmpfs can be mounted at without hiding what the job itself needs.
bool is_shieldable(const std::string& path) {
  return path.starts_with('/') && path != "/" && core::clean_path(path) == path &&
         path.find(':') == std::string::npos && (path + "/").find("/../") == std::string::npos;
}

std::vector<Credentials::Scope> scope(const Reader& reader, const Value& value) {
  std::vector<Credentials::Scope> rules;
  for (const Value& item : reader.list(value, "scope")) {
    Credentials::Scope& rule = rules.emplace_back();
    reader.map(
        item, "scope",
        {{"variables", [&](const Value& v) { rule.variables = globs(reader, v, "variables"); }},
         {"projects", [&](const Value& v) { rule.projects = globs(reader, v, "projects"); }},
         {"environments",
          [&](const Value& v) { rule.environments = globs(reader, v, "environments"); }},
         {"protected_refs",
          [&](const Value& v) { rule.protected_refs = reader.boolean(v, "protected_refs"); }}});
    if (rule.variables.empty())
      reader.fail(item.position, "'scope' needs `variables`: names or patterns, \"*\" for all");
  }
  limit(reader, value, "scope", rules.size());
  return rules;
}

}  // namespace

void read_credentials_section(const Reader& reader, const Value& value, Credentials& credentials) {
  using C = Credentials;
  reader.map(value, "credentials",
             {{"recognise",
               [&](const Value& v) {
                 credentials.recognise = word<C::Recognise>(reader, v, "recognise",
                                                            {{"all", C::Recognise::all},
                                                             {"named", C::Recognise::named},
                                                             {"off", C::Recognise::off}});
               }},
              {"names", [&](const Value& v) { credentials.names = globs(reader, v, "names"); }},
              {"deliver",
               [&](const Value& v) {
                 credentials.deliver = word<C::Deliver>(reader, v, "deliver",
                                                        {{"variables", C::Deliver::variables},
                                                         {"files", C::Deliver::files},
                                                         {"off", C::Deliver::off}});
               }},
              {"on_invalid",
               [&](const Value& v) {
                 credentials.on_invalid = word<C::OnInvalid>(
                     reader, v, "on_invalid",
                     {{"warn", C::OnInvalid::warn}, {"fail", C::OnInvalid::fail}});
               }},
              {"normalise",
               [&](const Value& v) { credentials.normalise = reader.boolean(v, "normalise"); }},
              {"mask", [&](const Value& v) { credentials.mask = reader.boolean(v, "mask"); }},
              {"shield_paths",
               [&](const Value& v) {
                 credentials.shield_paths =
                     reader.texts(v, "shield_paths", is_shieldable,
                                  "absolute paths of directories, without ':'");
                 limit(reader, v, "shield_paths", credentials.shield_paths.size());
               }},
              {"shield_kubeconfig",
               [&](const Value& v) {
                 credentials.shield_kubeconfig = reader.boolean(v, "shield_kubeconfig");
               }},
              {"scan_artifacts",
               [&](const Value& v) {
                 credentials.scan_artifacts = word<C::Scan>(
                     reader, v, "scan_artifacts",
                     {{"off", C::Scan::off}, {"warn", C::Scan::warn}, {"fail", C::Scan::fail}});
               }},
              {"scope", [&](const Value& v) { credentials.scope = scope(reader, v); }}});
}

}  // namespace berth::settings
