#include "cli/env/env_view.hpp"

#include "executor/core/overdue.hpp"
#include "executor/environments/deployment_json.hpp"
#include "executor/environments/window.hpp"
#include "executor/settings/timezone.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::cli {
namespace {

using environments::Deployment;
using environments::Moment;
using environments::Result;
using nlohmann::ordered_json;

std::string dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

/// How many columns a terminal gives it: code points, near enough.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string what(const Deployment& one) {
  if (one.ref.empty()) return one.sha.substr(0, 8);
  return fmt::format("{} {}", one.ref, one.sha.substr(0, 8));
}

/// "start", "stop", "rollback to 3", "promotion of test 12"
std::string kind_words(const Deployment& one) {
  switch (one.origin) {
    case environments::Origin::rollback:
      return fmt::format("rollback to {}", one.of_number);
    case environments::Origin::promotion:
      return fmt::format("promotion of {} {}", one.of_environment, one.of_number);
    case environments::Origin::job:
    case environments::Origin::stop:
      break;
  }
  return std::string(to_string(one.action));
}

std::string outcome(const Deployment& one) {
  if (one.result == Result::running || one.ended == 0) return std::string(to_string(one.result));
  return fmt::format("{} ({})", to_string(one.result), duration_words(one.ended - one.started));
}

environments::Windows windows(const EnvFacts& facts, std::int64_t now) {
  return environments::look(facts.rule.freeze, facts.rule.allow, Moment(std::chrono::seconds(now)));
}

std::string windows_words(const EnvFacts& facts, std::int64_t now) {
  const auto seen = windows(facts, now);
  if (seen.may_deploy) return "open";
  const std::string zone =
      seen.frozen_by != nullptr ? seen.frozen_by->timezone : facts.rule.allow.front().timezone;
  const std::string until =
      seen.until ? "until " + settings::in_zone(zone, *seen.until) : std::string("for good");
  if (seen.frozen_by == nullptr) return fmt::format("closed {}", until);
  const std::string& reason = seen.frozen_by->reason;
  return fmt::format("frozen {}{}", until, reason.empty() ? "" : fmt::format(" ({})", reason));
}

std::string manual_words(const environments::ManualLock& lock) {
  return fmt::format("locked by {} since {}{}{}", lock.user, core::utc_minute(lock.since),
                     lock.until == 0 ? "" : " until " + core::utc_minute(lock.until),
                     lock.reason.empty() ? "" : ": " + support::one_line(lock.reason, 200));
}

std::string holder_words(const environments::Holder& holder) {
  return fmt::format("{}{} since {}", holder.who,
                     holder.user.empty() ? "" : fmt::format(" ({})", holder.user),
                     core::utc_minute(holder.since));
}

ordered_json holder_json(const environments::Holder& holder) {
  return {{"id", holder.id},
          {"who", holder.who},
          {"user", holder.user},
          {"since", environments::iso_time(holder.since)},
          {"expires", environments::iso_time(holder.expires)}};
}

ordered_json facts_json(const EnvFacts& facts, std::int64_t now) {
  const auto seen = windows(facts, now);
  const Deployment* const live = current(facts.history);
  ordered_json manual;
  if (facts.lock.manual) {
    const auto& lock = *facts.lock.manual;
    manual = {{"user", lock.user},
              {"reason", lock.reason},
              {"since", environments::iso_time(lock.since)},
              {"until", lock.until == 0 ? ordered_json()
                                        : ordered_json(environments::iso_time(lock.until))}};
  }
  ordered_json waiting = ordered_json::array();
  for (const auto& one : facts.lock.waiting) waiting.push_back(holder_json(one));
  return {{"environment", facts.name},
          {"project", facts.project.empty() ? ordered_json() : ordered_json(facts.project)},
          {"state", state_words(facts, now)},
          {"may_deploy", seen.may_deploy && !facts.lock.manual},
          {"opens",
           seen.until ? ordered_json(environments::iso_time(seen.until->time_since_epoch().count()))
                      : ordered_json()},
          {"manual_lock", manual},
          {"holder", facts.lock.holder ? holder_json(*facts.lock.holder) : ordered_json()},
          {"waiting", waiting},
          {"current", live == nullptr ? ordered_json() : to_json(*live, false)},
          {"last", facts.history.empty() ? ordered_json() : to_json(facts.history.front(), false)}};
}

std::string workload_line(const environments::Workload& one) {
  std::string images;
  for (const auto& image : one.containers) {
    images += fmt::format("{}{}{}", images.empty() ? "" : ", ", image.image,
                          image.digest.empty() ? "" : "@" + image.digest);
  }
  return images;
}

void append_workloads(std::string& text, const Deployment& deployment) {
  if (deployment.workloads.empty()) return;
  std::vector<std::vector<std::string>> rows{{"  WORKLOAD", "CHANGE", "REVISION", "IMAGES"}};
  for (const auto& one : deployment.workloads) {
    rows.push_back({fmt::format("  {}/{}", one.kind, one.name), std::string(to_string(one.change)),
                    fmt::format("{} -> {}", one.revision_before, one.revision_after),
                    workload_line(one)});
  }
  text += "\n" + table(rows);
}

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    text += line + "\n";
  }
  return text;
}

std::string duration_words(std::int64_t seconds) {
  if (seconds < 0) seconds = 0;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h {:02}m", seconds / 3600, seconds % 3600 / 60);
}

