#pragma once

#include "executor/credentials/credential.hpp"

#include <nlohmann/json_fwd.hpp>

/// One function per kind of file: given text of its form, what it is. `now` decides
/// what has expired. None throws.
namespace berth::credentials {

struct Recognised {
  Verdict verdict = Verdict::none;
  std::string fault{};
  Credential credential{};
};

Recognised recognise_json(std::string_view text, std::chrono::sys_seconds now);
Recognised recognise_pem(std::string_view text, std::chrono::sys_seconds now);
Recognised recognise_kubeconfig(std::string_view text, std::chrono::sys_seconds now);
Recognised recognise_aws(std::string_view text);
Recognised recognise_netrc(std::string_view text);
Recognised recognise_npmrc(std::string_view text);
Recognised recognise_jwt(std::string_view text, std::chrono::sys_seconds now);

/// Of a JSON object; none where it is not such a file.
Recognised recognise_google(const nlohmann::json& json);
Recognised recognise_docker(const nlohmann::json& json);

/// More machines, profiles and the like have no file.
constexpr std::size_t k_max_entries = 1000;

/// valid or invalid, by its problems.
Recognised settled(Credential credential);
/// `truncated` or `garbage`, with why.
Recognised damaged(Verdict verdict, std::string fault);

/// "expired on 2024-02-01" among the problems where it has; keeps the earliest end.
void note_expiry(Credential& credential, std::string_view what, std::chrono::sys_seconds end,
                 std::chrono::sys_seconds now);

/// False where a text of these sizes would take a parser more memory than any
/// credential needs: counts what may become a node.
bool is_parsable(std::string_view text);

}  // namespace berth::credentials
