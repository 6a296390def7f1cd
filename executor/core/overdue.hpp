#pragma once

#include <cstdint>
#include <string>

/// Who is over, where nobody can be asked. Pure.
namespace berth::core {

/// How far clocks of machines may be apart before one takes another's job for
/// overdue, in seconds.
inline constexpr std::int64_t k_clock_tolerance = 300;

/// Whether a job's deadline (JobSpec::deadline, seconds since the epoch; 0: none is
/// known) has passed on every machine's clock. Its agents have ended their
/// containers by then, and the runner has given it up before.
bool is_overdue(std::int64_t deadline, std::int64_t now);

/// "2026-11-21 04:24 UTC"
std::string utc_minute(std::int64_t seconds);

}  // namespace berth::core
