#pragma once

#include <chrono>
#include <string>
#include <string_view>

/// Time zones of the system's database (tzdata): "Europe/Berlin", "UTC". The one
/// place that knows the library for them. Changes are known as far as the database's files
/// list them (Debian's: to 2037).
namespace berth::settings {

/// A moment as clocks on the wall of some zone show it.
using LocalSeconds = std::chrono::local_seconds;

/// Whether the system knows a zone of that name.
bool zone_valid(std::string_view name);

/// Throw OperatorError for a zone that is not known.
LocalSeconds to_local(std::string_view zone, std::chrono::sys_seconds moment);

/// Of a time that the zone's clocks show twice (the end of summer time) the first;
/// of one they skip, the moment at which they skip it.
std::chrono::sys_seconds from_local(std::string_view zone, LocalSeconds shown);

/// "Mon 2026-11-23 08:00 CET"
std::string in_zone(std::string_view zone, std::chrono::sys_seconds moment);

}  // namespace berth::settings
