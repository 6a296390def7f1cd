#include "cli/local/git_checkout.hpp"

#include "cli/local/runner/child.hpp"
#include "cli/local/runner/url.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace berth::local {
namespace {

std::string without_newline(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// git in one directory; the environment is this process's.
class Git {
 public:
  explicit Git(std::filesystem::path directory) : m_directory(std::move(directory)) {}

  /// The command's output; nothing where it fails.
  std::optional<std::string> raw(std::vector<std::string> arguments) const {
    runner::ChildOptions options{.arguments = {"git"}, .directory = m_directory};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    for (char** entry = environ; *entry != nullptr; ++entry)
      options.environment.emplace_back(*entry);
    // Words that we read must not be translated.
    options.environment.emplace_back("LC_ALL=C");
    return runner::try_for_output(options);
  }
  /// The same without the newline at the end; "" where it fails.
  std::string line(std::vector<std::string> arguments) const {
    return without_newline(raw(std::move(arguments)).value_or(""));
  }
  bool succeeds(std::vector<std::string> arguments) const {
    return raw(std::move(arguments)).has_value();
  }

 private:
  std::filesystem::path m_directory;
};

void read_ref(const Git& git, const std::string& wanted, GitCheckout& checkout) {
  checkout.ref = wanted;
  if (checkout.ref.empty()) checkout.ref = git.line({"symbolic-ref", "--short", "-q", "HEAD"});
  if (checkout.ref.empty()) {
    checkout.ref = git.line({"describe", "--tags", "--exact-match", "HEAD"});
    checkout.is_tag = !checkout.ref.empty();
  }
  if (checkout.ref.empty()) checkout.ref = git.line({"describe", "--always", "--all", "HEAD"});
  checkout.has_branch = git.succeeds({"show-ref", "--verify", "-q", "refs/heads/" + checkout.ref});
  if (!checkout.has_branch) {
    checkout.is_tag = git.succeeds({"show-ref", "--verify", "-q", "refs/tags/" + checkout.ref});
  }
  if (checkout.is_tag) {
    checkout.tag_message =
        git.line({"for-each-ref", "--format=%(contents:subject)", "refs/tags/" + checkout.ref});
  }
}

std::string default_branch(const Git& git, const std::string& current) {
  const std::string remote =
      git.line({"symbolic-ref", "--short", "-q", "refs/remotes/origin/HEAD"});
  if (remote.starts_with("origin/")) return remote.substr(7);
  for (const char* name : {"main", "master"}) {
    if (git.succeeds({"show-ref", "--verify", "-q", std::string("refs/heads/") + name}))
      return name;
  }
  return current;
}

/// From https://host/group/project.git, git@host:group/project.git or a path.
std::string project_path(const Git& git, const std::filesystem::path& root) {
  std::string remote = git.line({"remote", "get-url", "origin"});
  std::string path;
  if (const auto url = runner::parse_url(remote); url && url->scheme != "file") {
    path = url->path;
  } else if (const auto colon = remote.find(':');
             !url && colon != std::string::npos && !remote.starts_with('/')) {
    path = remote.substr(colon + 1);
  }
  while (path.starts_with('/')) path.erase(0, 1);
  if (path.ends_with(".git")) path.resize(path.size() - 4);
  if (path.find('/') != std::string::npos) return path;
  return "local/" + root.filename().string();
}

}  // namespace

GitCheckout read_checkout(const std::filesystem::path& directory, const std::string& ref) {
  GitCheckout checkout;
  const Git here(directory);
  checkout.root = here.line({"rev-parse", "--show-toplevel"});
  if (checkout.root.empty()) {
    throw support::OperatorError(
        fmt::format("not in a git checkout: \"{}\"", directory.string()),
        "berth local runs the commit that is checked out: git init, git add, git commit");
  }
  const Git git(checkout.root);
  checkout.sha = git.line({"rev-parse", "--verify", "-q", "HEAD^{commit}"});
  if (checkout.sha.empty()) {
    throw support::OperatorError(
        fmt::format("the checkout has no commit: \"{}\"", checkout.root.string()),
        "berth local runs what is committed: git add, git commit");
  }
  checkout.git_dir = git.line({"rev-parse", "--path-format=absolute", "--git-common-dir"});
  if (const std::string format = git.line({"rev-parse", "--show-object-format"}); !format.empty()) {
    checkout.object_format = format;
  }
  checkout.before_sha = git.line({"rev-parse", "--verify", "-q", "HEAD~1"});
  if (checkout.before_sha.empty()) checkout.before_sha = std::string(checkout.sha.size(), '0');
  checkout.message = git.line({"log", "-1", "--format=%B"});
  checkout.author = git.line({"log", "-1", "--format=%an <%ae>"});
  checkout.timestamp = git.line({"log", "-1", "--format=%cI"});
  read_ref(git, ref, checkout);
  checkout.default_branch = default_branch(git, checkout.ref);
  checkout.project_path = project_path(git, checkout.root);
  checkout.user_name = git.line({"config", "user.name"});
  checkout.user_email = git.line({"config", "user.email"});
  checkout.dirty = !git.line({"status", "--porcelain", "--untracked-files=no"}).empty();
  return checkout;
}

std::vector<std::string> list_files(const GitCheckout& checkout) {
  const std::string output =
      Git(checkout.root).raw({"ls-tree", "-r", "-z", "--name-only", "HEAD"}).value_or("");
  std::vector<std::string> files;
  for (std::size_t at = 0; at < output.size();) {
    const auto end = std::min(output.find('\0', at), output.size());
    files.push_back(output.substr(at, end - at));
    at = end + 1;
  }
  return files;
}

std::optional<std::string> read_file(const GitCheckout& checkout, const std::string& path) {
  return Git(checkout.root).raw({"cat-file", "blob", "HEAD:" + path});
}

std::string blob_id(const GitCheckout& checkout, const std::string& path) {
  return Git(checkout.root).line({"rev-parse", "--verify", "-q", "HEAD:" + path});
}

}  // namespace berth::local
