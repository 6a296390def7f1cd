#include "cli/cred_command.hpp"

#include "executor/credentials/words.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace berth::cli {
namespace {

using credentials::Finding;
using credentials::Verdict;
using support::Secret;

/// One byte more than is looked at, so that "too large" is told and not cut.
constexpr std::size_t k_limit = credentials::k_max_value + 1;

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Secret read(const std::string& file) {
  return Secret(support::read_file(file == "-" ? "/dev/stdin" : file, k_limit));
}

std::string name_of(const std::string& file) {
  return file == "-" ? "standard input" : file;
}

nlohmann::json to_json(std::string_view name, const Finding& finding) {
  nlohmann::json json{{"name", name},
                      {"verdict", name_of(finding.verdict)},
                      {"diagnosis", finding.diagnosis()},
                      {"encoding", finding.encoding},
                      {"decoded_bytes", finding.decoded_bytes}};
  if (!finding.fault.empty()) json["fault"] = finding.fault;
  if (finding.credential) {
    json["type"] = name_of(finding.credential->type);
    json["subject"] = finding.credential->subject;
    json["notes"] = finding.credential->notes;
    json["problems"] = finding.credential->problems;
    if (finding.credential->expiry)
      json["expires"] = credentials::shown_date(*finding.credential->expiry);
  }
  return json;
}

std::string dumped(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void add_line(std::string& text, std::string_view label, std::string_view value) {
  if (!value.empty()) text += fmt::format("  {:<10}{}\n", label, value);
}

/// The remedy for what a script's own `base64 -d` stumbles over.
std::string remedy(const Finding& finding) {
  if (!finding.credential || finding.layers.empty()) return {};
  const bool plain = finding.encoding.size() == 1 && finding.encoding.front() == "base64";
  return plain ? "" : "`berth cred encode` puts it in one line that every base64 reads";
}

}  // namespace

int cred_exit_code(const Finding& finding) {
  switch (finding.verdict) {
    case Verdict::valid:
      return k_cred_good;
    case Verdict::none:
      return k_cred_none;
    default:
      return k_cred_bad;
  }
}

std::string cred_report(std::string_view name, const Finding& finding, bool json) {
  if (json) return dumped(to_json(name, finding));
  std::string text = fmt::format("{}: {}\n", name, name_of(finding.verdict));
  add_line(text, "why", finding.fault);
  if (finding.verdict == Verdict::none) return text;
  add_line(text, "encoded", credentials::joined(finding.encoding, ", "));
  add_line(text, "size", credentials::grouped(finding.decoded_bytes) + " bytes");
  if (finding.credential) {
    const auto& credential = *finding.credential;
    add_line(text, "type", name_of(credential.type));
    add_line(text, "subject", credential.subject);
    if (credential.expiry) add_line(text, "expires", credentials::shown_date(*credential.expiry));
    for (const std::string& note : credential.notes) add_line(text, "note", note);
    for (const std::string& problem : credential.problems) add_line(text, "problem", problem);
  }
  add_line(text, "remedy", remedy(finding));
  return text;
}

std::vector<std::string> cred_remarks(std::string_view value) {
  // docs.gitlab.com, "Mask a CI/CD variable"
  constexpr std::size_t k_least = 8;
  std::vector<std::string> remarks;
  const bool blank = std::ranges::any_of(value, credentials::is_blank);
  if (blank || value.size() < k_least) {
    remarks.push_back(fmt::format("GitLab cannot mask it: {}",
                                  blank ? "it has blanks or line ends" : "it is too short"));
  } else {
    remarks.push_back(fmt::format("GitLab can mask it: one line, {} characters",
                                  credentials::grouped(value.size())));
  }
  return remarks;
}

int run_cred_inspect(const CredInspectOptions& options) {
  Secret value;
  std::string name = name_of(options.file);
  if (options.variable.empty()) {
    value = read(options.file);
  } else {
    const char* text = std::getenv(options.variable.c_str());
    if (text == nullptr) {
      throw support::OperatorError(
          fmt::format("no such variable in the environment: '{}'", options.variable),
          "give its name without '$', and export it");
    }
    value = Secret(text);
    name = "$" + options.variable;
  }
  const Finding finding = credentials::examine(value.expose(), now());
  fmt::print("{}", cred_report(name, finding, options.json));
  return cred_exit_code(finding);
}

int run_cred_encode(const CredEncodeOptions& options) {
  const Secret value = read(options.file);
  const Finding finding = credentials::examine(value.expose(), now());
  fmt::print(stderr, "{}: {}\n", name_of(options.file), finding.diagnosis());
  // What is encoded already, in whatever way, is not encoded once more.
  const Secret encoded(support::base64_encode(
      finding.credential ? finding.credential->content.expose() : value.expose()));
  for (const std::string& remark : cred_remarks(encoded.expose()))
    fmt::print(stderr, "{}\n", remark);
  fmt::print("{}\n", encoded.expose());
  return finding.verdict == Verdict::valid ? k_cred_good : k_cred_bad;
}

int run_cred_expiry(const CredExpiryOptions& options) {
  const auto today = now();
  int code = k_cred_good;
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& file : options.files) {
    const Finding finding = credentials::examine(read(file).expose(), today);
    const auto expiry = finding.credential ? finding.credential->expiry : std::nullopt;
    const bool soon = expiry && *expiry - today < std::chrono::days(options.days);
    if (soon) code = k_cred_bad;
    if (options.json) {
      all.push_back(to_json(name_of(file), finding));
      continue;
    }
    std::string when = "no credential that ends by itself";
    if (expiry) {
      const auto days = std::chrono::duration_cast<std::chrono::days>(*expiry - today).count();
      when = *expiry <= today
                 ? "EXPIRED on " + credentials::shown_date(*expiry)
                 : fmt::format("{}, in {} days", credentials::shown_date(*expiry), days);
    }
    fmt::print("{}{}: {}\n", soon ? "! " : "  ", name_of(file), when);
  }
  if (options.json) fmt::print("{}", dumped(all));
  return code;
}

}  // namespace berth::cli
