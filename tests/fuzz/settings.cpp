// berth.yaml: any text is settings or an OperatorError with a place.

#include "executor/settings/settings.hpp"

#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const berth::settings::Settings settings = berth::settings::parse(text, "f");
    // What a backend relies on.
    const std::string& backend = settings.policy.backend;
    if (backend != "docker" && backend != "kubernetes") std::abort();
    if (settings.policy.pull_policies.empty() && backend == "docker") std::abort();
    if (!settings.state_dir.empty() && !settings.state_dir.is_absolute()) std::abort();
  } catch (const berth::support::OperatorError& error) {
    if (!std::string_view(error.what()).starts_with("f:")) std::abort();
  }
  return 0;
}
