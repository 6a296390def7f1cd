#include "executor/settings/timezone.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <date/tz.h>
#include <stdexcept>

namespace berth::settings {
namespace {

const date::time_zone& find(std::string_view name) {
  try {
    return *date::locate_zone(std::string(name));
  } catch (const std::runtime_error& error) {
    throw support::OperatorError(
        fmt::format("time zone is not known: '{}': {}", name, error.what()),
        "install the package tzdata, or write the zone as Europe/Berlin or UTC");
  }
}

date::sys_seconds moment_of(std::chrono::sys_seconds moment) {
  return date::sys_seconds(moment.time_since_epoch());
}

}  // namespace

bool zone_valid(std::string_view name) {
  try {
    return date::locate_zone(std::string(name)) != nullptr;
  } catch (const std::runtime_error&) {
    return false;
  }
}

LocalSeconds to_local(std::string_view zone, std::chrono::sys_seconds moment) {
  return LocalSeconds(find(zone).to_local(moment_of(moment)).time_since_epoch());
}

std::chrono::sys_seconds from_local(std::string_view zone, LocalSeconds shown) {
  const date::local_seconds local(shown.time_since_epoch());
  // `earliest` gives the first of two, and for none the moment of the change.
  return std::chrono::sys_seconds(
      find(zone).to_sys(local, date::choose::earliest).time_since_epoch());
}

std::string in_zone(std::string_view zone, std::chrono::sys_seconds moment) {
  return date::format("%a %F %H:%M %Z", date::make_zoned(&find(zone), moment_of(moment)));
}

}  // namespace berth::settings
