#include "cli/env/env_command.hpp"

#include "cli/env/env_session.hpp"
#include "cli/env/env_view.hpp"
#include "executor/core/overdue.hpp"
#include "executor/settings/units.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <pwd.h>
#include <string_view>
#include <unistd.h>

namespace berth::cli {
namespace {

using environments::EventType;
using environments::ProjectEnvironment;

std::string account_of(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    throw support::OperatorError(fmt::format("user {} of this machine has no name", uid),
                                 "run the command as a user that /etc/passwd knows");
  }
  return found->pw_name;
}

/// Whoever sudo was called by; only root can claim to be it.
std::optional<uid_t> caller_of_sudo() {
  const char* const text = std::getenv("SUDO_UID");
  if (text == nullptr || ::getuid() != 0) return std::nullopt;
  const std::string_view digits(text);
  uid_t uid = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), uid);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return uid;
}

std::int64_t end_of(const std::string& duration, std::int64_t now) {
  if (duration.empty()) return 0;
  const auto length = settings::parse_duration(duration);
  if (!length || length->count() <= 0) {
    throw support::OperatorError(fmt::format("--for: not a time: '{}'", duration),
                                 "write it as 30m, 2h or 3d");
  }
  return now + length->count();
}

}  // namespace

std::string operator_account() {
  return account_of(caller_of_sudo().value_or(::getuid()));
}

int run_env_list(const EnvOptions& options) {
  EnvSession session(options);
  std::vector<EnvFacts> all;
  for (const ProjectEnvironment& one : session.all()) all.push_back(session.facts(one));
  const std::int64_t now = support::unix_seconds();
  fmt::print("{}", options.json ? list_json(all, now) : list_text(all, now));
  return 0;
}

int run_env_show(const EnvOptions& options) {
  EnvSession session(options);
  const EnvFacts facts = session.facts(session.one(options));
  const std::int64_t now = support::unix_seconds();
  fmt::print("{}", options.json ? show_json(facts, now) : show_text(facts, now));
  return 0;
}

int run_env_history(const EnvHistoryOptions& options) {
  EnvSession session(options);
  const ProjectEnvironment one = session.one(options);
  const auto history = session.ledger(one.project)->history(one.name, options.limit);
  fmt::print("{}", options.json ? history_json(history) : history_text(history));
  return 0;
}

int run_env_lock(const EnvLockOptions& options) {
  EnvSession session(options);
  const ProjectEnvironment one = session.all_or_one(options);
  const std::int64_t now = support::unix_seconds();
  const environments::ManualLock lock{.user = operator_account(),
                                      .reason = options.reason,
                                      .since = now,
                                      .until = end_of(options.duration, now)};
  const auto ledger = session.ledger(one.project);
  const auto before = ledger->lock_state(one.name);
  if (before.manual && before.manual->user != lock.user) {
    throw support::OperatorError(
        fmt::format("environment '{}' is locked by {} since {}: {}", one.name, before.manual->user,
                    core::utc_minute(before.manual->since), before.manual->reason),
        "`berth env unlock` first");
  }
  ledger->set_manual_lock(one.name, lock);
  session.tell(EventType::locked, one, lock.user, lock.reason);
  if (options.json) {
    fmt::print("{}", show_json(session.shown(one), now));
    return 0;
  }
  fmt::print("locked {} {}\n", words(one),
             lock.until == 0 ? "until it is unlocked" : "until " + core::utc_minute(lock.until));
  for (const EnvFacts& facts : session.locked_by(one)) {
    if (facts.lock.holder)
      fmt::print("{} still runs there and is not stopped\n", facts.lock.holder->who);
  }
  return 0;
}

int run_env_unlock(const EnvOptions& options) {
  EnvSession session(options);
  const ProjectEnvironment one = session.all_or_one(options);
  const auto before = session.own_lock(one);
  if (before) {
    session.ledger(one.project)->set_manual_lock(one.name, std::nullopt);
    session.tell(EventType::unlocked, one, operator_account(), before->reason);
  }
  if (options.json) {
    fmt::print("{}", show_json(session.shown(one), support::unix_seconds()));
    return 0;
  }
  fmt::print("{}\n", before ? fmt::format("unlocked {}", words(one))
                            : fmt::format("{} was not locked", words(one)));
  for (const EnvFacts& facts : session.locked_by(one)) {
    if (!facts.lock.manual) continue;
    fmt::print("{} is still locked\n", words({.name = facts.name, .project = facts.project}));
  }
  return 0;
}

int run_env_approve(const EnvApproveOptions& options) {
  EnvSession session(options);
  session.expect_known(options.environment);
  if (!options.user.empty() && ::getuid() != 0) {
    throw support::OperatorError("--user is for root alone: an approval is one's own");
  }
  // Of one that has not deployed yet as well.
  const ProjectEnvironment one{.name = options.environment, .project = options.project};
  const environments::Approval approval{
      .user = options.user.empty() ? operator_account() : options.user,
      .project = options.project,
      .pipeline = options.pipeline,
      .comment = options.comment,
      .at = support::unix_seconds()};
  const auto needed = session.facts(one).rule.approvals;
  if (!needed.users.empty() &&
      std::find(needed.users.begin(), needed.users.end(), approval.user) == needed.users.end()) {
    throw support::OperatorError(fmt::format("'{}' is none of those whose approval counts for '{}'",
                                             approval.user, options.environment),
                                 "see `approvals` of its rule in berth.yaml");
  }
  session.ledger(one.project)->approve(one.name, approval);
  session.tell(EventType::approved, one, approval.user,
               fmt::format("pipeline {} of {}", approval.pipeline, approval.project));
  if (options.json) {
    fmt::print("{}", show_json(session.facts(one), approval.at));
    return 0;
  }
  fmt::print("{} approves that pipeline {} of {} deploys to '{}', good until {}\n", approval.user,
             approval.pipeline, approval.project, options.environment,
             core::utc_minute(approval.at + needed.valid_for.count()));
  return 0;
}

}  // namespace berth::cli
