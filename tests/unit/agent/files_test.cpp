// PUT, GET, and fresh volumes.

#include "tests/unit/agent/agent_test.hpp"

#include <sys/stat.h>

using namespace berth;
using namespace berth::tests;

namespace {

protocol::Put put_of(const std::filesystem::path& path, const std::string& bytes,
                     std::uint32_t mode = 0600) {
  return {.tag = 7,
          .path = path.string(),
          .mode = mode,
          .uid = protocol::k_keep_owner,
          .gid = protocol::k_keep_owner,
          .bytes = bytes};
}

std::uint32_t put(AgentPeer& peer, const protocol::Put& message) {
  peer.send(message);
  const auto reply = peer.expect<protocol::FileReply>();
  REQUIRE(reply.tag == message.tag);
  return reply.error;
}

protocol::FileReply get(AgentPeer& peer, const std::filesystem::path& path) {
  peer.send(protocol::Get{.tag = 8, .path = path.string()});
  return peer.expect<protocol::FileReply>();
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

std::size_t entries(const std::filesystem::path& dir) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(dir), {}));
}

}  // namespace

TEST_CASE("PUT makes parents, mode and content, and GET brings it back") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const auto path = agent.dir() / "a" / "b" / "file";
  std::string bytes = "secret\0\xff";
  bytes.resize(8);
  REQUIRE(put(peer, put_of(path, bytes, 0640)) == 0);
  REQUIRE(read_file(path) == bytes);
  REQUIRE(mode_of(path) == 0640);
  REQUIRE(mode_of(agent.dir() / "a" / "b") == 0755);
  REQUIRE(get(peer, path).bytes == bytes);
  REQUIRE(put(peer, put_of(path, "", 0400)) == 0);
  REQUIRE(read_file(path).empty());
  REQUIRE(entries(path.parent_path()) == 1);
}

TEST_CASE("PUT sets the owner") {
  if (::geteuid() != 0) {
    WARN("not checked here: needs root");
    return;
  }
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  protocol::Put message = put_of(agent.dir() / "owned", "x", 04755);
  message.uid = 1234;
  message.gid = 5678;
  REQUIRE(put(peer, message) == 0);
  struct stat info {};
  REQUIRE(::stat(message.path.c_str(), &info) == 0);
  REQUIRE(info.st_uid == 1234);
  REQUIRE(info.st_gid == 5678);
  REQUIRE((info.st_mode & 07777) == 04755);
}

TEST_CASE("PUT replaces a link and never writes through it") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  write_file(agent.dir() / "victim", "untouched");
  std::filesystem::create_symlink(agent.dir() / "victim", agent.dir() / "link");
  REQUIRE(put(peer, put_of(agent.dir() / "link", "new")) == 0);
  REQUIRE(read_file(agent.dir() / "victim") == "untouched");
  REQUIRE(std::filesystem::is_regular_file(std::filesystem::symlink_status(agent.dir() / "link")));
  REQUIRE(read_file(agent.dir() / "link") == "new");
}

TEST_CASE("PUT that fails says why and leaves nothing") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const auto box = agent.dir() / "box";
  std::filesystem::create_directories(box / "taken");
  write_file(box / "taken" / "in", "");
  REQUIRE(put(peer, put_of(box / "taken", "x")) == EISDIR);
  REQUIRE(entries(box) == 1);
  write_file(box / "file", "");
  REQUIRE(put(peer, put_of(box / "file" / "below", "x")) == ENOTDIR);
  REQUIRE(put(peer, put_of("relative", "x")) == EINVAL);
  REQUIRE(put(peer, put_of("", "x")) == EINVAL);
  REQUIRE(put(peer, put_of(std::string("/tmp/a\0b", 8), "x")) == EINVAL);
  REQUIRE(put(peer, put_of(box / "big", std::string(protocol::k_max_file + 1, 'x'))) == EFBIG);
  REQUIRE(put(peer, put_of("/proc/none/file", "x")) != 0);
  REQUIRE(entries(box) == 2);
  REQUIRE(put(peer, put_of(box / "big", std::string(protocol::k_max_file, 'x'))) == 0);
}

