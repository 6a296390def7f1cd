#include "executor/agentlink/socket_transport.hpp"
#include "executor/sandbox/checkout.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/agent_process.hpp"
#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

/// A checkout is arranged through the real agent. Where the tests are not root's, the
/// agent may not give files away either: then that is what is tried.

using namespace berth;
using namespace berth::tests;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t k_user = 1234;
constexpr std::uint32_t k_group = 1235;

struct Helper {
  AgentProcess agent;
  std::unique_ptr<agentlink::Transport> transport =
      agentlink::make_socket_transport(agent.run_dir().string());
  fs::path builds = agent.dir() / "builds";
  int connections = 0;
  bool root = ::geteuid() == 0;

  Helper() { fs::create_directory(builds); }

  agentlink::AgentClient connect() {
    ++connections;
    return agentlink::AgentClient::connect(*transport, std::chrono::steady_clock::now() + 10s, {});
  }
  sandbox::Checkout arrange(std::uint32_t build, bool kept) {
    return sandbox::arrange_checkout(
        [this] { return connect(); },
        {.users = {.helper = 0, .build = build, .build_group = build == 0 ? 0 : k_group},
         .builds_dir = builds.string(),
         .kept = kept,
         .git_config = git_config()},
        10s, {});
  }
  std::string git_config() const { return (agent.dir() / "gitconfig").string(); }
  fs::path marker() const { return builds / sandbox::k_owner_marker; }
  fs::path record() const { return builds / sandbox::k_owner_record; }
};

}  // namespace

TEST_CASE("root's helper marks whose the files are to be", "[checkout]") {
  Helper helper;
  const sandbox::Checkout done = helper.arrange(k_user, false);
  if (!helper.root) {
    CHECK(done == sandbox::Checkout{.umask_0000 = true, .foreign_to_build = true});
    CHECK_FALSE(fs::exists(helper.marker()));
    return;
  }
  CHECK(done == sandbox::Checkout{});
  struct stat about {};
  REQUIRE(::lstat(helper.marker().c_str(), &about) == 0);
  CHECK(S_ISREG(about.st_mode));
  CHECK(about.st_uid == k_user);
  CHECK(about.st_gid == k_group);
  CHECK(about.st_size == 0);
  CHECK_FALSE(fs::exists(helper.record()));
}

TEST_CASE("nobody is asked where all is one user's", "[checkout]") {
  Helper helper;
  CHECK(helper.arrange(0, false) == sandbox::Checkout{});
  CHECK(helper.connections == 0);
}

TEST_CASE("a kept directory remembers whose its files are", "[checkout]") {
  Helper helper;
  if (!helper.root) return;
  helper.arrange(0, true);
  CHECK_FALSE(fs::exists(helper.marker()));
  CHECK(support::read_file(helper.record(), 100) == "0\n");
  helper.arrange(k_user, true);
  CHECK(fs::exists(helper.marker()));
  CHECK(support::read_file(helper.record(), 100) == "1234\n");
  // The runner removes the marker behind each job.
  fs::remove(helper.marker());
  helper.arrange(0, true);
  CHECK(fs::exists(helper.marker()));
  fs::remove(helper.marker());
  helper.arrange(0, true);
  CHECK_FALSE(fs::exists(helper.marker()));
}

TEST_CASE("what a job leaves in the place of the record does no harm", "[checkout]") {
  Helper helper;
  if (!helper.root) return;
  const fs::path other = helper.agent.dir() / "other";
  std::ofstream(other) << "77\n";
  SECTION("words") {
    std::ofstream(helper.record()) << "root, of course";
  }
  SECTION("a link") {
    fs::create_symlink(other, helper.record());
  }
  SECTION("a directory") {
    fs::create_directory(helper.record());
  }
  SECTION("a link in the marker's place") {
    fs::create_symlink(other, helper.marker());
  }
  helper.arrange(k_user, true);
  struct stat about {};
  REQUIRE(::lstat(helper.marker().c_str(), &about) == 0);
  CHECK(S_ISREG(about.st_mode));
  CHECK(support::read_file(other, 100) == "77\n");
  REQUIRE(::stat(other.c_str(), &about) == 0);
  CHECK(about.st_uid == 0);
}

TEST_CASE("git is told once that files of others are in order", "[checkout]") {
  Helper helper;
  if (!helper.root) return;
  const std::string told = "[safe]\n\tdirectory = *\n";
  helper.arrange(0, true);
  CHECK_FALSE(fs::exists(helper.git_config()));
  helper.arrange(k_user, false);
  CHECK(support::read_file(helper.git_config(), 1000) == told);
  std::ofstream(helper.git_config()) << "[user]\n\tname = of the image";
  helper.arrange(k_user, false);
  helper.arrange(k_user, false);
  CHECK(support::read_file(helper.git_config(), 1000) == "[user]\n\tname = of the image\n" + told);
}