const Deployment* current(const std::vector<Deployment>& history) {
  for (const Deployment& one : history) {
    if (one.result != Result::success) continue;
    return one.action == environments::Action::start ? &one : nullptr;
  }
  return nullptr;
}

std::string state_words(const EnvFacts& facts, std::int64_t now) {
  if (facts.lock.manual) return manual_words(*facts.lock.manual);
  if (facts.lock.holder) {
    const auto waiting = facts.lock.waiting.size();
    return fmt::format("in use by {}{}", holder_words(*facts.lock.holder),
                       waiting == 0 ? "" : fmt::format(", {} waiting", waiting));
  }
  return windows_words(facts, now);
}

std::string list_text(const std::vector<EnvFacts>& all, std::int64_t now) {
  if (all.empty()) return "no environment is known yet: nothing has been deployed\n";
  std::vector<std::vector<std::string>> rows{
      {"ENVIRONMENT", "PROJECT", "RUNS", "LAST", "RESULT", "WHEN", "BY", "STATE"}};
  for (const EnvFacts& facts : all) {
    const Deployment* const live = current(facts.history);
    const Deployment* const last = facts.history.empty() ? nullptr : &facts.history.front();
    rows.push_back({facts.name, facts.project.empty() ? "-" : facts.project,
                    live == nullptr ? "-" : what(*live),
                    last == nullptr ? "-" : fmt::format("{}", last->number),
                    last == nullptr ? "-" : std::string(to_string(last->result)),
                    last == nullptr ? "-" : core::utc_minute(last->started),
                    last == nullptr || last->user.empty() ? "-" : last->user,
                    state_words(facts, now)});
  }
  return table(rows);
}

std::string show_text(const EnvFacts& facts, std::int64_t now) {
  const settings::EnvironmentRule& rule = facts.rule;
  std::string text =
      fmt::format("environment  {}{}\nrule         {}\nwindows      {}\n", facts.name,
                  facts.project.empty() ? "" : " of " + facts.project,
                  rule.name.empty() ? "none: the defaults" : rule.name, windows_words(facts, now));
  if (facts.lock.manual) text += "lock         " + manual_words(*facts.lock.manual) + "\n";
  if (facts.lock.holder) text += "in use by    " + holder_words(*facts.lock.holder) + "\n";
  for (const auto& one : facts.lock.waiting) text += "waiting      " + holder_words(one) + "\n";
  if (rule.approvals.count != 0) {
    text += fmt::format("approvals    {} needed for each pipeline\n", rule.approvals.count);
    for (const auto& one : facts.approvals) {
      if (one.at + rule.approvals.valid_for.count() <= now) continue;
      text += fmt::format("approved     pipeline {} of {} by {} at {}{}\n", one.pipeline,
                          one.project, one.user, core::utc_minute(one.at),
                          one.comment.empty() ? "" : ": " + support::one_line(one.comment, 200));
    }
  }
  const Deployment* const live = current(facts.history);
  if (live == nullptr) return text + "runs         nothing that is known\n";
  text += fmt::format("runs         deployment {}: {} of {}, by {} at {}\n", live->number,
                      what(*live), live->project.empty() ? "-" : live->project,
                      live->user.empty() ? "-" : live->user, core::utc_minute(live->started));
  if (!live->job_url.empty()) text += "job          " + live->job_url + "\n";
  if (!live->url.empty()) text += "url          " + live->url + "\n";
  if (!live->cluster.empty()) {
    text += fmt::format("cluster      {}, namespace {}\n", live->cluster, live->name_space);
  }
  append_workloads(text, *live);
  return text;
}

std::string history_text(const std::vector<Deployment>& history) {
  if (history.empty()) return "nothing has been deployed yet\n";
  std::vector<std::vector<std::string>> rows{
      {"NUMBER", "WHEN", "ACTION", "WHAT", "BY", "RESULT", "CAUSE"}};
  for (const Deployment& one : history) {
    std::string cause = support::one_line(one.cause, 120);
    if (!one.break_glass.empty()) {
      cause += fmt::format("{}glass broken: {}", cause.empty() ? "" : "; ",
                           support::one_line(one.break_glass, 120));
    }
    rows.push_back({fmt::format("{}", one.number), core::utc_minute(one.started), kind_words(one),
                    what(one), one.user.empty() ? "-" : one.user, outcome(one), cause});
  }
  return table(rows);
}

std::string list_json(const std::vector<EnvFacts>& all, std::int64_t now) {
  ordered_json list = ordered_json::array();
  for (const EnvFacts& facts : all) list.push_back(facts_json(facts, now));
  return dump(list);
}

std::string show_json(const EnvFacts& facts, std::int64_t now) {
  ordered_json object = facts_json(facts, now);
  object["rule"] = facts.rule.name;
  object["approvals_needed"] = facts.rule.approvals.count;
  object["approvals"] = ordered_json::array();
  for (const auto& one : facts.approvals) {
    object["approvals"].push_back({{"user", one.user},
                                   {"project", one.project},
                                   {"pipeline", one.pipeline},
                                   {"comment", one.comment},
                                   {"at", environments::iso_time(one.at)}});
  }
  return dump(object);
}

std::string history_json(const std::vector<Deployment>& history) {
  ordered_json list = ordered_json::array();
  for (const Deployment& one : history) list.push_back(to_json(one, false));
  return dump(list);
}

}  // namespace berth::cli
