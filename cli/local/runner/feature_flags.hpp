#pragma once

#include <span>
#include <string_view>

namespace berth::local::runner {

/// A switch of the runner's (gitlab-runner, helpers/featureflags/flags.go).
struct FeatureFlag {
  std::string_view name;
  bool default_value = false;
  /// False: a real runner would behave differently with the other value, and
  /// this one does not; the job is told.
  bool simulated = true;
};

/// All of them, in the order in which the runner exports them.
std::span<const FeatureFlag> feature_flags();

}  // namespace berth::local::runner
