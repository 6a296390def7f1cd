#pragma once

#include "cli/local/server/artifact_store.hpp"
#include "cli/local/server/http_server.hpp"

#include <filesystem>
#include <string>

namespace berth::local::server {

/// A repository to read over git's smart HTTP, by `git http-backend`.
struct GitRepository {
  /// "/group/project.git"
  std::string url_path;
  /// The directory git keeps the objects in (`git rev-parse --git-common-dir`).
  std::filesystem::path git_dir;
};

/// Serves fetches to whoever knows a job's token (as the password of Basic
/// authentication); pushes are refused. False when the path is not below the
/// repository's.
bool serve_git(const GitRepository& repository, const ArtifactStore& store, const Request& request,
               Exchange& exchange);

}  // namespace berth::local::server
