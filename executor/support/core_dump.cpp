#include "executor/support/core_dump.hpp"

#include <sys/prctl.h>

namespace berth::support {

void forbid_core_dumps() noexcept {
#ifndef __SANITIZE_ADDRESS__
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

}  // namespace berth::support
