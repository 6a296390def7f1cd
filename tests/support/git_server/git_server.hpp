#pragma once

#include "tests/support/http_server/http_server.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace berth::tests {

/// Serves the repositories below a folder as GitLab does: over HTTPS by `git
/// http-backend`, for those who know the job's token.
class GitServer {
 public:
  /// `names` are the certificate's, as Authority::server() takes them.
  GitServer(const Authority& authority, const std::filesystem::path& root, std::string token,
            const std::string& listen = "127.0.0.1",
            const std::string& names = "DNS:localhost,IP:127.0.0.1");

  std::uint16_t port() const;
  /// How many requests a repository got that were allowed.
  std::size_t served(const std::string& repository) const;

 private:
  ServerReply answer(const ServerRequest& request) const;

  std::filesystem::path m_root;
  std::string m_authorization;
  HttpServer m_server;
};

/// Runs a command there with an identity for commits; its output. Throws
/// support::SystemError with what it said when it fails.
std::string shell(const std::filesystem::path& directory, const std::string& command);

/// Makes `group/app.git` with the submodule `lib`, which has the submodule `deep`:
/// the first at an address of `base` ("https://host:port"), the second at a
/// relative one. Each holds one file, named and filled with its own name. Gives
/// app's commit.
std::string make_nested_projects(const std::filesystem::path& root, const std::string& base);

}  // namespace berth::tests
