// plan.json and sandbox.json: any bytes are state or a SystemError, and what was
// read is written the same.

#include "executor/state/plan.hpp"
#include "executor/state/sandbox.hpp"
#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace berth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const core::JobSpec spec = state::decode_plan(text, "f");
    if (!(state::decode_plan(state::encode_plan(spec), "f") == spec)) std::abort();
  } catch (const support::SystemError&) {
  }
  try {
    const core::Sandbox sandbox = state::decode_sandbox(text, "f");
    if (!(state::decode_sandbox(state::encode_sandbox(sandbox), "f") == sandbox)) std::abort();
  } catch (const support::SystemError&) {
  }
  return 0;
}
