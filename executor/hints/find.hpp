#pragma once

#include "executor/hints/causes.hpp"

#include <string_view>

namespace berth::hints {

/// Whether the phrase stands on the line: its parts between the `*` one behind the
/// other, without regard to case (of ASCII).
bool stands_on(std::string_view line, std::string_view phrase);

/// The known cause that the text speaks of: of several the one whose words stand
/// last, for a script ends behind the command that failed. Null: none. Costs about a
/// pass over the text for each phrase. `where`: script or service; with
/// `both` only those causes count that are met in either.
const KnownCause* find_cause(std::string_view text, Where where);

}  // namespace berth::hints
