#include "executor/kubernetes/api/credentials.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <mutex>

namespace berth::kubernetes {
namespace {

constexpr std::size_t k_max_token = std::size_t{1} << 20;

class FixedCredentials final : public CredentialSource {
 public:
  explicit FixedCredentials(Proof proof) : m_proof(std::move(proof)) {}
  Proof current(std::stop_token) override { return m_proof; }
  bool renew() override { return false; }

 private:
  const Proof m_proof;
};

class TokenFile final : public CredentialSource {
 public:
  TokenFile(std::filesystem::path file, Proof rest)
      : m_file(std::move(file)), m_last(std::move(rest)) {}

  Proof current(std::stop_token) override {
    const std::lock_guard lock(m_mutex);
    try {
      std::string text = support::read_file(m_file, k_max_token);
      const std::size_t end = text.find_last_not_of(" \t\r\n");
      text.erase(end == std::string::npos ? 0 : end + 1);
      if (text.empty()) throw support::SystemError("'" + m_file.string() + "' is empty");
      m_last.token = support::Secret(std::move(text));
    } catch (const support::Error& error) {
      // A file that is being replaced: what was read before still counts.
      if (m_last.token.empty()) {
        throw support::OperatorError(std::string("the token for the API server: ") + error.what(),
                                     "the file must be readable by the user this program runs as");
      }
    }
    m_given = m_last.token;
    return m_last;
  }

  /// Somebody may have replaced it since the request was made.
  bool renew() override {
    const support::Secret before = [&] {
      const std::lock_guard lock(m_mutex);
      return m_given;
    }();
    return !(current({}).token == before);
  }

 private:
  const std::filesystem::path m_file;
  std::mutex m_mutex;
  Proof m_last;
  support::Secret m_given;
};

}  // namespace

std::unique_ptr<CredentialSource> make_fixed_credentials(Proof proof) {
  return std::make_unique<FixedCredentials>(std::move(proof));
}

std::unique_ptr<CredentialSource> make_token_file(std::filesystem::path file, Proof rest) {
  return std::make_unique<TokenFile>(std::move(file), std::move(rest));
}

}  // namespace berth::kubernetes
