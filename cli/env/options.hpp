#pragma once

#include "cli/env/env_command.hpp"
#include "cli/env/workload_verbs.hpp"

namespace CLI {
class App;
}

namespace berth::cli {

/// The verbs of `berth env`, each with its options.
class EnvCommand {
 public:
  explicit EnvCommand(CLI::App& app);

  bool parsed() const;
  int run() const;

 private:
  CLI::App* m_command;
  CLI::App* m_list = nullptr;
  CLI::App* m_show = nullptr;
  CLI::App* m_history = nullptr;
  CLI::App* m_lock = nullptr;
  CLI::App* m_unlock = nullptr;
  CLI::App* m_approve = nullptr;
  EnvOptions m_listing{};
  EnvOptions m_showing{};
  EnvHistoryOptions m_past{};
  EnvLockOptions m_locking{};
  EnvOptions m_unlocking{};
  EnvApproveOptions m_approving{};
  WorkloadVerbs m_workloads;
};

}  // namespace berth::cli
