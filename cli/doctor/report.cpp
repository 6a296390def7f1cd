#include "cli/doctor/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::cli {
namespace {

using core::Finding;
using core::Health;

struct Words {
  const char* text;
  const char* json;
  const char* color;
};

Words words_of(Health health) {
  switch (health) {
    case Health::good:
      return {"ok", "ok", "\033[32m"};
    case Health::warning:
      return {"warning", "warning", "\033[33m"};
    case Health::failed:
      return {"FAILED", "failed", "\033[31m"};
    case Health::skipped:
      break;
  }
  return {"skipped", "skipped", "\033[2m"};
}

auto count(const std::vector<Finding>& findings, Health health) {
  return std::count_if(findings.begin(), findings.end(),
                       [health](const Finding& one) { return one.health == health; });
}

}  // namespace

std::string doctor_text(const std::vector<Finding>& findings, bool color) {
  std::string text;
  for (const Finding& one : findings) {
    const Words words = words_of(one.health);
    const std::string label = fmt::format("{:<8}", words.text);
    text += fmt::format("{} {:<13} {}\n", color ? words.color + label + "\033[0m" : label,
                        one.check, one.text);
    if (!one.remedy.empty()) text += fmt::format("{:23}{}\n", "", "-> " + one.remedy);
  }
  const auto failed = count(findings, Health::failed);
  const auto warnings = count(findings, Health::warning);
  if (failed == 0 && warnings == 0) return text + "all is well\n";
  return text + fmt::format("{} failed, {} {}\n", failed, warnings,
                            warnings == 1 ? "warning" : "warnings");
}

std::string doctor_json(const std::vector<Finding>& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const Finding& one : findings) {
    list.push_back({{"check", one.check},
                    {"status", words_of(one.health).json},
                    {"text", one.text},
                    {"remedy", one.remedy}});
  }
  return nlohmann::json{{"ok", doctor_exit_code(findings) == 0}, {"findings", std::move(list)}}
             .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
         '\n';
}

int doctor_exit_code(const std::vector<Finding>& findings) {
  return count(findings, Health::failed) > 0 ? 1 : 0;
}

}  // namespace berth::cli
