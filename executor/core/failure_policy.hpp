#pragma once

#include "executor/support/error.hpp"

#include <string>

namespace berth::core {

/// What a driver program may return: the values of BUILD_FAILURE_EXIT_CODE and
/// SYSTEM_FAILURE_EXIT_CODE as the runner set them, or 0.
enum class Outcome { success, build_failure, system_failure };

/// job -> build_failure (no retry, blames the job); operator_ and
/// infrastructure -> system_failure (retried, blames the runner).
Outcome outcome_of(support::Fault fault);

/// "job" | "operator" | "system": the word a message starts with.
std::string to_string(support::Fault fault);

}  // namespace berth::core
