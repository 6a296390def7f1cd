#pragma once

#include <array>
#include <span>
#include <string_view>

/// The table of known causes: data and nothing else.
namespace berth::hints {

/// Where the words of a cause are met.
enum class Where {
  script,   ///< in the output of a script that failed
  service,  ///< in the log of a service that ended or was not ready in time
  both,
};

struct KnownCause {
  /// For tests and for talking about it: "docker-client-missing".
  std::string_view name{};
  Where where = Where::script;
  /// Any of these, on one line: without regard to case, `*` for whatever may stand
  /// between two parts. Unused ones are empty.
  std::array<std::string_view, 6> phrases{};
  /// One sentence: what it is, and what to do.
  std::string_view hint{};
};

/// In the order of precedence.
std::span<const KnownCause> known_causes();

/// The cause "out-of-memory", which the kernel's evidence stands for where no words do.
const KnownCause& out_of_memory();

}  // namespace berth::hints
