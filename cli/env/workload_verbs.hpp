#pragma once

#include "cli/env/env_command.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace berth::cli {

/// `berth env diff | drift | rollback | promote | stop`: an environment's workloads.
class WorkloadVerbs {
 public:
  explicit WorkloadVerbs(CLI::App& env);

  bool parsed() const;
  /// The exit code; throws support::Error and support::Cancelled.
  int run() const;

 private:
  struct Options : EnvOptions {
    std::int64_t number = 0;
    std::int64_t other = 0;
    std::string target{};
  };

  int diff() const;
  int drift() const;
  int change() const;

  CLI::App* m_diff;
  CLI::App* m_drift;
  CLI::App* m_rollback;
  CLI::App* m_promote;
  CLI::App* m_stop;
  Options m_options{};
};

}  // namespace berth::cli
