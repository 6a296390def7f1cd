#include "stages/arguments.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <vector>

namespace berth::stages {
namespace {

[[noreturn]] void refuse(core::Stage stage, const std::string& why) {
  throw support::OperatorError(
      fmt::format("wrong arguments of berth-{}: {}", to_string(stage), why),
      fmt::format("see {}_args in the runner's config.toml; usage: {}", to_string(stage),
                  usage(stage)));
}

int descriptor(core::Stage stage, std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 3)
    refuse(stage, fmt::format("--log-state: '{}' is no descriptor; berth-run gives it, nobody else",
                              text));
  return number;
}

}  // namespace

std::string usage(core::Stage stage) {
  return fmt::format("berth-{} [--settings FILE] [--version] [--help]{}", to_string(stage),
                     stage == core::Stage::run ? " SCRIPT STAGE" : "");
}

Arguments parse_arguments(core::Stage stage, std::span<const char* const> arguments) {
  constexpr std::string_view k_settings = "--settings=";
  constexpr std::string_view k_resume = "--resume=";
  constexpr std::string_view k_log_state = "--log-state=";
  constexpr std::string_view k_ended = "--ended=";
  Arguments result;
  std::vector<std::string_view> positional;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--settings") {
      if (++i == arguments.size()) refuse(stage, "--settings needs a file");
      result.settings = arguments[i];
    } else if (argument.starts_with(k_settings)) {
      result.settings = argument.substr(k_settings.size());
    } else if (argument.starts_with(k_resume) && stage == core::Stage::run) {
      result.resume = argument.substr(k_resume.size());
    } else if (argument.starts_with(k_log_state) && stage == core::Stage::run) {
      result.log_state = descriptor(stage, argument.substr(k_log_state.size()));
    } else if (argument.starts_with(k_ended) && stage == core::Stage::run) {
      result.ended = argument.substr(k_ended.size());
    } else if (argument == "--version") {
      result.version = true;
    } else if (argument == "--help") {
      result.help = true;
    } else if (argument.starts_with("-")) {
      refuse(stage, fmt::format("'{}' is not known", argument));
    } else {
      positional.push_back(argument);
    }
  }
  if (result.settings && result.settings->empty()) refuse(stage, "--settings needs a file");
  if (result.version || result.help) return result;
  const std::size_t expected = stage == core::Stage::run ? 2 : 0;
  if (positional.size() != expected) {
    refuse(stage, expected == 0 ? fmt::format("'{}' is not expected", positional.front())
                                : fmt::format("a script and a stage are expected, got {} arguments",
                                              positional.size()));
  }
  if (expected == 2) {
    result.script = positional[0];
    result.script_stage = positional[1];
  }
  return result;
}

}  // namespace berth::stages
