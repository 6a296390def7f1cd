#pragma once

#include <functional>
#include <stop_token>
#include <vector>

namespace berth::sandbox {

/// One of several independent engine calls. The token is stopped when the
/// caller's is, or when another task has failed.
using Task = std::function<void(std::stop_token)>;

/// Runs all tasks at once, each on a thread of its own (the last on this one),
/// and returns when all have ended: nothing a task refers to outlives the call.
///
/// Throws support::Cancelled where the caller's stop was requested and a task
/// gave up for it; else the first error a task threw. The others are told to
/// stop; what they throw then is dropped.
void concurrently(std::vector<Task> tasks, const std::stop_token& stop);

/// As concurrently(), but a failing task leaves the others alone: all are tried.
void concurrently_all(std::vector<Task> tasks, const std::stop_token& stop);

}  // namespace berth::sandbox
