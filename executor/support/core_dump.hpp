#pragma once

namespace berth::support {

/// For programs that hold secrets: the kernel writes no image of this process's memory,
/// and no other process of the same user may read it (prctl(2), PR_SET_DUMPABLE). Gone
/// with execve(2). Without effect where a sanitizer looks at its own process that way.
void forbid_core_dumps() noexcept;

}  // namespace berth::support
