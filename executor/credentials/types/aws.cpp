// The AWS shared credentials file (docs.aws.amazon.com, "Configuration and
// credential file settings").

#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace berth::credentials {
namespace {

using support::Secret;

constexpr std::size_t k_secret_length = 40;

struct Profile {
  std::string name{};
  std::map<std::string, std::string, std::less<>> values{};

  std::string_view get(std::string_view key) const {
    const auto found = values.find(key);
    return found == values.end() ? std::string_view() : found->second;
  }
};

/// Nothing where a line is no part of such a file; then `fault` says why.
std::vector<Profile> read_profiles(std::string_view text, Credential& credential,
                                   Recognised& fault) {
  std::vector<Profile> profiles;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = trimmed(take_line(text));
    ++number;
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    if (profiles.size() > k_max_entries) {
      fault = damaged(Verdict::garbage, "it has too many profiles");
      return {};
    }
    if (line.starts_with('[') && line.ends_with(']')) {
      profiles.push_back({.name = std::string(trimmed(line.substr(1, line.size() - 2)))});
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      // The last line may be the beginning of one.
      fault = damaged(text.empty() ? Verdict::truncated : Verdict::garbage,
                      fmt::format("line {} sets nothing", number));
      return {};
    }
    if (profiles.empty()) {
      credential.problems.emplace_back("no [profile] line stands first");
      profiles.emplace_back();
    }
    profiles.back().values[std::string(trimmed(line.substr(0, equals)))] =
        trimmed(line.substr(equals + 1));
  }
  return profiles;
}

/// False where the profile is cut.
bool look_at(const Profile& profile, Credential& credential) {
  const std::string name = shown(profile.name);
  const std::string_view id = profile.get("aws_access_key_id");
  const std::string_view secret = profile.get("aws_secret_access_key");
  const std::string_view session = profile.get("aws_session_token");
  if (!secret.empty()) credential.secrets.emplace_back(std::string(secret));
  if (!session.empty()) credential.secrets.emplace_back(std::string(session));
  if (id.empty() && secret.empty()) return true;  // a role, or single sign-on
  constexpr std::size_t k_end = 4;
  if (id.size() >= 16)
    credential.notes.push_back(
        fmt::format("profile '{}': key id ...{}", name, shown(id.substr(id.size() - k_end))));
  if (id.empty()) credential.problems.push_back(fmt::format("profile '{}': no key id", name));
  if (secret.empty()) {
    credential.problems.push_back(fmt::format("profile '{}': no secret key", name));
  } else if (secret.size() < k_secret_length) {
    return false;
  }
  // Ids of temporary keys begin so.
  if (id.starts_with("ASIA") && session.empty())
    credential.problems.push_back(fmt::format("profile '{}': no session token", name));
  return true;
}

}  // namespace

Recognised recognise_aws(std::string_view text) {
  Credential credential;
  credential.type = Type::aws_credentials;
  Recognised fault;
  const std::vector<Profile> profiles = read_profiles(text, credential, fault);
  if (fault.verdict != Verdict::none) return fault;
  std::vector<std::string> names;
  for (const Profile& profile : profiles) {
    if (!look_at(profile, credential))
      return damaged(Verdict::truncated, fmt::format("the secret key of profile '{}' is too short",
                                                     shown(profile.name)));
    names.push_back(shown(profile.name));
  }
  credential.subject = fmt::format("{} {}", profiles.size() == 1 ? "profile" : "profiles",
                                   joined(first_few(std::move(names)), ", "));
  return settled(std::move(credential));
}

}  // namespace berth::credentials
