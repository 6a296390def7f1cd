#include "tests/contract/fake_containers.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <signal.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>

namespace berth::tests {
namespace {

namespace fs = std::filesystem;

/// Makes a root of this host's directories with the container's mounts over them, and becomes the
/// agent in it, as the first process of a PID namespace. gitlab-runner is a stand-in. Arguments:
/// the new root, the agent, then pairs of host directory and place inside.
constexpr const char* k_enter = R"(
set -e
root=$1 agent=$2
shift 2
mount -t tmpfs -o mode=755 tmpfs "$root"
for entry in /*; do
  if [ -L "$entry" ]; then cp -P "$entry" "$root$entry"
  elif [ "$entry" = /proc ]; then mkdir "$root/proc"
  elif [ -d "$entry" ]; then mkdir "$root$entry"; mount --rbind "$entry" "$root$entry"
  fi
done
mount -t proc proc "$root/proc"
# What Berth tells git in a helper is not for this host.
mount -o remount,bind,ro "$root/etc"
mount -t tmpfs tmpfs "$root/usr/local/bin"
printf '#!/bin/sh\necho "gitlab-runner $*"\n' >"$root/usr/local/bin/gitlab-runner"
chmod 755 "$root/usr/local/bin/gitlab-runner"
while [ $# -gt 1 ]; do
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  shift 2
done
exec chroot "$root" "$agent" serve
)";

struct Mount {
  fs::path host;
  std::string inside;
};

int spawn_agent(const fs::path& agent, const fs::path& root, const std::vector<Mount>& mounts,
                std::vector<std::string> env, const fs::path& log) {
  env.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  std::vector<std::string> words{"unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL"};
  if (::geteuid() != 0) words.insert(words.end(), {"--user", "--map-root-user"});
  for (const std::string& word : {std::string("sh"), std::string("-c"), std::string(k_enter),
                                  std::string("sh"), root.string(), agent.string()}) {
    words.push_back(word);
  }
  for (const Mount& mount : mounts) {
    words.push_back(mount.host.string());
    words.push_back(mount.inside);
  }
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  };
  const std::vector<char*> envp = pointers(env);
  const std::vector<char*> argv = pointers(words);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw std::runtime_error(fmt::format("spawn unshare: {}", std::strerror(error)));
  return pid;
}

}  // namespace

FakeContainers::FakeContainers(fs::path agent, fs::path root)
    : m_agent(std::move(agent)), m_root(std::move(root)) {}

FakeContainers::~FakeContainers() {
  for (auto& [id, container] : m_all) {
    if (container.pid > 0) ::kill(container.pid, SIGKILL);
  }
  for (auto& [id, container] : m_all) {
    if (container.pid > 0) ::waitpid(container.pid, nullptr, 0);
  }
}

FakeContainers::Container* FakeContainers::lookup(const std::string& id_or_name) {
  if (auto found = m_all.find(id_or_name); found != m_all.end()) return &found->second;
  for (auto& [id, container] : m_all) {
    if (container.state.name == id_or_name) return &container;
  }
  return nullptr;
}

void FakeContainers::reap(Container& container) {
  if (container.pid <= 0) return;
  int status = 0;
  if (::waitpid(container.pid, &status, WNOHANG) != container.pid) return;
  container.pid = -1;
  container.state.running = false;
  container.state.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::ifstream log(container.log_file);
  std::stringstream text;
  text << log.rdbuf();
  container.state.log += text.str();
}

std::optional<std::string> FakeContainers::create(const std::string& name, nlohmann::json config) {
  const std::lock_guard lock(m_mutex);
  if (lookup(name) != nullptr) return std::nullopt;
  Container container;
  container.state.id = fmt::format("{:064x}", 0xfa4e0000u + ++m_count);
  container.state.name = name;
  container.state.config = std::move(config);
  container.log_file = m_root / ("log-" + std::to_string(m_count));
  const std::string id = container.state.id;
  m_all.emplace(id, std::move(container));
  return id;
}

std::optional<FakeContainers::State> FakeContainers::find(const std::string& id_or_name) {
  const std::lock_guard lock(m_mutex);
  Container* container = lookup(id_or_name);
  if (container == nullptr) return std::nullopt;
  reap(*container);
  return container->state;
}

std::vector<FakeContainers::State> FakeContainers::all() {
  const std::lock_guard lock(m_mutex);
  std::vector<State> states;
  for (auto& [id, container] : m_all) {
    reap(container);
    states.push_back(container.state);
  }
  return states;
}

fs::path FakeContainers::mount_source(const Container& container, const std::string& target) {
  const auto host = container.state.config.value("HostConfig", nlohmann::json::object());
  for (const auto& mount : host.value("Mounts", nlohmann::json::array())) {
    if (mount.value("Target", "") != target) continue;
    if (mount.value("Type", "") == "bind") return mount.value("Source", "");
    return m_root / ("volume-" + mount.value("Source", container.state.id.substr(48)));
  }
  if (host.contains("Tmpfs") && host["Tmpfs"].is_object() && host["Tmpfs"].contains(target)) {
    return m_root / ("tmpfs-" + container.state.id.substr(48));
  }
  return {};
}

fs::path FakeContainers::mounted_at(const std::string& id, const std::string& target) {
  const std::lock_guard lock(m_mutex);
  Container* container = lookup(id);
  return container == nullptr ? fs::path{} : mount_source(*container, target);
}

bool FakeContainers::start(const std::string& id, std::optional<int> ends_with,
                           const std::string& log) {
  const std::lock_guard lock(m_mutex);
  Container& container = *lookup(id);
  if (container.state.running) return true;
  container.state.started = true;
  if (ends_with) {
    container.state.exit_code = *ends_with;
    container.state.log = log;
    return false;
  }
  if (mount_source(container, "/.berth/run").empty()) {
    // A service: nothing needs to run for it here.
    container.state.running = true;
    container.state.log = log;
    return false;
  }
  std::vector<Mount> mounts;
  const auto host = container.state.config.value("HostConfig", nlohmann::json::object());
  std::vector<std::string> targets;
  for (const auto& mount : host.value("Mounts", nlohmann::json::array())) {
    targets.push_back(mount.value("Target", ""));
  }
  if (host.contains("Tmpfs") && host["Tmpfs"].is_object()) {
    for (const auto& [target, options] : host["Tmpfs"].items()) targets.push_back(target);
  }
  for (const std::string& target : targets) {
    const fs::path source = mount_source(container, target);
    fs::create_directories(source);
    mounts.push_back({source, target});
  }
  const fs::path root = m_root / ("root-" + container.state.id.substr(48));
  fs::create_directories(root);
  container.pid = spawn_agent(m_agent, root, mounts,
                              container.state.config.value("Env", std::vector<std::string>{}),
                              container.log_file);
  container.state.running = true;
  return false;
}

void FakeContainers::kill(const std::string& id, bool out_of_memory) {
  const std::lock_guard lock(m_mutex);
  Container* container = lookup(id);
  if (container == nullptr) return;
  container->state.out_of_memory = out_of_memory;
  if (container->pid > 0) {
    // Its PID namespace ends with it, and all that ran there.
    ::kill(container->pid, SIGKILL);
    ::waitpid(container->pid, nullptr, 0);
    container->pid = -1;
  }
  if (container->state.running) container->state.exit_code = 137;
  container->state.running = false;
}

void FakeContainers::remove(const std::string& id) {
  kill(id);
  const std::lock_guard lock(m_mutex);
  if (Container* container = lookup(id)) m_all.erase(container->state.id);
}

}  // namespace berth::tests
