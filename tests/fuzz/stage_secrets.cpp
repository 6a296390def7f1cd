// What a container's agent gives as its note: read whole or not at all, and what is
// read comes out again as it was. The state of a log is never believed further than
// it goes.

#include "executor/masking/stage_secrets.hpp"

#include "executor/masking/masker.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace berth::masking;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Masks masks;
  if (const auto secrets = decode_stage_secrets(bytes)) {
    if (decode_stage_secrets(encode(*secrets).expose()) != secrets) std::abort();
    for (const auto& secret : secrets->secrets) masks.add(secret.expose());
  }
  Masker masker(masks, [](std::string_view) {});
  if (!masker.restore(bytes)) return 0;
  masker.feed("what comes next\n");
  masker.flush();
  return 0;
}
