#include "executor/kubernetes/api/pull_trouble.hpp"

#include "executor/support/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>

namespace berth::kubernetes {
namespace {

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view one) { return lower.find(one) != std::string::npos; });
}

}  // namespace

std::string registry_words(const std::string& message) {
  std::string text = support::one_line(message);
  constexpr std::string_view k_resolve = "failed to resolve reference";
  const std::size_t at = text.rfind(k_resolve);
  if (at != std::string::npos) {
    const std::size_t colon = text.find("\": ", at);
    if (colon != std::string::npos) text.erase(0, colon + 3);
  }
  constexpr std::string_view k_back_off = "Back-off pulling image ";
  if (text.starts_with(k_back_off)) {
    const std::size_t colon = text.find(": ", k_back_off.size());
    text = colon == std::string::npos ? std::string() : text.substr(colon + 2);
  }
  return text;
}

bool is_about_login(std::string_view words) {
  return contains_any(words, {"unauthorized", "denied", "forbidden", "401", "403",
                              "authentication required", "no basic auth"});
}

bool is_pull_trouble(std::string_view reason) {
  constexpr std::array<std::string_view, 7> k_reasons = {
      "ErrImagePull",        "ImagePullBackOff",  "InvalidImageName",         "ErrImageNeverPull",
      "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"};
  return std::find(k_reasons.begin(), k_reasons.end(), reason) != k_reasons.end();
}

PullTrouble judge_pull(std::string_view reason, std::string_view message) {
  if (reason == "InvalidImageName" || reason == "ErrImageNeverPull" ||
      reason == "SignatureValidationFailed") {
    return PullTrouble::final_;
  }
  // A registry that is busy says so with words of its own before all others.
  if (contains_any(message, {"toomanyrequests", "too many requests", "429", "500 ", "502 ", "503 ",
                             "504 ", "timeout", "timed out", "connection re", "unexpected eof",
                             "server misbehaving", "try again"})) {
    return PullTrouble::temporary;
  }
  const bool hopeless = contains_any(
      message, {"not found", "manifest unknown", "name unknown", "does not exist", "unauthorized",
                "denied", "forbidden", "authentication required", "no basic auth", "401", "403",
                "404", "no such host", "invalid reference", "no match for platform", "x509",
                "server gave http response to https client"});
  return hopeless ? PullTrouble::final_ : PullTrouble::temporary;
}

}  // namespace berth::kubernetes
