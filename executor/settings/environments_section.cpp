#include "executor/settings/environments_section.hpp"

#include "executor/core/image_ref.hpp"
#include "executor/settings/shared_keys.hpp"
#include "executor/settings/timezone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace berth::settings {
namespace {

/// A word of a handful, by its place among them.
template <std::size_t N>
std::size_t choice(const Reader& reader, const Value& value, std::string_view key,
                   const std::array<std::string_view, N>& words, std::string_view expected) {
  const std::string text = reader.text(value, key);
  const auto found = std::find(words.begin(), words.end(), text);
  if (found == words.end()) reader.bad_value(value, key, expected);
  return static_cast<std::size_t>(found - words.begin());
}

std::filesystem::path absolute_path(const Reader& reader, const Value& value,
                                    std::string_view key) {
  std::filesystem::path path = reader.text(value, key);
  if (!path.is_absolute()) reader.bad_value(value, key, "an absolute path");
  return path;
}

std::string web_address(const Reader& reader, const Value& value, std::string_view key) {
  const std::string url = reader.text(value, key);
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const bool good = scheme != 0 && url.size() > scheme && url[scheme] != '/' &&
                    std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!good) reader.bad_value(value, key, "an address that begins with http:// or https://");
  return url;
}

core::Cron cron(const Reader& reader, const Value& value, std::string_view key) {
  const auto parsed = core::parse_cron(reader.text(value, key));
  if (!parsed) {
    reader.bad_value(value, key,
                     "a cron expression of five fields (minute hour day month weekday), such as "
                     "\"0 18 * * 5\"");
  }
  return *parsed;
}

Window window(const Reader& reader, const Value& value, std::string_view list) {
  Window result;
  reader.map(value, list,
             {{"from", [&](const Value& v) { result.from = cron(reader, v, "from"); }},
              {"to", [&](const Value& v) { result.to = cron(reader, v, "to"); }},
              {"timezone",
               [&](const Value& v) {
                 result.timezone = reader.text(v, "timezone");
                 if (!zone_valid(result.timezone)) {
                   reader.bad_value(v, "timezone",
                                    "a zone of the system's tzdata, such as Europe/Berlin");
                 }
               }},
              {"reason", [&](const Value& v) { result.reason = reader.text(v, "reason"); }}});
  if (result.from.text.empty() || result.to.text.empty()) {
    reader.fail(value.position, fmt::format("'{}' has a window without 'from' or 'to'", list));
  }
  if (result.from.text == result.to.text) {
    reader.fail(value.position,
                fmt::format("'{}' has a window that begins whenever it ends", list));
  }
  return result;
}

std::vector<Window> windows(const Reader& reader, const Value& value, std::string_view key) {
  std::vector<Window> all;
  for (const Value& item : reader.list(value, key)) all.push_back(window(reader, item, key));
  return all;
}

LockRule lock(const Reader& reader, const Value& value) {
  LockRule rule;
  reader.map(value, "lock",
             {{"busy",
               [&](const Value& v) {
                 constexpr std::array<std::string_view, 2> k_words{"wait", "fail"};
                 rule.busy = choice(reader, v, "busy", k_words, "wait or fail") == 0
                                 ? LockRule::Busy::wait
                                 : LockRule::Busy::fail;
               }},
              {"wait", [&](const Value& v) { rule.wait = reader.duration(v, "wait", 1); }}});
  return rule;
}

ApprovalRule approvals(const Reader& reader, const Value& value) {
  ApprovalRule rule;
  if (value.kind == Value::Kind::scalar) {
    rule.count = static_cast<unsigned>(reader.integer(value, "approvals", 0, 20));
    return rule;
  }
  rule.count = 1;
  reader.map(value, "approvals",
             {{"count",
               [&](const Value& v) {
                 rule.count = static_cast<unsigned>(reader.integer(v, "count", 0, 20));
               }},
              {"users", [&](const Value& v) { rule.users = reader.texts(v, "users"); }},
              {"valid_for",
               [&](const Value& v) { rule.valid_for = reader.duration(v, "valid_for", 1); }}});
  if (!rule.users.empty() && rule.users.size() < rule.count) {
    reader.fail(value.position, "'approvals' asks for more users than it names");
  }
  return rule;
}

BreakGlass break_glass(const Reader& reader, const Value& value) {
  BreakGlass rule;
  if (value.kind == Value::Kind::scalar) {
    rule.variable = reader.text(value, "break_glass");
    return rule;
  }
  reader.map(value, "break_glass",
             {{"variable", [&](const Value& v) { rule.variable = reader.text(v, "variable"); }},
              {"users", [&](const Value& v) { rule.users = read_globs(reader, v, "users"); }}});
  if (rule.variable.empty()) reader.fail(value.position, "'break_glass' has no 'variable'");
  return rule;
}

GateRule gate(const Reader& reader, const Value& value) {
  GateRule rule;
  if (value.kind == Value::Kind::scalar) {
    rule.enabled = reader.boolean(value, "gate");
    return rule;
  }
  reader.map(value, "gate",
             {{"timeout", [&](const Value& v) { rule.timeout = reader.duration(v, "timeout", 1); }},
              {"soak", [&](const Value& v) { rule.soak = reader.duration(v, "soak", 0); }},
              {"probe", [&](const Value& v) { rule.probe = web_address(reader, v, "probe"); }}});
  return rule;
}

