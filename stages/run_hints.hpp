#pragma once

#include "executor/core/backend.hpp"
#include "executor/hints/tail.hpp"

#include <string_view>

namespace berth::stages {

/// The script's output on its way to the log; what it ends with is remembered. Where
/// berth-run-engine takes a stage up from berth-run, it knows what came since.
class RememberingLog final : public core::OutputSink {
 public:
  explicit RememberingLog(core::OutputSink& log) : m_log(log) {}

  void write(std::string_view bytes) override {
    m_log.write(bytes);
    m_tail.add(bytes);
  }
  std::string_view tail() const { return m_tail.text(); }

 private:
  core::OutputSink& m_log;
  hints::Tail m_tail;
};

/// Says on the console what is known of a failure like this script's, and what the
/// job's services have said. Only where the job fails by it: not behind after_script,
/// whose failure counts for nothing, nor behind the runner's own scripts, which it may
/// repeat.
void give_hints(const core::ScriptStage& stage, const core::ExitStatus& status,
                const core::Sandbox& sandbox, std::string_view tail, core::Console& console);

}  // namespace berth::stages
