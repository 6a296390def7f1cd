#pragma once

#include <string_view>

namespace berth::support {

/// Diagnostics for the operator, apart from the job log's Console. Written to
/// standard error as `berth[<pid>] <level>: <text>`, one write a line, only from
/// the level BERTH_LOG names on (debug | info | warn | off; default off, since a
/// stage's standard error is the job log). Never give it a secret. Thread-safe.
enum class LogLevel { debug, info, warn };

bool log_enabled(LogLevel level) noexcept;
void log(LogLevel level, std::string_view text);

/// What BERTH_LOG asks for: number of the lowest level written, 3 for none.
int parse_log_level(std::string_view word) noexcept;

}  // namespace berth::support
