#include "executor/agentlink/refusal.hpp"

#include "executor/support/error.hpp"

#include <string_view>

namespace berth::agentlink {
namespace {

using protocol::RefusalReason;
using support::SystemError;

/// ": <words>" or nothing.
std::string after_colon(std::string_view words) {
  return words.empty() ? std::string() : ": " + printable(words);
}

}  // namespace

std::string printable(std::string_view words) {
  constexpr std::size_t most = 200;
  std::string out;
  for (const char c : words.substr(0, most)) out += c >= ' ' && c <= '~' ? c : '?';
  if (words.size() > most) out += "...";
  return out;
}

void throw_refusal(const protocol::Refused& refused, const std::string& where) {
  switch (refused.reason) {
    case RefusalReason::no_shell:
      throw support::JobError("no shell found in the image: " + where + after_colon(refused.text),
                              "the image needs bash, sh or busybox in /usr/local/bin, /usr/bin or "
                              "/bin to run scripts; choose an image that has one");
    case RefusalReason::busy:
      throw SystemError(
          "cannot start the stage: " + where + ": a stage of an earlier call cannot be ended",
          "a process of it hangs in the kernel; the job is to be retried");
    case RefusalReason::cannot_start:
      throw SystemError("cannot start the stage's shell: " + where + after_colon(refused.text));
    case RefusalReason::unknown_stage:
      throw SystemError("cannot take the stage up again: " + where +
                        ": its agent knows another stage or none");
    case RefusalReason::offset_forgotten:
      throw SystemError("cannot take the stage up again: " + where +
                        ": output that was not delivered is gone");
    case RefusalReason::bad_frame:
      throw SystemError("the agent could not read what it was sent: " + where +
                        after_colon(refused.text));
  }
  throw SystemError("the agent refuses for an unknown reason: " + where +
                    after_colon(refused.text));
}

}  // namespace berth::agentlink
