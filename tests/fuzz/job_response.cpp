// The response file: any bytes are a job or a SystemError that names the file.

#include "executor/gitlab/job_response.hpp"

#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const berth::core::Job job = berth::gitlab::parse_job_response(text, "response.json");
    if (job.timeout.count() <= 0) std::abort();
    if (job.image && job.image->name.empty()) std::abort();
  } catch (const berth::support::SystemError& error) {
    if (std::string_view(error.what()).find("'response.json'") == std::string_view::npos) {
      std::abort();
    }
  }
  return 0;
}
