#include "executor/environments/window.hpp"

#include "executor/settings/timezone.hpp"

#include <algorithm>

namespace berth::environments {
namespace {

using namespace std::chrono_literals;
using settings::Window;

/// February 29th comes after eight years where a century is in between.
constexpr int k_days_searched = 9 * 366;
/// Windows that end each other's for longer than that are a closed environment.
constexpr int k_boundaries_searched = 2000;

Moment moment_of(const std::string& zone, std::chrono::local_days day, int minute) {
  return settings::from_local(zone, day + std::chrono::minutes(minute));
}

bool names(const core::Cron& cron, int minute) {
  return cron.hours.test(static_cast<std::size_t>(minute / 60)) &&
         cron.minutes.test(static_cast<std::size_t>(minute % 60));
}

/// Nothing: a window that has never begun, or never ends.
std::optional<Moment> end_of(const Window& window, Moment moment) {
  return first_behind(window.to, window.timezone, moment);
}

const Window* first_open(const std::vector<Window>& all, Moment moment) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Window& one) { return is_open(one, moment); });
  return found == all.end() ? nullptr : &*found;
}

std::optional<Moment> next_opening(const std::vector<Window>& all, Moment moment) {
  std::optional<Moment> next;
  for (const Window& one : all) {
    const auto begin = first_behind(one.from, one.timezone, moment);
    if (begin && (!next || *begin < *next)) next = begin;
  }
  return next;
}

/// The first moment from this one on at which nothing is in the way.
std::optional<Moment> next_free(const std::vector<Window>& freeze, const std::vector<Window>& allow,
                                Moment moment) {
  std::optional<Moment> at = moment;
  for (int i = 0; at && i < k_boundaries_searched; ++i) {
    if (const Window* const frozen = first_open(freeze, *at)) {
      at = end_of(*frozen, *at);
    } else if (!allow.empty() && first_open(allow, *at) == nullptr) {
      at = next_opening(allow, *at);
    } else {
      return at;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Moment> last_before(const core::Cron& cron, const std::string& zone, Moment moment) {
  auto day = std::chrono::floor<std::chrono::days>(settings::to_local(zone, moment));
  for (int i = 0; i < k_days_searched; ++i, day -= std::chrono::days(1)) {
    if (!cron.on(std::chrono::year_month_day(day))) continue;
    for (int minute = 24 * 60 - 1; minute >= 0; --minute) {
      if (!names(cron, minute)) continue;
      const Moment found = moment_of(zone, day, minute);
      if (found <= moment) return found;
    }
  }
  return std::nullopt;
}

std::optional<Moment> first_behind(const core::Cron& cron, const std::string& zone, Moment moment) {
  auto day = std::chrono::floor<std::chrono::days>(settings::to_local(zone, moment));
  for (int i = 0; i < k_days_searched; ++i, day += std::chrono::days(1)) {
    if (!cron.on(std::chrono::year_month_day(day))) continue;
    for (int minute = 0; minute < 24 * 60; ++minute) {
      if (!names(cron, minute)) continue;
      const Moment found = moment_of(zone, day, minute);
      if (found > moment) return found;
    }
  }
  return std::nullopt;
}

bool is_open(const Window& window, Moment moment) {
  const auto begun = last_before(window.from, window.timezone, moment);
  if (!begun) return false;
  const auto ended = last_before(window.to, window.timezone, moment);
  return !ended || *begun >= *ended;
}

Windows look(const std::vector<Window>& freeze, const std::vector<Window>& allow, Moment moment) {
  Windows result;
  result.frozen_by = first_open(freeze, moment);
  result.may_deploy =
      result.frozen_by == nullptr && (allow.empty() || first_open(allow, moment) != nullptr);
  if (!result.may_deploy) result.until = next_free(freeze, allow, moment);
  return result;
}

}  // namespace berth::environments
