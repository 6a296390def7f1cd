// Quantities of settings and of jobs: any text is one or none, and the order of
// those that are makes sense.

#include "executor/settings/quantity.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using berth::settings::Quantity;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto quantity = Quantity::parse(text);
  if (!quantity) return 0;
  const Quantity zero = *Quantity::parse("0");
  if (*quantity != *quantity || *quantity < *quantity) std::abort();
  if (text.front() == '-' || text.front() == '+') {
    if ((text.front() == '-' ? *quantity > zero : *quantity < zero)) std::abort();
    return 0;
  }
  const auto opposite = Quantity::parse("-" + text);
  if (!opposite || *quantity < zero || *opposite > zero || *opposite > *quantity) std::abort();
  return 0;
}
