#include "stages/run_hints.hpp"

#include "executor/hints/find.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace berth::stages {
namespace {

void add(std::vector<std::string>& all, std::string_view hint) {
  if (!hint.empty() && std::find(all.begin(), all.end(), hint) == all.end()) all.emplace_back(hint);
}

}  // namespace

void give_hints(const core::ScriptStage& stage, const core::ExitStatus& status,
                const core::Sandbox& sandbox, std::string_view tail, core::Console& console) {
  const bool decides = stage.runs_user_script() && stage.name() != "after_script";
  if (status.success() || !decides) return;
  std::vector<std::string> all;
  if (const hints::KnownCause* cause = hints::find_cause(tail, hints::Where::script)) {
    add(all, cause->hint);
  } else if (status.oom_kills > 0) {
    add(all, hints::out_of_memory().hint);
  }
  if (const auto found = sandbox.values.find(std::string(core::k_value_hints));
      found != sandbox.values.end()) {
    const std::string_view lines = found->second;
    for (std::size_t start = 0; start < lines.size();) {
      const std::size_t end = std::min(lines.find('\n', start), lines.size());
      add(all, lines.substr(start, end - start));
      start = end + 1;
    }
  }
  for (const std::string& hint : all) console.hint(hint);
}

}  // namespace berth::stages
