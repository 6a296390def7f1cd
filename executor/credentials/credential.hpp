#pragma once

#include "executor/credentials/decoder.hpp"
#include "executor/support/secret.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the value of a CI variable is, verified by its content. Pure, fuzzed.
namespace berth::credentials {

enum class Type {
  kubeconfig,
  google_service_account,
  google_external_account,
  google_authorized_user,
  docker_config,
  private_key,   ///< PEM, with the certificates that stand with it
  certificates,  ///< PEM: certificates alone
  ssh_key,
  aws_credentials,
  netrc,
  npmrc,
  jwt,
};

/// "kubeconfig", "service account", "Docker configuration"
std::string_view name_of(Type type);

struct Credential {
  Type type = Type::jwt;
  /// Whom or what it is for, fit to print: "deployer@project.iam.gserviceaccount.com".
  std::string subject{};
  /// The earliest end of what is in it.
  std::optional<std::chrono::sys_seconds> expiry{};
  /// The file as its readers want it: no byte order mark, LF, a newline at its end
  /// (a JWT: none), keys and certificates in lines as their own tools write them.
  support::Secret content{};
  /// What may not be seen in a log, each part whole, no encoding.
  std::vector<support::Secret> secrets{};
  /// What else is worth to know: "key id ...1a2b", "needs the program 'aws'".
  std::vector<std::string> notes{};
  /// What keeps it from working: "expired on 2024-02-01", "no current-context".
  std::vector<std::string> problems{};
};

enum class Verdict {
  /// Not a credential: nothing of one is in it.
  none,
  valid,
  /// A whole credential that will not work: see its problems.
  invalid,
  /// Part of a credential: its end is missing.
  truncated,
  /// A credential once, damaged in the middle.
  garbage,
  /// It can be read as two different things.
  ambiguous,
};

/// "valid", "not a credential", "truncated"
std::string_view name_of(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::none;
  /// With valid and invalid.
  std::optional<Credential> credential{};
  /// With truncated, garbage and ambiguous.
  std::string fault{};
  std::vector<Layer> layers{};
  /// How it was encoded.
  std::vector<std::string> encoding{};
  std::size_t decoded_bytes = 0;
  bool final_newline = false;
  /// See Decoded; only with valid and invalid.
  support::Secret one_line{};

  /// One line, without content: "base64 wrapped at 76 columns; 2 312 bytes; service
  /// account deployer@...; key id ...1a2b; no trailing newline".
  std::string diagnosis() const;
};

/// Decodes and verifies. `now` decides what has expired. Throws nothing but
/// std::bad_alloc.
Finding examine(std::string_view value, std::chrono::sys_seconds now);

}  // namespace berth::credentials
