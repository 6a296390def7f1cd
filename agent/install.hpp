#pragma once

#include <string>

namespace berth::agent {

/// `berth-agent install DIR`: puts a copy of this program, whole and executable for
/// all (0555), at DIR/berth-agent. For an image that has nothing but the agent in
/// it, started before the containers that need it. Returns an exit code of
/// protocol/exit_codes.hpp; says on stderr what failed.
int install(const std::string& directory);

}  // namespace berth::agent
