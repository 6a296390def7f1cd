#include "executor/agentlink/stage_request.hpp"

#include "executor/support/error.hpp"
#include "executor/support/hex.hpp"

#include <charconv>
#include <span>

namespace berth::agentlink {
namespace {

constexpr char k_resume_separator = ':';

std::optional<std::array<std::uint8_t, 16>> parse_id(std::string_view text) {
  std::array<std::uint8_t, 16> id{};
  if (text.size() != 2 * id.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const std::string_view pair = text.substr(2 * i, 2);
    const auto [end, error] = std::from_chars(pair.begin(), pair.end(), id[i], 16);
    if (error != std::errc() || end != pair.end()) return std::nullopt;
  }
  return id;
}

std::string value(const core::Sandbox& sandbox, const core::Script& script, std::string_view key) {
  const auto found = sandbox.values.find(std::string(core::to_string(script.stage.container())) +
                                         "." + std::string(key));
  return found == sandbox.values.end() ? std::string() : found->second;
}

}  // namespace

bool asks_why(const core::Sandbox& sandbox, const core::Script& script,
              const core::ExitStatus& status) {
  return !status.success() && script.stage.container() == core::ContainerRole::build &&
         script.stage.name() != "after_script" && sandbox.values.contains(k_value_ask_why);
}

StageRequest make_stage_request(const core::JobSpec& spec, const core::Sandbox& sandbox,
                                const core::Script& script) {
  const core::ContainerRole role = script.stage.container();
  if (script.text.size() > k_max_script)
    throw support::SystemError("cannot run '" + script.stage.name() + "': its script has " +
                               std::to_string(script.text.size()) + " bytes, more than " +
                               std::to_string(k_max_script));
  StageRequest request;
  const bool helper = role == core::ContainerRole::helper;
  request.where = std::string(core::to_string(role)) + " container '" + spec.resource_name + "-" +
                  std::string(core::to_string(role)) + "' of image '" +
                  (helper ? spec.helper : spec.build).image + "'";
  request.start.id = script.resume ? script.resume->id : make_stage_id();
  if (script.resume) request.resume = script.resume->offset;
  request.start.umask = value(sandbox, script, "umask") == "0000" ? 0 : protocol::k_keep_umask;
  request.start.script = script.text;
  request.note = script.note;
  const std::string path = value(sandbox, script, "path");
  if (!path.empty()) request.start.env.push_back("PATH=" + path);
  if (const std::string safe = value(sandbox, script, "safe_directory"); !safe.empty()) {
    // git-config, GIT_CONFIG_COUNT; obeyed for this key from git 2.38 on.
    for (const char* word : {"COUNT=1", "KEY_0=safe.directory"})
      request.start.env.push_back(std::string("GIT_CONFIG_") + word);
    request.start.env.push_back("GIT_CONFIG_VALUE_0=" + safe);
  }
  const std::string exports = std::string(core::to_string(role)) + k_value_export;
  for (auto it = sandbox.values.lower_bound(exports);
       it != sandbox.values.end() && it->first.starts_with(exports); ++it)
    request.start.env.push_back("?" + it->first.substr(exports.size()) + "=" + it->second);
  const std::string nonce = value(sandbox, script, "nonce");
  if (!nonce.empty()) {
    request.nonce = parse_id(nonce);
    if (!request.nonce)
      throw support::SystemError("sandbox.json: " + std::string(core::to_string(role)) +
                                 ".nonce: not 32 hexadecimal digits");
  }
  return request;
}

std::string socket_dir(const core::Sandbox& sandbox, const core::Script& script) {
  return value(sandbox, script, "socket_dir");
}

std::optional<std::chrono::milliseconds> direct_limit(const core::Sandbox& sandbox) {
  const auto found = sandbox.values.find(k_value_direct_ms);
  if (found == sandbox.values.end()) return std::nullopt;
  const std::string& digits = found->second;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size())
    throw support::SystemError(std::string("sandbox.json: ") + k_value_direct_ms +
                               ": not a number");
  return std::chrono::milliseconds(number);
}

std::string format_resume(const core::Resume& resume) {
  return support::hex(resume.id) + k_resume_separator + std::to_string(resume.offset);
}

std::optional<core::Resume> parse_resume(std::string_view text) {
  const std::size_t colon = text.find(k_resume_separator);
  if (colon == std::string_view::npos) return std::nullopt;
  const auto id = parse_id(text.substr(0, colon));
  const std::string_view digits = text.substr(colon + 1);
  core::Resume resume;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), resume.offset);
  if (!id || error != std::errc() || end != digits.end()) return std::nullopt;
  resume.id = *id;
  return resume;
}

}  // namespace berth::agentlink
