// Short texts from settings, variables and arguments: numbers with units, volumes,
// versions, addresses, expansion.

#include "executor/agentlink/stage_request.hpp"
#include "executor/core/expand.hpp"
#include "executor/core/volume.hpp"
#include "executor/docker/engine/address.hpp"
#include "executor/docker/engine/api_version.hpp"
#include "executor/settings/units.hpp"
#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_units(std::string_view text) {
  if (const auto size = settings::parse_size(text)) require(*size >= 0);
  if (const auto cpus = settings::parse_cpus(text)) require(*cpus > 0);
  settings::parse_duration(text);
}

void check_volume(std::string_view text) {
  const std::string clean = core::clean_path(text);
  require(core::clean_path(clean) == clean);
  if (const auto volume = core::parse_volume(text)) {
    require(volume->destination.starts_with('/') && volume->destination.size() > 1);
    require(("/" + volume->destination + "/").find("/../") == std::string::npos);
  }
}

void check_engine(std::string_view text) {
  if (const auto version = docker::parse_api_version(text)) {
    require(docker::parse_api_version(docker::to_string(*version)) == version);
  }
  try {
    const docker::EngineAddress address = docker::resolve_address(
        {.host = std::string(text)}, [](const std::string&) { return std::string(); });
    require(address.is_unix() || address.http.base_url.find("://") != std::string::npos);
  } catch (const support::OperatorError&) {
  }
}

void check_resume(std::string_view text) {
  const auto resume = agentlink::parse_resume(text);
  if (resume) require(agentlink::parse_resume(agentlink::format_resume(*resume)) == resume);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_units(text);
  check_volume(text);
  check_engine(text);
  check_resume(text);
  const std::string same =
      core::expand(text, [](std::string_view name) { return std::string(name); });
  require(same.size() <= text.size());
  return 0;
}
