// Archives that an engine sends, and the way back: what was put in comes out.

#include "executor/docker/engine/tar.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace berth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto content = docker::first_file(input);
  if (content && input.find(*content) == std::string_view::npos) std::abort();

  const std::size_t line = std::min(input.find('\n'), input.size());
  const docker::TarEntry entry{.name = std::string(input.substr(0, line)),
                               .content = std::string(input.substr(line))};
  docker::TarWriter writer;
  try {
    writer.add(entry);
  } catch (const std::invalid_argument&) {
    return 0;
  }
  const std::string tar = writer.finish();
  if (tar.size() % 512 != 0) std::abort();
  const auto again = docker::first_file(tar);
  const bool directory = entry.name.ends_with('/');
  if (directory ? again.has_value() : again != entry.content) std::abort();
  return 0;
}
