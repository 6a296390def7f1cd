#pragma once

#include "executor/process/process.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/secret.hpp"

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace berth::kubernetes {

/// What is shown to the server with each request. All may be empty.
struct Proof {
  /// Authorization: Bearer.
  support::Secret token{};
  /// PEM of a client certificate and its key.
  std::string certificate_pem{};
  support::Secret key_pem{};
  bool operator==(const Proof&) const = default;
};

/// Where proofs come from. Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// The proof that counts now: read again or made anew where it is time to.
  /// Throws OperatorError with the source's name.
  virtual Proof current(std::stop_token stop) = 0;
  /// The server answered 401: forgets what is kept. False: nothing else can be
  /// had than before, asking again is useless.
  virtual bool renew() = 0;
};

/// Never changes.
std::unique_ptr<CredentialSource> make_fixed_credentials(Proof proof);

/// A token file that somebody else replaces (service accounts: hourly). Read again
/// with each use; a file that is missing for a moment gives the last content.
std::unique_ptr<CredentialSource> make_token_file(std::filesystem::path file, Proof rest);

/// The `exec:` section of a kubeconfig's user (client.authentication.k8s.io).
struct ExecPlugin {
  std::string api_version{};
  std::string command{};
  std::vector<std::string> args{};
  std::vector<std::pair<std::string, std::string>> env{};
  std::string install_hint{};
  /// JSON for spec.cluster where provideClusterInfo is true, else "".
  std::string cluster_json{};
  /// For messages: "user 'x' of /home/ci/.kube/config".
  std::string where{};
};

/// Runs the program when there is no proof yet, when the last one ends within a
/// minute, and after renew(). Its standard error is in the error's words.
std::unique_ptr<CredentialSource> make_exec_credentials(
    ExecPlugin plugin, std::shared_ptr<process::ProcessRunner> processes,
    const support::Clock& clock = support::system_clock());

}  // namespace berth::kubernetes
