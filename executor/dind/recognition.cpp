#include "executor/dind/recognition.hpp"

#include "executor/core/image_ref.hpp"
#include "executor/support/error.hpp"

#include <algorithm>

namespace berth::dind {
namespace {

constexpr std::string_view k_entrypoint = "dockerd-entrypoint.sh";

std::string_view base_name(std::string_view path) {
  return path.substr(path.find_last_of('/') + 1);
}

/// Splits at blanks: the words of `sh -c "exec dockerd -H ..."`.
void split_into(std::string_view text, Words& words) {
  constexpr std::string_view k_blanks = " \t\n;&|()\"'";
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(k_blanks);
    if (start == std::string_view::npos) return;
    const std::size_t end = std::min(text.find_first_of(k_blanks, start), text.size());
    words.emplace_back(text.substr(start, end - start));
    text.remove_prefix(end);
  }
}

bool has_words(const Words& words) {
  return std::any_of(words.begin(), words.end(), [](const auto& word) { return !word.empty(); });
}

/// "dind" as a part of "24.0-dind-alpine3.18".
bool has_part(std::string_view text, std::string_view part) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('-', at), text.size());
    if (text.substr(at, end - at) == part) return true;
    at = end + 1;
  }
  return false;
}

struct Name {
  std::string repository;
  std::string tag;
};

/// The last part of the path, and the tag; empty for what is no image's name.
Name name_of(std::string_view image) {
  try {
    const core::ImageRef ref = core::parse_image_ref(image);
    return {std::string(base_name(ref.repository)), ref.tag};
  } catch (const support::Error&) {
    return {};
  }
}

bool is_daemon_by_name(std::string_view image) {
  return is_official_name(image) || has_part(name_of(image).repository, "dind");
}

bool is_daemon_by_config(const ImageConfig& config) {
  const auto& entrypoint = config.entrypoint;
  if (std::any_of(entrypoint.begin(), entrypoint.end(),
                  [](const std::string& word) { return names_daemon(word); })) {
    return true;
  }
  if (entrypoint.empty() && !config.command.empty() && names_daemon(config.command.front())) {
    return true;
  }
  const auto& ports = config.exposed_ports;
  return value_in(config.environment, "DOCKER_TLS_CERTDIR") &&
         std::find(ports.begin(), ports.end(), "2376/tcp") != ports.end();
}

}  // namespace

bool names_daemon(std::string_view word) {
  const std::string_view name = base_name(word);
  return name == "dockerd" || name == k_entrypoint || name == "dockerd-rootless.sh";
}

Words own_words(const ServiceFacts& service) {
  Words words;
  for (const std::string& word : service.entrypoint) split_into(word, words);
  for (const std::string& word : service.command) split_into(word, words);
  return words;
}

std::optional<std::string> value_in(const Words& environment, std::string_view key) {
  std::optional<std::string> value;
  for (const std::string_view pair : environment) {
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=') {
      value = pair.substr(key.size() + 1);
    }
  }
  return value;
}

bool is_official_name(std::string_view image) {
  const Name name = name_of(image);
  return name.repository == "docker" && has_part(name.tag, "dind");
}

bool is_daemon(const ServiceFacts& service) {
  const Words words = own_words(service);
  if (std::any_of(words.begin(), words.end(),
                  [](const std::string& word) { return names_daemon(word); })) {
    return true;
  }
  // Another program than the image's: `entrypoint: [sleep]`.
  if (has_words(service.entrypoint)) return false;
  if (!service.command.empty() && !service.command.front().starts_with('-')) return false;
  return service.config ? is_daemon_by_config(*service.config) : is_daemon_by_name(service.image);
}

}  // namespace berth::dind
