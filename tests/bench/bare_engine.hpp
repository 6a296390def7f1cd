#pragma once

#include <string>

namespace berth::docker {
class Engine;
}

namespace berth::bench {

/// The container work of a minimal job by plain engine calls, one after the
/// other where they depend on each other: two containers created and started,
/// the second in the first one's network, both removed at once.
void bare_container_work(docker::Engine& engine, const std::string& helper_image,
                         const std::string& image);

}  // namespace berth::bench
