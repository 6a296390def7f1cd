#include "cli/env/env_command.hpp"

#include "cli/env/env_view.hpp"
#include "executor/app/ledgers.hpp"
#include "executor/core/overdue.hpp"
#include "executor/environments/events.hpp"
#include "executor/settings/settings.hpp"
#include "executor/settings/units.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/console.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <pwd.h>
#include <string_view>
#include <unistd.h>

namespace berth::cli {
namespace {

using environments::EventType;

/// What every verb works with.
class Session {
 public:
  explicit Session(const EnvOptions& options)
      : m_settings(settings::load(options.settings.empty() ? std::nullopt
                                                           : std::optional(options.settings))),
        m_console(STDERR_FILENO, support::color_wanted() && ::isatty(STDERR_FILENO) == 1),
        m_ledger(app::make_ledger(m_settings, m_console)) {}

  environments::Ledger& ledger() { return *m_ledger; }

  EnvFacts facts(const std::string& name) {
    return {.name = name,
            .history = m_ledger->history(name, 0),
            .lock = m_ledger->lock_state(name),
            .approvals = m_ledger->approvals(name),
            .rule = settings::rule_of(*m_settings.environments, name)};
  }

  /// Of the ledger, and of rules that are names and no patterns.
  std::vector<std::string> names() {
    std::vector<std::string> all = m_ledger->environments();
    for (const auto& rule : m_settings.environments->rules) {
      const bool plain = rule.name.find_first_of("*?[{\\") == std::string::npos;
      if (plain && std::find(all.begin(), all.end(), rule.name) == all.end()) {
        all.push_back(rule.name);
      }
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  /// A typing error must not make an environment.
  void expect_known(const std::string& name) {
    const auto all = names();
    if (std::find(all.begin(), all.end(), name) != all.end()) return;
    const bool ruled = !settings::rule_of(*m_settings.environments, name).name.empty();
    if (ruled) return;
    throw support::OperatorError(fmt::format("no such environment: '{}'", name),
                                 "`berth env list` shows those that are known");
  }

  void tell(EventType type, const std::string& environment, const std::string& user,
            const std::string& text) {
    environments::Event event{.type = type, .at = support::unix_seconds(), .text = text};
    event.deployment.environment = environment;
    event.deployment.user = user;
    environments::make_events({.targets = m_settings.environments->events}, m_console, {})
        ->tell(event);
  }

 private:
  settings::Settings m_settings;
  support::StreamConsole m_console;
  std::unique_ptr<environments::Ledger> m_ledger;
};

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
  Session session(options);
  std::vector<EnvFacts> all;
  for (const std::string& name : session.names()) all.push_back(session.facts(name));
  const std::int64_t now = support::unix_seconds();
  fmt::print("{}", options.json ? list_json(all, now) : list_text(all, now));
  return 0;
}

int run_env_show(const EnvOptions& options) {
  Session session(options);
  session.expect_known(options.environment);
  const EnvFacts facts = session.facts(options.environment);
  const std::int64_t now = support::unix_seconds();
  fmt::print("{}", options.json ? show_json(facts, now) : show_text(facts, now));
  return 0;
}

int run_env_history(const EnvHistoryOptions& options) {
  Session session(options);
  session.expect_known(options.environment);
  const auto history = session.ledger().history(options.environment, options.limit);
  fmt::print("{}", options.json ? history_json(history) : history_text(history));
  return 0;
}

int run_env_lock(const EnvLockOptions& options) {
  Session session(options);
  session.expect_known(options.environment);
  const std::int64_t now = support::unix_seconds();
  const environments::ManualLock lock{.user = operator_account(),
                                      .reason = options.reason,
                                      .since = now,
                                      .until = end_of(options.duration, now)};
  const auto before = session.ledger().lock_state(options.environment);
  if (before.manual && before.manual->user != lock.user) {
    throw support::OperatorError(
        fmt::format("environment '{}' is locked by {} since {}: {}", options.environment,
                    before.manual->user, core::utc_minute(before.manual->since),
                    before.manual->reason),
        "`berth env unlock` first");
  }
  session.ledger().set_manual_lock(options.environment, lock);
  session.tell(EventType::locked, options.environment, lock.user, lock.reason);
  if (options.json) {
    fmt::print("{}", show_json(session.facts(options.environment), now));
    return 0;
  }
  fmt::print("locked '{}' {}\n", options.environment,
             lock.until == 0 ? "until it is unlocked" : "until " + core::utc_minute(lock.until));
  if (before.holder) {
    fmt::print("{} still runs there and is not stopped\n", before.holder->who);
  }
  return 0;
}

int run_env_unlock(const EnvOptions& options) {
  Session session(options);
  session.expect_known(options.environment);
  const auto before = session.ledger().lock_state(options.environment);
  if (before.manual) {
    session.ledger().set_manual_lock(options.environment, std::nullopt);
    session.tell(EventType::unlocked, options.environment, operator_account(),
                 before.manual->reason);
  }
  if (options.json) {
    fmt::print("{}", show_json(session.facts(options.environment), support::unix_seconds()));
    return 0;
  }
  fmt::print("{}\n", before.manual ? fmt::format("unlocked '{}'", options.environment)
                                   : fmt::format("'{}' was not locked", options.environment));
  return 0;
}

int run_env_approve(const EnvApproveOptions& options) {
  Session session(options);
  session.expect_known(options.environment);
  if (!options.user.empty() && ::getuid() != 0) {
    throw support::OperatorError("--user is for root alone: an approval is one's own");
  }
  const environments::Approval approval{
      .user = options.user.empty() ? operator_account() : options.user,
      .project = options.project,
      .pipeline = options.pipeline,
      .comment = options.comment,
      .at = support::unix_seconds()};
  const auto needed = session.facts(options.environment).rule.approvals;
  if (!needed.users.empty() &&
      std::find(needed.users.begin(), needed.users.end(), approval.user) == needed.users.end()) {
    throw support::OperatorError(fmt::format("'{}' is none of those whose approval counts for '{}'",
                                             approval.user, options.environment),
                                 "see `approvals` of its rule in berth.yaml");
  }
  session.ledger().approve(options.environment, approval);
  session.tell(EventType::approved, options.environment, approval.user,
               fmt::format("pipeline {} of {}", approval.pipeline, approval.project));
  if (options.json) {
    fmt::print("{}", show_json(session.facts(options.environment), approval.at));
    return 0;
  }
  fmt::print("{} approves that pipeline {} of {} deploys to '{}', good until {}\n", approval.user,
             approval.pipeline, approval.project, options.environment,
             core::utc_minute(approval.at + needed.valid_for.count()));
  return 0;
}

}  // namespace berth::cli