TEST_CASE("GET reads regular files only, of bounded size, through no link") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  REQUIRE(get(peer, agent.dir() / "none").error == ENOENT);
  REQUIRE(get(peer, agent.dir()).error == EISDIR);
  REQUIRE(get(peer, "/dev/zero").error == EINVAL);
  REQUIRE(::mkfifo((agent.dir() / "fifo").c_str(), 0600) == 0);
  REQUIRE(get(peer, agent.dir() / "fifo").error == EINVAL);
  std::filesystem::create_symlink("/etc/passwd", agent.dir() / "link");
  REQUIRE(get(peer, agent.dir() / "link").error == ELOOP);
  write_file(agent.dir() / "big", std::string(protocol::k_max_file + 1, 'x'));
  const auto big = get(peer, agent.dir() / "big");
  REQUIRE(big.error == EFBIG);
  REQUIRE(big.bytes.empty());
  // Files of /proc have no size.
  REQUIRE_THAT(get(peer, "/proc/self/status").bytes, StartsWith("Name:"));
}

TEST_CASE("fresh volumes are opened to every user, used ones and links are not") {
  if (::geteuid() != 0) {
    WARN("not checked here: needs root");
    return;
  }
  const TempDir volumes;
  const auto at = [&](const char* name) { return volumes.path() / name; };
  for (const char* name : {"fresh", "used", "narrow", "target"}) {
    std::filesystem::create_directory(at(name));
    REQUIRE(::chmod(at(name).c_str(), 0755) == 0);
  }
  write_file(at("used") / "file", "");
  REQUIRE(::chmod(at("narrow").c_str(), 0700) == 0);
  std::filesystem::create_directory_symlink(at("target"), at("link"));
  std::string open;
  for (const char* name : {"fresh", "used", "narrow", "link", "missing"}) {
    open += (open.empty() ? "open=" : ":") + at(name).string();
  }
  const AgentProcess agent(with(each_build(), open));
  REQUIRE(mode_of(at("fresh")) == 0777);
  REQUIRE(mode_of(at("used")) == 0755);
  REQUIRE(mode_of(at("narrow")) == 0700);
  REQUIRE(mode_of(at("target")) == 0755);
}

TEST_CASE("a note is kept in memory: it comes back, is replaced, and stands in no file") {
  const AgentProcess agent(with(each_build()));
  const auto before = entries(agent.dir());
  {
    AgentPeer peer = greeted(agent);
    REQUIRE(get(peer, "memory:one").error == ENOENT);
    REQUIRE(put(peer, put_of("memory:one", "first")) == 0);
    REQUIRE(put(peer, put_of("memory:one", std::string("se\0cond", 7))) == 0);
  }
  AgentPeer later = greeted(agent);
  REQUIRE(get(later, "memory:one").bytes == std::string("se\0cond", 7));
  REQUIRE(get(later, "memory:on").error == ENOENT);
  REQUIRE(entries(agent.dir()) == before);
}

TEST_CASE("notes have their limits, beyond which the old ones stay") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const std::string most(protocol::k_max_file, 'x');
  REQUIRE(put(peer, put_of("memory:one", "first")) == 0);
  REQUIRE(put(peer, put_of("memory:two", most)) == ENOSPC);
  REQUIRE(put(peer, put_of("memory:one", most)) == 0);
  REQUIRE(put(peer, put_of("memory:one", most + "x")) == ENOSPC);
  REQUIRE(get(peer, "memory:one").bytes.size() == most.size());
  REQUIRE(put(peer, put_of("memory:one", "small")) == 0);
  for (std::size_t i = 1; i < protocol::k_max_notes; ++i)
    REQUIRE(put(peer, put_of("memory:more" + std::to_string(i), "")) == 0);
  REQUIRE(put(peer, put_of("memory:too many", "")) == ENOSPC);
  REQUIRE(put(peer, put_of("memory:" + std::string(200, 'x'), "")) == ENOSPC);
  REQUIRE(get(peer, "memory:one").bytes == "small");
}

TEST_CASE("a link is made where nothing stands, and nowhere else") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const auto link = agent.dir() / "home" / ".kube";
  const std::string target = (agent.dir() / "memory").string();
  REQUIRE(put(peer, put_of(link, target, protocol::k_link_mode)) == 0);
  REQUIRE(std::filesystem::read_symlink(link) == target);
  REQUIRE(mode_of(target) == 0700);
  REQUIRE(put(peer, put_of(link, target + "2", protocol::k_link_mode)) == EEXIST);
  REQUIRE(put(peer, put_of(agent.dir() / "other", "relative", protocol::k_link_mode)) == EINVAL);
  REQUIRE(put(peer, put_of(agent.dir() / "home", target, protocol::k_link_mode)) == EEXIST);
  REQUIRE(std::filesystem::read_symlink(link) == target);
}
