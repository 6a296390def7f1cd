// The engine's report on a pull, cut at the size the first byte says: all ways to
// cut say the same.

#include "executor/docker/engine/pull_report.hpp"

#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace berth;

namespace {

struct Told {
  std::string summary;
  std::optional<std::string> error;
  int code = 0;
  bool operator==(const Told&) const = default;
};

Told read(std::string_view stream, std::size_t chunk) {
  docker::PullSummary summary;
  docker::PullReport report([&](const docker::PullProgress& progress) { summary.add(progress); });
  for (std::size_t at = 0; at < stream.size(); at += chunk) report.feed(stream.substr(at, chunk));
  report.finish();
  return {.summary = summary.text(), .error = report.error(), .code = report.error_code()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Told whole = read(stream, stream.size() + 1);
  if (read(stream, std::size_t{data[0]} + 1) != whole) std::abort();
  if (whole.error && whole.error->find_first_of("\r\n") != std::string::npos) std::abort();
  if (whole.summary.find('-') != std::string::npos) std::abort();
  return 0;
}
