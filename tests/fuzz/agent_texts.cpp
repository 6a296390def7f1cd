// What the agent reads of its container: its options, and files of /proc and of
// cgroups.

#include "agent/memory_kills.hpp"
#include "agent/options.hpp"
#include "agent/processes.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace berth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const agent::Options options = agent::parse_options(text);
    if (options.run[0] != '/' || options.lease[0] != '/' || options.deadline < 0 ||
        options.tick.count() <= 0) {
      std::abort();
    }
  } catch (const agent::OptionsError&) {
  }
  agent::Process process;
  agent::parse_stat(text, process);
  agent::parse_memory_kills(text);
  const std::size_t half = text.find('\f');
  const std::string_view mounts = half == std::string_view::npos ? "" : text.substr(half + 1);
  for (const auto& file : agent::memory_kill_files(text.substr(0, half), mounts)) {
    if (file.find("/../") != std::string::npos && mounts.find("..") == std::string_view::npos) {
      std::abort();
    }
  }
  return 0;
}
