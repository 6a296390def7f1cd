#include "cli/gc_command.hpp"

#include "executor/app/env_actions.hpp"
#include "executor/app/upkeep.hpp"
#include "executor/settings/settings.hpp"
#include "executor/settings/units.hpp"
#include "executor/support/console.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <unistd.h>

namespace berth::cli {
namespace {

/// A job may have been given its volumes, and its containers not yet.
constexpr std::chrono::hours k_least_age{1};

std::optional<std::chrono::seconds> parse_age(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto age = settings::parse_duration(text);
  if (!age || *age < k_least_age) {
    throw support::OperatorError(
        fmt::format("--volumes-older-than: not a time of an hour or more: '{}'", text),
        "write it as 30d or 12h");
  }
  return age;
}

}  // namespace

std::string gc_report(const std::vector<core::Garbage>& all, bool dry_run) {
  std::string text;
  std::size_t failed = 0;
  for (const core::Garbage& one : all) {
    const char* verb = dry_run ? "would remove" : one.failure.empty() ? "removed" : "cannot remove";
    text += fmt::format("{} {} {}: {}", verb, one.kind, one.name, one.reason);
    if (!one.failure.empty()) {
      text += ": " + one.failure;
      ++failed;
    }
    text += '\n';
  }
  if (all.empty()) return "nothing is left over\n";
  const char* objects = all.size() == 1 ? "object is" : "objects are";
  if (dry_run) return text + fmt::format("{} {} left over\n", all.size(), objects);
  text += fmt::format("{} removed", all.size() - failed);
  if (failed > 0) text += fmt::format(", {} could not be", failed);
  return text + '\n';
}

int run_gc(const GcOptions& options) {
  const auto age = parse_age(options.volumes_older_than);
  const auto settings =
      settings::load(options.settings.empty() ? std::nullopt : std::optional(options.settings));
  support::StreamConsole console(STDERR_FILENO,
                                 support::color_wanted() && ::isatty(STDERR_FILENO) == 1);
  auto all = app::make_upkeep(settings, console)
                 ->collect_garbage({.dry_run = options.dry_run,
                                    .volumes_unused_for = age,
                                    .namespaces = options.namespaces},
                                   {});
  for (core::Garbage& one : app::end_expired_reviews(settings, options.dry_run, console, {}))
    all.push_back(std::move(one));
  fmt::print("{}", gc_report(all, options.dry_run));
  return std::any_of(all.begin(), all.end(), [](const auto& one) { return !one.failure.empty(); })
             ? 1
             : 0;
}

}  // namespace berth::cli
