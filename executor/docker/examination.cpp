#include "executor/docker/examination.hpp"

#include "executor/docker/host_state.hpp"
#include "executor/sandbox/agent_program.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace berth::docker {
namespace {

using core::Finding;
using core::Health;

Finding failed(std::string check, const support::Error& error) {
  return {.check = std::move(check),
          .health = Health::failed,
          .text = error.what(),
          .remedy = error.hint()};
}

Finding examine_state(const BackendOptions& options) {
  try {
    const HostState state(options.state_dir);
    return {.check = "state",
            .text = fmt::format("'{}' can be written to", state.folder().string())};
  } catch (const support::Error& error) {
    return failed("state", error);
  }
}

Finding examine_agent(const BackendOptions& options, const std::string& architecture) {
  try {
    const auto program = sandbox::find_agent_program(options.program_dir, architecture);
    return {.check = "agent",
            .text = fmt::format("'{}' for the engine's {}", program.path.string(), architecture)};
  } catch (const support::Error& error) {
    return failed("agent", error);
  }
}

/// "WARNING: No memory limit support": without the first word.
std::string bare(const std::string& warning) {
  constexpr std::string_view k_label = "WARNING: ";
  return warning.starts_with(k_label) ? warning.substr(k_label.size()) : warning;
}

}  // namespace

std::vector<Finding> examine_limits(const EngineInfo& info, const settings::Docker& settings) {
  std::vector<Finding> findings;
  for (const std::string& warning : info.warnings) {
    const std::string words = bare(warning);
    const bool memory = words.find("memory limit") != std::string::npos;
    const bool cpu = words.find("cpu cfs quota") != std::string::npos;
    const bool wanted = (memory && settings.memory_bytes > 0) || (cpu && settings.nano_cpus > 0);
    if (!memory && !cpu && words.find("swap limit") == std::string::npos &&
        words.find("pids limit") == std::string::npos) {
      continue;
    }
    findings.push_back(
        {.check = "limits",
         .health = wanted ? Health::failed : Health::warning,
         .text = fmt::format("the engine's host: {}{}", words,
                             wanted ? ", but the settings give jobs a limit" : ""),
         .remedy = "enable the cgroup controller on the engine's host (cgroup_enable=memory "
                   "swapaccount=1 on the kernel's command line with cgroup v1)"});
  }
  if (findings.empty()) {
    findings.push_back(
        {.check = "limits",
         .text = fmt::format("cgroup v{}: memory and CPU of jobs can be limited",
                             info.cgroup_version.empty() ? "1" : info.cgroup_version)});
  }
  return findings;
}

std::vector<Finding> examine_engine(Engine& engine, const BackendOptions& options,
                                    std::stop_token stop) {
  std::vector<Finding> findings;
  std::string architecture;
  try {
    const std::string api = engine.negotiate(stop);
    const EngineVersion version = engine.version(stop);
    const EngineInfo info = engine.info(stop);
    architecture = version.arch;
    findings.push_back(
        {.check = "engine",
         .text = fmt::format("{}: version {}, API {}, {}, {} CPUs, {:.1f} GiB", engine.describe(),
                             version.version, api, version.arch, info.cpus,
                             static_cast<double>(info.memory_bytes) / (1 << 30))});
    auto limits = examine_limits(info, options.settings);
    std::move(limits.begin(), limits.end(), std::back_inserter(findings));
  } catch (const support::Error& error) {
    findings.push_back(failed("engine", error));
  }
  if (!architecture.empty()) findings.push_back(examine_agent(options, architecture));
  findings.push_back(examine_state(options));
  return findings;
}

}  // namespace berth::docker
