// What the probe says from inside, and what that means: pure.
#include "executor/app/probe_job.hpp"
#include "executor/core/overdue.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace berth::app {
namespace {

using core::Finding;
using core::Health;

constexpr std::int64_t k_kib_per_gib = std::int64_t{1} << 20;
constexpr std::int64_t k_noted_skew = 5;

bool is_host(const std::string& text) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

Finding tool(const char* check, std::string_view value) {
  if (!value.empty()) return {.check = check, .text = fmt::format("in the helper: {}", value)};
  return {.check = check,
          .health = Health::failed,
          .text = fmt::format("the helper image has no working {}", check),
          .remedy =
              "set `helper_image` to an official gitlab-runner-helper image, or to one with "
              "git, gitlab-runner and a shell"};
}

Finding disk(std::string_view value) {
  const auto kib = number(value);
  if (!kib) {
    return {.check = "disk", .health = Health::skipped, .text = "the helper cannot tell (no df)"};
  }
  const double gib = static_cast<double>(*kib) / static_cast<double>(k_kib_per_gib);
  Finding finding{.check = "disk", .text = fmt::format("{:.1f} GiB free under /builds", gib)};
  if (*kib < 2 * k_kib_per_gib) {
    finding.health = *kib < k_kib_per_gib / 4 ? Health::failed : Health::warning;
    finding.remedy =
        "make room where the engine or the node keeps containers: remove images that "
        "nobody uses, and old checkouts (`berth gc --volumes-older-than 30d`)";
  }
  return finding;
}

Finding clock(std::string_view value, std::int64_t before, std::int64_t after) {
  const auto there = number(value);
  if (!there) {
    return {.check = "job clock", .health = Health::skipped, .text = "the helper tells no time"};
  }
  const std::int64_t skew = *there < before ? before - *there : *there > after ? *there - after : 0;
  Finding finding{.check = "job clock",
                  .text = skew == 0 ? "where jobs run: as here"
                                    : fmt::format("where jobs run: {} s apart from here", skew)};
  if (skew > k_noted_skew) {
    finding.health = skew > core::k_clock_tolerance ? Health::failed : Health::warning;
    finding.remedy =
        "have both machines keep time: agents end a job's containers at a point in time";
  }
  return finding;
}

Finding name(std::string_view host, std::string_view value) {
  if (value == "?") {
    return {.check = "dns",
            .health = Health::skipped,
            .text = fmt::format("'{}': the helper image has neither getent nor nslookup", host)};
  }
  if (!value.empty()) {
    return {.check = "dns", .text = fmt::format("'{}' is {} in a job", host, value)};
  }
  return {.check = "dns",
          .health = Health::failed,
          .text = fmt::format("'{}' cannot be resolved in a job", host),
          .remedy =
              "look at the name servers that jobs get: `dns` (docker), `dns_policy` and "
              "`dns_config` (kubernetes), and the cluster's DNS service"};
}

}  // namespace

std::string probe_script(const std::vector<std::string>& hosts) {
  std::string script =
      "say() { printf '%s=%s\\n' \"$1\" \"$2\"; }\n"
      "say git \"$(git --version 2>/dev/null)\"\n"
      "say gitlab-runner \"$(gitlab-runner --version 2>/dev/null | head -n 1)\"\n"
      "say clock \"$(date +%s 2>/dev/null)\"\n"
      "say disk \"$(df -Pk /builds 2>/dev/null | awk 'NR == 2 { print $4 }')\"\n"
      "resolve() {\n"
      "  if command -v getent >/dev/null; then\n"
      "    found=$(getent hosts \"$1\") && say \"dns:$1\" \"${found%% *}\" || say \"dns:$1\" ''\n"
      "  elif command -v nslookup >/dev/null; then\n"
      "    nslookup \"$1\" >/dev/null 2>&1 && say \"dns:$1\" known || say \"dns:$1\" ''\n"
      "  else\n"
      "    say \"dns:$1\" '?'\n"
      "  fi\n"
      "}\n";
  for (const std::string& host : hosts) {
    if (!is_host(host)) {
      throw support::OperatorError(fmt::format("not a host name: '{}'", host),
                                   "give the name alone: gitlab.example.com");
    }
    script += fmt::format("resolve '{}'\n", host);
  }
  return script;
}

std::vector<Finding> read_probe(std::string_view output, std::int64_t before, std::int64_t after) {
  std::vector<Finding> findings;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    if (key == "git") findings.push_back(tool("git", value));
    if (key == "gitlab-runner") findings.push_back(tool("gitlab-runner", value));
    if (key == "clock") findings.push_back(clock(value, before, after));
    if (key == "disk") findings.push_back(disk(value));
    if (key.starts_with("dns:")) findings.push_back(name(key.substr(4), value));
  }
  return findings;
}

}  // namespace berth::app
