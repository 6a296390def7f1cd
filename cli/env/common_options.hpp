#pragma once

#include "cli/env/env_command.hpp"

namespace CLI {
class App;
}

namespace berth::cli {

/// What every verb of `berth env` takes; one of a single environment also which, and whose.
void add_common_options(CLI::App& verb, EnvOptions& options, bool of_one);

}  // namespace berth::cli
