#pragma once

#include <string>
#include <string_view>

namespace berth::support {

/// One word of a POSIX shell (XCU 2.2.2), whatever it holds but NUL.
std::string shell_quoted(std::string_view text);

}  // namespace berth::support
