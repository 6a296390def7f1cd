#pragma once

#include <string>
#include <vector>

namespace berth::agent {

/// Where shells are looked for, in the runner's order: bash, then sh, in
/// /usr/local/bin, /usr/bin, /bin, then /busybox/sh.
const std::vector<std::string>& shell_candidates();

/// Those of `candidates` that are regular files this user may execute.
std::vector<std::string> existing_shells(const std::vector<std::string>& candidates);

}  // namespace berth::agent
