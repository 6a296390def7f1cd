#pragma once

namespace berth::app {

/// berth-tunnel: reads its plan from standard input and serves until the job has no
/// more use for it (executor/kubernetes/tunnel_program.hpp). Throws support::Error.
void tunnel();

}  // namespace berth::app
