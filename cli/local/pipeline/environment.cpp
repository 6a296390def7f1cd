#include "cli/local/pipeline/environment.hpp"

#include "cli/local/pipeline/digest.hpp"
#include "cli/local/pipeline/entries.hpp"
#include "cli/local/pipeline/fields.hpp"
#include "cli/local/pipeline/pattern.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 6> k_known{"name",    "url",          "action",
                                                  "on_stop", "auto_stop_in", "deployment_tier"};
constexpr std::array<std::string_view, 1> k_unsupported{"kubernetes"};
constexpr std::array<std::string_view, 5> k_actions{"start", "prepare", "stop", "verify", "access"};
constexpr std::array<std::string_view, 5> k_tiers{"production", "staging", "testing", "development",
                                                  "other"};
constexpr std::size_t k_max_url = 255;

std::string dashed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
    }
  }
  return out;
}

/// The last six digits, in base 36, of the name's SHA-256 taken as a number.
std::string suffix_of(std::string_view name) {
  constexpr std::uint64_t modulus = 36ULL * 36 * 36 * 36 * 36 * 36;
  std::uint64_t rest = 0;
  for (const unsigned char byte : sha256(name)) rest = (rest * 256 + byte) % modulus;
  std::string text(6, '0');
  for (std::size_t i = text.size(); i-- > 0; rest /= 36) {
    text[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36];
  }
  return text;
}

void check_name(const std::string& name, const Place& place, Problems& problems) {
  // Gitlab::Regex.environment_name_regex
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_/$.{} ").find(c) != std::string_view::npos;
  };
  if (name.empty()) {
    problems.add(place, "an environment has an empty name");
  } else if (!std::all_of(name.begin(), name.end(), plain) || name.front() == '/' ||
             name.back() == '/') {
    problems.add(place, fmt::format("the environment's name `{}` can contain only letters, digits, "
                                    "-, _, /, $, {{, }}, ., and spaces, and no slash at its ends",
                                    name));
  }
}

}  // namespace

std::string slug_of(std::string_view text) {
  std::string slug = dashed(text).substr(0, 63);
  const std::size_t first = slug.find_first_not_of('-');
  if (first == std::string::npos) return {};
  return slug.substr(first, slug.find_last_not_of('-') - first + 1);
}

std::string environment_slug(std::string_view name) {
  std::string slug = dashed(name);
  if (slug.empty() || slug[0] < 'a' || slug[0] > 'z') slug = "env-" + slug;
  slug.erase(
      std::unique(slug.begin(), slug.end(), [](char a, char b) { return a == '-' && b == '-'; }),
      slug.end());
  if (slug.size() <= 24 && slug == name) {
    if (slug.back() == '-') slug.pop_back();
    return slug;
  }
  slug = slug.substr(0, 17);
  if (slug.back() != '-') slug += '-';
  return slug + suffix_of(name);
}

std::string guess_tier(std::string_view name) {
  if (search("(?i)(dev|review|trunk)", name)) return "development";
  if (search("(?i)(test|tst|int|ac(ce|)pt|qa|qc|control|quality)", name)) return "testing";
  if (search("(?i)(st(a|)g|mod(e|)l|pre|demo|non)", name)) return "staging";
  if (search("(?i)(pr(o|)d|live)", name)) return "production";
  return "other";
}

std::string group_name(std::string_view job) {
  // Up to three numberings or lists of a matrix at the end (Gitlab::Utils::Job).
  std::string name = replace_first(job, R"((?:[\s:]+(?:\[.*\]|\d+[\s:/\\]+\d+)){1,3}\s*$)", "");
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n'; };
  while (!name.empty() && blank(name.back())) name.pop_back();
  while (!name.empty() && blank(name.front())) name.erase(0, 1);
  return name;
}

std::optional<Environment> read_environment(const Entry& entry, Problems& problems) {
  Environment environment;
  const Value& value = *entry.value;
  if (value.is(Value::Kind::string)) {
    environment.name = value.text;
    check_name(value.text, value.place, problems);
    return environment;
  }
  if (!value.is(Value::Kind::map)) {
    wrong_type(entry, "a name or a map", problems);
    return std::nullopt;
  }
  check_keys(value, {"`environment`", k_known, k_unsupported}, problems);
  if (present_entry(value, "name") == nullptr) {
    problems.add(value.place, "`environment` has no `name`");
    return std::nullopt;
  }
  if (const auto name = string_field(value, "name", problems)) {
    environment.name = *name;
    check_name(*name, value.find("name")->value->place, problems);
  }
  environment.url = string_field(value, "url", problems).value_or("");
  if (environment.url.size() > k_max_url) {
    problems.add(value.find("url")->value->place,
                 fmt::format("`url` is longer than {} characters", k_max_url));
  }
  environment.action = choice_field(value, "action", k_actions, problems).value_or("start");
  environment.on_stop = string_field(value, "on_stop", problems).value_or("");
  environment.deployment_tier =
      choice_field(value, "deployment_tier", k_tiers, problems).value_or("");
  if (const Entry* stop = present_entry(value, "auto_stop_in")) {
    // A variable may stand here; times are read when it is known.
    const bool later = stop->value->text.find('$') != std::string::npos;
    if (later || stop->value->text == "never" || duration_field(value, "auto_stop_in", problems)) {
      environment.auto_stop_in = string_field(value, "auto_stop_in", problems).value_or("");
    }
  }
  return environment;
}

}  // namespace berth::local::pipeline
