#include "cli/local/pipeline/entries.hpp"
#include "cli/local/pipeline/fields.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 3> k_retry{"max", "when", "exit_codes"};
constexpr std::array<std::string_view, 14> k_failures{"always",
                                                      "unknown_failure",
                                                      "script_failure",
                                                      "api_failure",
                                                      "stuck_or_timeout_failure",
                                                      "runner_system_failure",
                                                      "runner_unsupported",
                                                      "stale_schedule",
                                                      "job_execution_timeout",
                                                      "archived_failure",
                                                      "unmet_prerequisites",
                                                      "scheduler_failure",
                                                      "data_integrity_failure",
                                                      "missing_dependency_failure"};
constexpr int k_max_retries = 2;

constexpr std::array<std::string_view, 3> k_need{"job", "artifacts", "optional"};
constexpr std::array<std::string_view, 4> k_need_unsupported{"project", "ref", "pipeline",
                                                             "parallel"};
/// The default of the application setting ci_needs_size_limit.
constexpr std::size_t k_max_needs = 50;

constexpr std::array<std::string_view, 1> k_allow_failure{"exit_codes"};

void read_max(const Value& map, Retry& retry, Problems& problems) {
  const Entry* entry = present_entry(map, "max");
  if (entry == nullptr) return;
  const auto number = integer_of(*entry->value);
  if (!number || *number < 0 || *number > k_max_retries) {
    return wrong_type(*entry, fmt::format("a number from 0 to {}", k_max_retries), problems);
  }
  retry.max = *number;
}

void read_reasons(const Value& map, Retry& retry, Problems& problems) {
  const auto reasons = words_field(map, "when", problems);
  if (!reasons) return;
  for (const std::string& reason : *reasons) {
    if (std::find(k_failures.begin(), k_failures.end(), reason) != k_failures.end()) continue;
    std::string text = fmt::format("`{}` is no failure that `retry:when` knows", reason);
    if (const auto near = nearest(reason, k_failures); !near.empty()) {
      text += fmt::format("; did you mean `{}`?", near);
    }
    problems.add(map.find("when")->value->place, std::move(text));
  }
  retry.when = *reasons;
}

std::optional<NeedEntry> read_need(const Value& value, Problems& problems) {
  NeedEntry result;
  result.place = value.place;
  if (value.is(Value::Kind::string)) {
    result.need.job = value.text;
    return result;
  }
  if (!value.is(Value::Kind::map)) {
    problems.add(value.place,
                 fmt::format("a need must be a job's name or a map, not {}", kind_name(value)));
    return std::nullopt;
  }
  check_keys(value, {"`needs`", k_need, k_need_unsupported}, problems);
  for (const std::string_view key : k_need_unsupported) {
    if (value.find(key) != nullptr) return std::nullopt;
  }
  if (present_entry(value, "job") == nullptr) {
    problems.add(value.place, "a need has no `job`");
    return std::nullopt;
  }
  const auto job = string_field(value, "job", problems);
  if (!job) return std::nullopt;
  result.need.job = *job;
  result.need.artifacts = boolean_field(value, "artifacts", problems).value_or(true);
  result.need.optional = boolean_field(value, "optional", problems).value_or(false);
  return result;
}

}  // namespace

std::optional<When> when_of(const std::string& word) {
  if (word == "on_success") return When::on_success;
  if (word == "on_failure") return When::on_failure;
  if (word == "always") return When::always;
  if (word == "manual") return When::manual;
  return std::nullopt;
}

std::string_view to_string(When when) {
  switch (when) {
    case When::on_success:
      return "on_success";
    case When::on_failure:
      return "on_failure";
    case When::always:
      return "always";
    case When::manual:
      return "manual";
  }
  return "on_success";
}

Retry read_retry(const Entry& entry, Problems& problems) {
  Retry retry;
  if (entry.value->is(Value::Kind::map)) {
    check_keys(*entry.value, {"`retry`", k_retry, {}}, problems);
    read_max(*entry.value, retry, problems);
    read_reasons(*entry.value, retry, problems);
    retry.exit_codes =
        integers_field(*entry.value, "exit_codes", problems).value_or(std::vector<int>{});
  } else {
    const auto number = integer_of(*entry.value);
    if (!number || *number < 0 || *number > k_max_retries) {
      wrong_type(entry, fmt::format("a number from 0 to {} or a map", k_max_retries), problems);
      return retry;
    }
    retry.max = *number;
  }
  // Gitlab::Ci::Build::AutoRetry: any failure, unless exit codes narrow it down.
  if (retry.when.empty() && retry.exit_codes.empty()) retry.when = {"always"};
  return retry;
}

std::optional<AllowFailure> read_allow_failure(const Entry& entry, Problems& problems) {
  AllowFailure result;
  if (entry.value->is(Value::Kind::boolean)) {
    result.allowed = entry.value->is_true();
    return result;
  }
  if (!entry.value->is(Value::Kind::map)) {
    wrong_type(entry, "true, false or a map with `exit_codes`", problems);
    return std::nullopt;
  }
  check_keys(*entry.value, {"`allow_failure`", k_allow_failure, {}}, problems);
  result.exit_codes =
      integers_field(*entry.value, "exit_codes", problems).value_or(std::vector<int>{});
  return result;
}

std::vector<NeedEntry> read_needs(const Entry& entry, Problems& problems) {
  std::vector<NeedEntry> needs;
  if (!entry.value->is(Value::Kind::list)) {
    wrong_type(entry, "a list of jobs", problems);
    return needs;
  }
  for (const ValuePtr& item : flatten(*entry.value, problems)) {
    auto need = read_need(*item, problems);
    if (!need) continue;
    const bool twice = std::any_of(needs.begin(), needs.end(), [&](const NeedEntry& other) {
      return other.need.job == need->need.job;
    });
    if (twice) {
      problems.add(need->place, fmt::format("`{}` stands twice in `needs`", need->need.job));
      continue;
    }
    needs.push_back(*std::move(need));
  }
  if (needs.size() > k_max_needs) {
    problems.add(entry.value->place, fmt::format("a job can need {} jobs at most", k_max_needs));
  }
  return needs;
}

}  // namespace berth::local::pipeline
