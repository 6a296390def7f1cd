// JSON Web Tokens (RFC 7519) in compact form, signed (RFC 7515). The signature is
// not verified: only its size is known here.

#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"
#include "executor/support/base64.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace berth::credentials {
namespace {

using Json = nlohmann::json;
using support::Secret;

/// One segment as an object; discarded where it is none.
Json object_of(std::string_view segment) {
  support::Base64Reading reading = support::read_base64(segment);
  const Secret bytes(std::move(reading.bytes));
  if (reading.end != support::Base64Reading::End::whole || !is_parsable(bytes.expose()))
    return Json(Json::value_t::discarded);
  Json json = Json::parse(bytes.expose(), nullptr, false);
  return json.is_object() ? json : Json(Json::value_t::discarded);
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The least that a signature of the algorithm has (RFC 7518 §3.1, RFC 8037).
std::size_t signature_size(std::string_view algorithm) {
  using Size = std::pair<std::string_view, std::size_t>;
  constexpr std::array<Size, 7> k_sizes{{{"HS256", 32},
                                         {"HS384", 48},
                                         {"HS512", 64},
                                         {"ES256", 64},
                                         {"ES384", 96},
                                         {"ES512", 132},
                                         {"EdDSA", 64}}};
  const auto found = std::ranges::find(k_sizes, algorithm, &Size::first);
  if (found != k_sizes.end()) return found->second;
  return algorithm.starts_with("RS") || algorithm.starts_with("PS") ? 128 : 1;
}

}  // namespace

Recognised recognise_jwt(std::string_view text, std::chrono::sys_seconds now) {
  std::string token;
  std::ranges::remove_copy_if(text, std::back_inserter(token), is_blank);
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', std::min(first, token.size() - 1) + 1);
  const std::string_view whole = token;
  const Json header = object_of(whole.substr(0, first));
  const std::string algorithm = header.is_object() ? text_of(header, "alg") : std::string();
  if (algorithm.empty()) return {};
  if (first == std::string::npos || second == std::string::npos)
    return damaged(Verdict::truncated, "the JWT has no signature");
  const Json claims = object_of(whole.substr(first + 1, second - first - 1));
  if (!claims.is_object()) return damaged(Verdict::garbage, "the claims of the JWT cannot be read");
  const std::string_view signature = whole.substr(second + 1);
  const support::Base64Reading reading = support::read_base64(signature);
  if (algorithm != "none" && (reading.end == support::Base64Reading::End::cut ||
                              reading.bytes.size() < signature_size(algorithm)))
    return damaged(Verdict::truncated, "the signature of the JWT is too short");
  if (reading.end == support::Base64Reading::End::foreign)
    return damaged(Verdict::garbage, "the signature of the JWT is not base64");
  Credential credential;
  credential.type = Type::jwt;
  const std::string subject = text_of(claims, "sub");
  const std::string issuer = text_of(claims, "iss");
  credential.subject =
      fmt::format("for '{}'{}", shown(subject), issuer.empty() ? "" : " of " + shown_url(issuer));
  if (algorithm == "none") credential.problems.emplace_back("it is not signed");
  if (const auto end = claims.find("exp"); end != claims.end() && end->is_number()) {
    // Years that a calendar has.
    constexpr double k_latest = 253402300799.0;
    const double seconds = std::clamp(end->get<double>(), 0.0, k_latest);
    note_expiry(credential, "it",
                std::chrono::sys_seconds(
                    std::chrono::seconds(static_cast<std::chrono::seconds::rep>(seconds))),
                now);
  }

  credential.secrets.emplace_back(token);
  credential.content = Secret(std::move(token));
  return settled(std::move(credential));
}

}  // namespace berth::credentials
