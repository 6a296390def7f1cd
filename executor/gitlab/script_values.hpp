#pragma once

#include "executor/support/secret.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Values of variables in the scripts that the runner generates (shells/bash.go):
/// `export KEY=VALUE`, and `printf '%s' VALUE > FILE` for file variables, each a line
/// of a body that is itself one quoted word behind `eval`. Pure, fuzzed.
namespace berth::gitlab {

struct ValueChange {
  /// The whole value as the job has it now.
  support::Secret from{};
  /// What it is to be: base64 in one line. Another character of it: no change.
  support::Secret to{};
};

struct ChangedScript {
  support::Secret script{};
  /// How many places were changed.
  std::size_t changes = 0;
};

/// Replaces values that are exactly `from`, however they are quoted; every other byte
/// stays. A script of another shape is given back as it is.
ChangedScript change_values(std::string_view script, const std::vector<ValueChange>& changes);

}  // namespace berth::gitlab
