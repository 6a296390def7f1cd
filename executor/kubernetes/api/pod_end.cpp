#include "executor/kubernetes/api/pod_end.hpp"

#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

const json& member(const json& object, const char* key) {
  static const json k_none = json::object();
  if (!object.is_object()) return k_none;
  const auto found = object.find(key);
  return found != object.end() ? *found : k_none;
}

std::string word(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string with_words(std::string text, const json& object) {
  if (const std::string reason = word(object, "reason"); !reason.empty()) text += ": " + reason;
  if (const std::string message = support::one_line(word(object, "message"), 300); !message.empty())
    text += ": " + message;
  return text;
}

}  // namespace

std::optional<std::string> why_ended(const json& pod, std::string_view container,
                                     std::string_view uid) {
  if (!uid.empty() && word(member(pod, "metadata"), "uid") != uid)
    return "the pod is gone, another of its name stands there";
  const json& status = member(pod, "status");
  const json& containers = member(status, "containerStatuses");
  if (containers.is_array()) {
    for (const json& entry : containers) {
      if (word(entry, "name") != container) continue;
      const json& ended = member(member(entry, "state"), "terminated");
      if (ended.empty()) continue;
      const json& code = member(ended, "exitCode");
      return with_words(
          code.is_number_integer()
              ? fmt::format("the container ended with exit code {}", code.get<std::int64_t>())
              : std::string("the container ended"),
          ended);
    }
  }
  const std::string phase = word(status, "phase");
  if (phase == "Failed" || phase == "Succeeded")
    return with_words("the pod ended (" + phase + ")", status);
  return std::nullopt;
}

}  // namespace berth::kubernetes