ReviewRule review(const Reader& reader, const Value& value) {
  ReviewRule rule;
  reader.map(
      value, "review",
      {{"namespace", [&](const Value& v) { rule.name_space = reader.text(v, "namespace"); }},
       {"manifest", [&](const Value& v) { rule.manifest = absolute_path(reader, v, "manifest"); }},
       {"ttl", [&](const Value& v) { rule.ttl = reader.duration(v, "ttl", 60); }}});
  if (rule.name_space.empty()) reader.fail(value.position, "'review' has no 'namespace'");
  if (rule.name_space.find("{slug}") == std::string::npos) {
    reader.fail(value.position,
                "'namespace' in 'review' must contain {slug}: it is removed with its environment");
  }
  return rule;
}

EnvironmentRule rule(const Reader& reader, const Value& value) {
  EnvironmentRule result;
  const auto globs = [&](std::vector<std::string>& target, std::string_view key) {
    return [&reader, &target, key](const Value& v) { target = read_globs(reader, v, key); };
  };
  reader.map(
      value, "rules",
      {{"name",
        [&](const Value& v) {
          result.name = reader.text(v, "name");
          if (!core::glob_valid(result.name)) {
            reader.bad_value(v, "name", "an environment's name or a pattern such as review/*");
          }
        }},
       {"projects", globs(result.projects, "projects")},
       {"refs", globs(result.refs, "refs")},
       {"users", globs(result.users, "users")},
       {"protected",
        [&](const Value& v) { result.protected_refs = reader.boolean(v, "protected"); }},
       {"sources", [&](const Value& v) { result.sources = reader.texts(v, "sources"); }},
       {"contexts", globs(result.contexts, "contexts")},
       {"namespaces", globs(result.namespaces, "namespaces")},
       {"kubeconfig",
        [&](const Value& v) { result.kubeconfig = absolute_path(reader, v, "kubeconfig"); }},
       {"lock", [&](const Value& v) { result.lock = lock(reader, v); }},
       {"freeze", [&](const Value& v) { result.freeze = windows(reader, v, "freeze"); }},
       {"allow", [&](const Value& v) { result.allow = windows(reader, v, "allow"); }},
       {"gitlab_freeze",
        [&](const Value& v) { result.gitlab_freeze = reader.boolean(v, "gitlab_freeze"); }},
       {"break_glass", [&](const Value& v) { result.break_glass = break_glass(reader, v); }},
       {"outdated",
        [&](const Value& v) {
          constexpr std::array<std::string_view, 2> k_words{"refuse", "allow"};
          result.outdated = choice(reader, v, "outdated", k_words, "refuse or allow") == 1;
        }},
       {"approvals", [&](const Value& v) { result.approvals = approvals(reader, v); }},
       {"gate", [&](const Value& v) { result.gate = gate(reader, v); }},
       {"on_failure",
        [&](const Value& v) {
          constexpr std::array<std::string_view, 2> k_words{"report", "rollback"};
          result.on_failure = choice(reader, v, "on_failure", k_words, "report or rollback") == 0
                                  ? EnvironmentRule::OnFailure::report
                                  : EnvironmentRule::OnFailure::rollback;
        }},
       {"review", [&](const Value& v) { result.review = review(reader, v); }}});
  if (result.name.empty()) reader.fail(value.position, "'rules' has an entry without 'name'");
  return result;
}

LedgerStore store(const Reader& reader, const Value& value) {
  LedgerStore result;
  bool file = false;
  bool kubernetes = false;
  reader.map(value, "store",
             {{"file",
               [&](const Value& v) {
                 file = true;
                 reader.map(v, "file", {{"path", [&](const Value& path) {
                                           result.path = absolute_path(reader, path, "path");
                                         }}});
               }},
              {"kubernetes",
               [&](const Value& v) {
                 kubernetes = true;
                 result.kind = LedgerStore::Kind::kubernetes;
                 reader.map(v, "kubernetes", {{"namespace", [&](const Value& name) {
                                                 result.name_space = reader.text(name, "namespace");
                                               }}});
                 if (result.name_space.empty()) {
                   reader.fail(v.position, "'kubernetes' in 'store' has no 'namespace'");
                 }
               }},
              {"keep", [&](const Value& v) {
                 result.keep = static_cast<unsigned>(reader.integer(v, "keep", 10, 100000));
               }}});
  if (file && kubernetes) reader.fail(value.position, "'store' names two places");
  return result;
}

EventTargets events(const Reader& reader, const Value& value) {
  EventTargets result;
  reader.map(
      value, "events",
      {{"file", [&](const Value& v) { result.file = absolute_path(reader, v, "file"); }},
       {"webhook", [&](const Value& v) { result.webhook = web_address(reader, v, "webhook"); }},
       {"token_file",
        [&](const Value& v) { result.token_file = absolute_path(reader, v, "token_file"); }}});
  return result;
}

}  // namespace

Environments read_environments_section(const Reader& reader, const Value& value) {
  Environments result;
  reader.map(value, "environments",
             {{"store", [&](const Value& v) { result.store = store(reader, v); }},
              {"events", [&](const Value& v) { result.events = events(reader, v); }},
              {"rules", [&](const Value& v) {
                 for (const Value& item : reader.list(v, "rules")) {
                   result.rules.push_back(rule(reader, item));
                 }
               }}});
  return result;
}

const EnvironmentRule& rule_of(const Environments& settings, const std::string& environment) {
  static const EnvironmentRule defaults;
  const auto found =
      std::find_if(settings.rules.begin(), settings.rules.end(), [&](const auto& one) {
        return one.name == environment || core::glob_match(one.name, environment);
      });
  return found == settings.rules.end() ? defaults : *found;
}

}  // namespace berth::settings
