#include "executor/environments/policy.hpp"

#include "executor/core/image_ref.hpp"
#include "executor/environments/deployment_json.hpp"
#include "executor/environments/window.hpp"
#include "executor/settings/timezone.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace berth::environments {
namespace {

using settings::EnvironmentRule;
using settings::Window;

class Judge {
 public:
  Judge(const EnvironmentRule& rule, const Request& request) : m_rule(rule), m_request(request) {}

  [[noreturn]] void refuse(std::string_view key, std::string_view why, std::string hint) const {
    throw Refusal(std::string(key),
                  fmt::format("environment '{}' is closed to this job: rule '{}', {}: {}",
                              m_request.environment,
                              m_rule.name.empty() ? "(default)" : m_rule.name, key, why),
                  std::move(hint));
  }

  void one_of(std::string_view key, const std::vector<std::string>& allowed, std::string_view what,
              const std::string& value) const {
    const bool good =
        allowed.empty() || std::any_of(allowed.begin(), allowed.end(), [&](const std::string& one) {
          return one == value || core::glob_match(one, value);
        });
    if (good) return;
    refuse(key, fmt::format("{} '{}' is none of {}", what, value, fmt::join(allowed, ", ")),
           "it does not pass with time: ask the runner's operator");
  }

 private:
  const EnvironmentRule& m_rule;
  const Request& m_request;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string utc(std::int64_t time) {
  return settings::in_zone("UTC", Moment(std::chrono::seconds(time)));
}

void check_manual_lock(const Judge& judge, const Known& known, std::int64_t now) {
  if (!known.manual) return;
  const ManualLock& lock = *known.manual;
  if (lock.until != 0 && lock.until <= now) return;
  const std::string end =
      lock.until == 0 ? std::string("until it is unlocked") : "until " + utc(lock.until);
  judge.refuse("locked by hand",
               fmt::format("{} has locked it since {}, {}{}", lock.user, utc(lock.since), end,
                           lock.reason.empty() ? "" : ": " + support::one_line(lock.reason, 200)),
               "retry the job then; `berth env unlock` ends the lock");
}

std::string describe(const Window& window) {
  return fmt::format("{}from \"{}\" to \"{}\" {}",
                     window.reason.empty() ? "" : fmt::format("'{}', ", window.reason),
                     window.from.text, window.to.text, window.timezone);
}

std::string when(const std::optional<Moment>& until, const std::string& zone) {
  if (!until) return "no deployment will pass: the windows never leave room";
  return "it passes from " + settings::in_zone(zone, *until) + " on";
}

std::string retry_hint(const EnvironmentRule& rule) {
  if (rule.break_glass.variable.empty()) return "retry the job then";
  return fmt::format("retry the job then; in an emergency run it with {}=<reason>",
                     rule.break_glass.variable);
}

/// What windows say against it, as a Refusal; nothing where they let it pass.
std::optional<Refusal> windows_against(const Judge& judge, const EnvironmentRule& rule,
                                       const Request& request, std::int64_t now) {
  const auto caught = [&](std::string_view key, const std::string& why,
                          const std::string& hint) -> std::optional<Refusal> {
    try {
      judge.refuse(key, why, hint);
    } catch (const Refusal& refusal) {
      return refusal;
    }
  };
  const Windows windows = look(rule.freeze, rule.allow, Moment(std::chrono::seconds(now)));
  if (windows.frozen_by != nullptr) {
    return caught("freeze",
                  fmt::format("a freeze is on, {}; {}", describe(*windows.frozen_by),
                              when(windows.until, windows.frozen_by->timezone)),
                  retry_hint(rule));
  }
  if (!windows.may_deploy) {
    return caught("allow",
                  fmt::format("no window for deployments is open; {}",
                              when(windows.until, rule.allow.front().timezone)),
                  retry_hint(rule));
  }
  if (rule.gitlab_freeze && request.gitlab_freeze) {
    return caught("gitlab_freeze",
                  "a freeze period of the GitLab project is on (CI_DEPLOY_FREEZE); it passes when "
                  "that ends",
                  "see Settings > CI/CD > Deploy freezes of the project; " + retry_hint(rule));
  }
  return std::nullopt;
}

bool may_break_glass(const EnvironmentRule& rule, const Request& request) {
  const auto& users = rule.break_glass.users;
  return users.empty() || std::any_of(users.begin(), users.end(), [&](const std::string& one) {
           return one == request.user || core::glob_match(one, request.user);
         });
}

std::string check_windows(const Judge& judge, const EnvironmentRule& rule, const Request& request,
                          const std::string& reason, std::int64_t now) {
  const auto refusal = windows_against(judge, rule, request, now);
  if (!refusal) return {};
  if (reason.empty()) throw *refusal;
  if (!may_break_glass(rule, request)) {
    throw Refusal(refusal->rule(),
                  fmt::format("{}; {} may not be used by '{}'", refusal->what(),
                              rule.break_glass.variable, request.user),
                  "ask one of: " + fmt::format("{}", fmt::join(rule.break_glass.users, ", ")));
  }
  return support::one_line(reason, 500);
}

bool is_success(const Deployment& one) {
  return one.action == Action::start && one.result == Result::success;
}

/// A pipeline that once deployed here may do so again: that is a rollback by hand,
/// as GitLab's own "roll back environment" starts it.
std::int64_t check_outdated(const Judge& judge, const EnvironmentRule& rule, const Request& request,
                            const std::vector<Deployment>& history) {
  if (request.action != Action::start) return 0;
  // Ids of pipelines say nothing between projects.
  const auto last = std::find_if(history.begin(), history.end(), [&](const Deployment& one) {
    return is_success(one) && one.project_id == request.project_id;
  });
  if (last == history.end() || last->pipeline <= request.pipeline) return 0;
  const auto same = std::find_if(history.begin(), history.end(), [&](const Deployment& one) {
    return is_success(one) && one.project_id == request.project_id &&
           one.pipeline == request.pipeline && one.sha == request.sha;
  });
  if (same != history.end()) return same->number;
  if (rule.outdated) return 0;
  judge.refuse("outdated",
               fmt::format("pipeline {} is older than pipeline {}, which deployed {} of '{}' there "
                           "at {}",
                           request.pipeline, last->pipeline, last->sha.substr(0, 8), last->ref,
                           utc(last->ended)),
               "run a new pipeline; to go back to an earlier deployment use `berth env rollback`, "
               "or retry the job that made it");
}

std::vector<std::string> check_approvals(const Judge& judge, const EnvironmentRule& rule,
                                         const Request& request,
                                         const std::vector<Approval>& approvals, std::int64_t now) {
  const settings::ApprovalRule& wanted = rule.approvals;
  if (wanted.count == 0) return {};
  std::vector<std::string> users;
  for (const Approval& one : approvals) {
    const std::string user = lower(one.user);
    const auto is_user = [&](const std::string& other) { return lower(other) == user; };
    const bool counts =
        one.project == request.project && one.pipeline == request.pipeline &&
        one.at + wanted.valid_for.count() > now && user != lower(request.user) &&
        (wanted.users.empty() || std::any_of(wanted.users.begin(), wanted.users.end(), is_user)) &&
        std::none_of(users.begin(), users.end(), is_user);
    if (counts) users.push_back(one.user);
  }
  if (users.size() >= wanted.count) return users;
  judge.refuse(
      "approvals",
      fmt::format("{} of {} approvals are given{}; it passes when {}{} approved pipeline {}",
                  users.size(), wanted.count,
                  users.empty() ? "" : fmt::format(" (by {})", fmt::join(users, ", ")),
                  wanted.users.empty()
                      ? "others than " + request.user
                      : fmt::format("{} of {}", wanted.count, fmt::join(wanted.users, ", ")),
                  " have", request.pipeline),
      fmt::format("`berth env approve {} --project {} --pipeline {}` on the runner's host, then "
                  "retry the job",
                  request.environment, request.project, request.pipeline));
}

}  // namespace

void check_access(const EnvironmentRule& rule, const Request& request) {
  const Judge judge(rule, request);
  judge.one_of("projects", rule.projects, "project", request.project);
  judge.one_of("refs", rule.refs, "ref", request.ref);
  if (rule.protected_refs && !request.ref_protected) {
    judge.refuse("protected", fmt::format("ref '{}' is not protected", request.ref),
                 "it passes when the project protects that branch or tag");
  }
  judge.one_of("users", rule.users, "user", request.user);
  judge.one_of("sources", rule.sources, "a pipeline of source", request.source);
}

Decision decide(const EnvironmentRule& rule, const Request& request, const std::string& reason,
                const Known& known, std::int64_t now) {
  check_access(rule, request);
  const Judge judge(rule, request);
  check_manual_lock(judge, known, now);
  Decision decision;
  decision.break_glass = check_windows(judge, rule, request, reason, now);
  decision.of_number = check_outdated(judge, rule, request, known.history);
  decision.approved_by = check_approvals(judge, rule, request, known.approvals, now);
  return decision;
}

std::string break_glass_reason(const EnvironmentRule& rule, const core::Variables& variables) {
  return rule.break_glass.variable.empty() ? std::string()
                                           : variables.get(rule.break_glass.variable);
}

}  // namespace berth::environments
