#include "executor/gitlab/environment.hpp"

#include <charconv>

namespace berth::gitlab {
namespace {

constexpr std::string_view k_prefix = "CUSTOM_ENV_";

int exit_code(std::string_view text, int fallback) {
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && code >= 1 && code <= 255 ? code : fallback;
}

}  // namespace

std::string RunnerEnvironment::variable(std::string_view key) const {
  const auto found = variables.find(key);
  return found == variables.end() ? std::string() : found->second;
}

RunnerEnvironment read_environment(const char* const* environment) {
  RunnerEnvironment result;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = entry.substr(0, equals);
    const std::string_view value = entry.substr(equals + 1);
    if (key.starts_with(k_prefix)) {
      result.variables.insert_or_assign(std::string(key.substr(k_prefix.size())),
                                        std::string(value));
    } else if (key == "TMPDIR") {
      result.tmpdir = value;
    } else if (key == "BUILD_FAILURE_EXIT_CODE") {
      result.build_failure_exit_code = exit_code(value, 1);
    } else if (key == "SYSTEM_FAILURE_EXIT_CODE") {
      result.system_failure_exit_code = exit_code(value, 2);
    } else if (key == "BUILD_EXIT_CODE_FILE") {
      result.build_exit_code_file = value;
    } else if (key == "JOB_RESPONSE_FILE") {
      result.job_response_file = value;
    }
  }
  return result;
}

}  // namespace berth::gitlab
