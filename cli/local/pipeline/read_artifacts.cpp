#include "cli/local/pipeline/duration.hpp"
#include "cli/local/pipeline/entries.hpp"
#include "cli/local/pipeline/fields.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 8> k_known{"name", "paths",     "exclude",   "untracked",
                                                  "when", "expire_in", "expose_as", "reports"};
constexpr std::array<std::string_view, 2> k_unsupported{"public", "access"};
constexpr std::array<std::string_view, 2> k_reports{"junit", "dotenv"};
constexpr std::array<std::string_view, 24> k_other_reports{"accessibility",
                                                           "annotations",
                                                           "api_fuzzing",
                                                           "browser_performance",
                                                           "cluster_image_scanning",
                                                           "codequality",
                                                           "container_scanning",
                                                           "coverage_fuzzing",
                                                           "coverage_report",
                                                           "cyclonedx",
                                                           "dast",
                                                           "dependency_scanning",
                                                           "license_scanning",
                                                           "load_performance",
                                                           "lsif",
                                                           "metrics",
                                                           "performance",
                                                           "repository_xray",
                                                           "requirements",
                                                           "requirements_v2",
                                                           "sarif",
                                                           "sast",
                                                           "secret_detection",
                                                           "terraform"};
constexpr std::array<std::string_view, 3> k_when{"on_success", "on_failure", "always"};

void read_reports(const Value& map, Artifacts& artifacts, Problems& problems) {
  const Entry* reports = present_entry(map, "reports");
  if (reports == nullptr) return;
  if (!reports->value->is(Value::Kind::map)) {
    return wrong_type(*reports, "a map of report types", problems);
  }
  check_keys(*reports->value, {"`artifacts:reports`", k_reports, k_other_reports}, problems);
  artifacts.junit =
      words_field(*reports->value, "junit", problems).value_or(std::vector<std::string>{});
  artifacts.dotenv =
      words_field(*reports->value, "dotenv", problems).value_or(std::vector<std::string>{});
}

void read_expire_in(const Value& map, Artifacts& artifacts, Problems& problems) {
  const auto text = string_field(map, "expire_in", problems);
  if (!text) return;
  std::string small = *text;
  std::transform(small.begin(), small.end(), small.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (small != "never" && !parse_duration(*text)) {
    problems.add(
        map.find("expire_in")->value->place,
        fmt::format("`expire_in`: `{}` is no time; write it as \"1 week\" or \"never\"", *text));
  }
  artifacts.expire_in = *text;
}

void read_expose_as(const Value& map, Artifacts& artifacts, Problems& problems) {
  const auto text = string_field(map, "expose_as", problems);
  if (!text) return;
  const Place& place = map.find("expose_as")->value->place;
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool allowed = !text->empty() && word(text->front()) &&
                       std::all_of(text->begin(), text->end(),
                                   [&](char c) { return word(c) || c == '-' || c == ' '; });
  if (!allowed) {
    problems.add(place, "`expose_as` can contain only letters, digits, '-', '_' and spaces");
  }
  if (text->size() > 100) problems.add(place, "`expose_as` is longer than 100 characters");
  if (artifacts.paths.empty()) problems.add(place, "`expose_as` needs `paths`");
  for (const std::string& path : artifacts.paths) {
    if (path.find('*') != std::string::npos) {
      problems.add(place, fmt::format("`expose_as` goes with plain paths only, not `{}`", path));
    }
  }
  artifacts.expose_as = *text;
}

}  // namespace

std::optional<Artifacts> read_artifacts(const Entry& entry, Problems& problems) {
  if (!entry.value->is(Value::Kind::map)) {
    wrong_type(entry, "a map", problems);
    return std::nullopt;
  }
  const Value& map = *entry.value;
  check_keys(map, {"`artifacts`", k_known, k_unsupported}, problems);
  Artifacts artifacts;
  artifacts.name = string_field(map, "name", problems).value_or("");
  artifacts.paths = strings_field(map, "paths", problems).value_or(std::vector<std::string>{});
  artifacts.exclude = strings_field(map, "exclude", problems).value_or(std::vector<std::string>{});
  artifacts.untracked = boolean_field(map, "untracked", problems).value_or(false);
  artifacts.when = choice_field(map, "when", k_when, problems).value_or("on_success");
  read_expire_in(map, artifacts, problems);
  read_expose_as(map, artifacts, problems);
  read_reports(map, artifacts, problems);
  return artifacts;
}

}  // namespace berth::local::pipeline
