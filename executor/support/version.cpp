#include "executor/support/version.hpp"

namespace berth::support {

std::string_view version() {
  return BERTH_VERSION;
}

}  // namespace berth::support
