// Values of CI variables: whatever they are, a verdict comes out, and what is
// called a credential stays one.

#include "executor/credentials/credential.hpp"
#include "executor/support/base64.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth::credentials;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::chrono::sys_seconds now(std::chrono::seconds(1780000000));
  const Finding finding = examine(input, now);
  const bool has = finding.verdict == Verdict::valid || finding.verdict == Verdict::invalid;
  if (has != finding.credential.has_value()) std::abort();
  for (const char c : finding.diagnosis())
    if (c < ' ' || c > '~') std::abort();
  if (!has) {
    if (!finding.one_line.empty()) std::abort();
    return 0;
  }
  // What was taken out is a credential of the same type, with the same verdict.
  const Finding again = examine(finding.credential->content.expose(), now);
  if (again.verdict != finding.verdict || again.credential->type != finding.credential->type)
    std::abort();
  if (again.credential->content != finding.credential->content) std::abort();
  if (!finding.one_line.empty()) {
    const Finding line = examine(finding.one_line.expose(), now);
    if (line.verdict != finding.verdict || !line.one_line.empty()) std::abort();
  }
  return 0;
}
