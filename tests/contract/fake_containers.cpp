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

/// BERTH_AGENT with the paths inside the container replaced by host paths.
std::string agent_options(const std::string& given, const fs::path& run, const fs::path& lease) {
  std::string result = "run=" + run.string() + ";lease=" + lease.string();
  std::stringstream parts(given);
  for (std::string part; std::getline(parts, part, ';');) {
    if (part.starts_with("run=") || part.starts_with("lease=") || part.starts_with("open="))
      continue;
    result += ";" + part;
  }
  return result;
}

int spawn_agent(const fs::path& agent, std::vector<std::string> env, const fs::path& log) {
  env.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  std::vector<char*> envp;
  for (auto& entry : env) envp.push_back(entry.data());
  envp.push_back(nullptr);
  std::string program = agent.string();
  std::string verb = "serve";
  char* argv[] = {program.data(), verb.data(), nullptr};

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
  const int error = posix_spawn(&pid, argv[0], &actions, &attributes, argv, envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    throw std::runtime_error(fmt::format("spawn {}: {}", program, std::strerror(error)));
  return pid;
}

}  // namespace

FakeContainers::FakeContainers(fs::path agent, fs::path root)
    : m_agent(std::move(agent)), m_root(std::move(root)) {}

FakeContainers::~FakeContainers() {
  for (auto& [id, container] : m_all) {
    if (container.pid > 0) ::kill(container.pid, SIGTERM);
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
  const fs::path run = mount_source(container, "/.berth/run");
  if (run.empty()) {
    // A service: nothing needs to run for it here.
    container.state.running = true;
    container.state.log = log;
    return false;
  }
  const fs::path lease = mount_source(container, "/.berth/lease");
  fs::create_directories(run);
  fs::create_directories(lease);
  std::vector<std::string> env;
  std::string options;
  for (const auto& entry : container.state.config.value("Env", std::vector<std::string>{})) {
    if (entry.starts_with("BERTH_AGENT=")) {
      options = entry.substr(12);
    } else {
      env.push_back(entry);
    }
  }
  env.push_back("BERTH_AGENT=" + agent_options(options, run, lease));
  container.pid = spawn_agent(m_agent, env, container.log_file);
  container.state.running = true;
  return false;
}

void FakeContainers::kill(const std::string& id, bool out_of_memory) {
  const std::lock_guard lock(m_mutex);
  Container* container = lookup(id);
  if (container == nullptr) return;
  container->state.out_of_memory = out_of_memory;
  if (container->pid > 0) {
    // The agent kills its stage when it dies (parent-death signal).
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
