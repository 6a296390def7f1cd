#pragma once

#include "executor/settings/environments.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

/// When windows are open. Pure, but for the system's time zones.
///
/// A time that a zone's clocks skip counts as the moment of the change; one they show
/// twice counts the first time. So a window that begins or ends in such an hour still
/// begins and ends once.
namespace berth::environments {

using Moment = std::chrono::sys_seconds;

/// The last time at or before `moment` that the expression names; nothing in the last
/// nine years.
std::optional<Moment> last_before(const core::Cron& cron, const std::string& zone, Moment moment);
/// The first time behind `moment`; nothing in the next nine years.
std::optional<Moment> first_behind(const core::Cron& cron, const std::string& zone, Moment moment);

bool is_open(const settings::Window& window, Moment moment);

/// What windows say of a moment.
struct Windows {
  bool may_deploy = true;
  /// The window that is in the way; null where it is that no allowed one is open.
  const settings::Window* frozen_by = nullptr;
  /// When a deployment will pass; nothing: never, as far as the rules can tell.
  std::optional<Moment> until{};
};

/// `freeze` beats `allow`; without `allow` everything is allowed that is not frozen.
Windows look(const std::vector<settings::Window>& freeze,
             const std::vector<settings::Window>& allow, Moment moment);

}  // namespace berth::environments
