// A JSON object: which of the files that are JSON it is.

#include "executor/credentials/types/recognise.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace berth::credentials {
namespace {

using Json = nlohmann::json;

/// Words of which one stands near the beginning of each of these files.
bool names_credential(std::string_view text) {
  constexpr std::array<std::string_view, 9> k_words{"\"private_key",
                                                    "\"client_email\"",
                                                    "\"service_account\"",
                                                    "\"external_account\"",
                                                    "\"authorized_user\"",
                                                    "\"credHelpers\"",
                                                    "\"auth",
                                                    "\"clusters\"",
                                                    "\"refresh_token\""};
  return std::ranges::any_of(
      k_words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

Recognised unreadable(std::string_view text, const Json::parse_error& error) {
  if (!names_credential(text)) return {};
  if (error.byte >= text.size()) return damaged(Verdict::truncated, "the JSON ends too early");
  const auto line =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(error.byte), '\n') + 1;
  return damaged(Verdict::garbage, "line " + std::to_string(line) + " is not JSON");
}

bool is_kubeconfig(const Json& json) {
  return json.contains("clusters") && (json.contains("contexts") || json.contains("users"));
}

}  // namespace

Recognised recognise_json(std::string_view text, std::chrono::sys_seconds now) {
  if (!is_parsable(text)) return {};
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    return unreadable(text, error);
  }
  if (!json.is_object()) return {};
  Recognised result = recognise_google(json);
  unsigned found = result.verdict == Verdict::none ? 0 : 1;
  if (Recognised docker = recognise_docker(json); docker.verdict != Verdict::none) {
    ++found;
    result = std::move(docker);
  }
  if (is_kubeconfig(json)) {
    ++found;
    result = recognise_kubeconfig(text, now);
  }
  if (found > 1) return damaged(Verdict::ambiguous, "the JSON has the keys of two kinds of file");
  return result;
}

}  // namespace berth::credentials
