#include "cli/local/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace berth::local {
namespace {

double milliseconds_exact(std::chrono::duration<double> time) {
  return std::round(time.count() * 1000) / 1000;
}

std::string state_text(const JobReport& job) {
  std::string text(to_string(job.status));
  if (job.status == Status::failed && job.failure_reason == "script_failure" && job.exit_code) {
    text += fmt::format(" (exit code {})", *job.exit_code);
  } else if (job.status == Status::failed && !job.failure_reason.empty()) {
    text += fmt::format(" ({})", job.failure_reason);
  }
  if (job.allow_failure && job.status == Status::failed) text += ", allowed";
  return text;
}

const char* style_of(const JobReport& job) {
  switch (job.status) {
    case Status::success:
      return "32";
    case Status::failed:
      return job.allow_failure ? "33" : "31;1";
    case Status::canceled:
      return "35";
    default:
      return "90";
  }
}

/// Columns of a text as a terminal counts them: code points will do.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t to) {
  return text + std::string(to - std::min(to, width(text)), ' ');
}

}  // namespace

std::string report_json(Status status, const std::vector<JobReport>& jobs) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const JobReport& job : jobs) {
    list.push_back(
        {{"name", job.name},
         {"stage", job.stage},
         {"status", to_string(job.status)},
         {"allow_failure", job.allow_failure},
         {"exit_code", job.exit_code ? Json(*job.exit_code) : Json(nullptr)},
         {"failure_reason", job.failure_reason.empty() ? Json(nullptr) : Json(job.failure_reason)},
         {"duration_s", milliseconds_exact(job.duration)},
         {"driver_s", milliseconds_exact(job.driver)},
         {"log", job.log.empty() ? Json(nullptr) : Json(job.log.string())}});
  }
  return Json{{"status", to_string(status)}, {"jobs", list}}.dump(2, ' ', false,
                                                                  Json::error_handler_t::replace) +
         "\n";
}

std::string table(const std::vector<JobReport>& jobs, bool colours) {
  std::size_t stage_width = width("STAGE");
  std::size_t name_width = width("JOB");
  std::size_t state_width = width("STATE");
  for (const JobReport& job : jobs) {
    stage_width = std::max(stage_width, width(job.stage));
    name_width = std::max(name_width, width(job.name));
    state_width = std::max(state_width, width(state_text(job)));
  }
  std::string text =
      fmt::format("{}  {}  {}  {:>9}  {:>9}\n", padded("STAGE", stage_width),
                  padded("JOB", name_width), padded("STATE", state_width), "DURATION", "DRIVER");
  for (const JobReport& job : jobs) {
    std::string state = padded(state_text(job), state_width);
    if (colours) state = fmt::format("\033[{}m{}\033[0m", style_of(job), state);
    const bool ran = job.tries > 0;
    text += fmt::format("{}  {}  {}  {:>9}  {:>9}{}\n", padded(job.stage, stage_width),
                        padded(job.name, name_width), state,
                        ran ? fmt::format("{:.2f} s", job.duration.count()) : "-",
                        ran ? fmt::format("{:.2f} s", job.driver.count()) : "-",
                        job.tries > 1 ? fmt::format("  try {}", job.tries) : "");
  }
  return text;
}

}  // namespace berth::local
