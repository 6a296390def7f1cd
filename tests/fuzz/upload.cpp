// An upload of artifacts: the first byte is the size of the pieces it comes in, the
// first line the Content-Type. And the same bytes as a gzip file, as a report may be.

#include "cli/local/server/gzip.hpp"
#include "cli/local/server/http_server.hpp"
#include "cli/local/server/multipart.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace berth::local::server;

namespace {

struct Upload {
  std::string content{};
  std::string filename{};
  bool refused = false;
  bool operator==(const Upload&) const = default;
};

Upload receive(const std::string& type, std::string_view body, std::size_t chunk) {
  Upload upload;
  try {
    MultipartFile file(type, [&](std::string_view bytes) { upload.content += bytes; });
    for (std::size_t at = 0; at < body.size(); at += chunk) file.feed(body.substr(at, chunk));
    file.finish();
    upload.filename = file.filename();
  } catch (const std::runtime_error&) {
    // How much had been taken by then depends on the pieces.
    return {.refused = true};
  }
  return upload;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string type(input.substr(0, line));
  const std::string_view body = input.substr(std::min(line + 1, input.size()));
  const Upload whole = receive(type, body, body.size() + 1);
  if (receive(type, body, std::size_t{data[0]} + 1) != whole) std::abort();
  if (body.find(whole.content) == std::string_view::npos) std::abort();
  // It stands in a header of the download.
  for (const char c : whole.filename) {
    if (static_cast<unsigned char>(c) < ' ' || c == '"') std::abort();
  }

  constexpr std::size_t k_limit = std::size_t{1} << 20;
  try {
    if (gunzip(input, k_limit).size() > k_limit) std::abort();
  } catch (const std::runtime_error&) {
  }
  return 0;
}
