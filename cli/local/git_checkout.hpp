#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace berth::local {

/// What git knows of the checkout whose HEAD is run.
struct GitCheckout {
  std::filesystem::path root;
  /// Where the objects lie; not below root for a linked worktree.
  std::filesystem::path git_dir;
  std::string object_format = "sha1";
  std::string sha;
  /// The first parent, or zeros.
  std::string before_sha;
  /// Branch or tag; what `git describe` calls the commit where HEAD is neither.
  std::string ref;
  bool is_tag = false;
  /// There is a refs/heads/<ref> that a job can fetch.
  bool has_branch = false;
  std::string tag_message;
  std::string message;
  /// "Name <address>"
  std::string author;
  /// ISO 8601
  std::string timestamp;
  std::string default_branch;
  /// "group/project": of the remote origin, else "local/<directory>".
  std::string project_path;
  /// The user's own name and address as git knows them.
  std::string user_name;
  std::string user_email;
  /// Tracked files differ from HEAD; what git does not track is not counted.
  bool dirty = false;
};

/// Reads it. `ref`: run as that branch or tag; empty: what HEAD is. Throws
/// support::OperatorError where `directory` lies in no checkout or HEAD has no commit.
GitCheckout read_checkout(const std::filesystem::path& directory, const std::string& ref);

/// Every file of HEAD.
std::vector<std::string> list_files(const GitCheckout& checkout);
/// A file's content at HEAD; nothing where there is none.
std::optional<std::string> read_file(const GitCheckout& checkout, const std::string& path);
/// The id of a file's blob at HEAD, "" where there is none.
std::string blob_id(const GitCheckout& checkout, const std::string& path);

}  // namespace berth::local
