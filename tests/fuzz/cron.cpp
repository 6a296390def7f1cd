// Crontab times: any text is one or none, and what is one comes again, in order, in any zone.

#include "executor/environments/window.hpp"
#include "executor/settings/timezone.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  using environments::Moment;
  constexpr std::array k_zones{"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe",
                               "Africa/Casablanca"};
  // One byte for the moment, so that the text is most of the input.
  if (size < 2) return 0;
  const std::string zone = k_zones.at(data[0] % k_zones.size());
  const Moment now(std::chrono::seconds(1780000000LL + std::int64_t{data[0]} * 86399));
  const auto cron = core::parse_cron({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!cron) return 0;
  const auto last = environments::last_before(*cron, zone, now);
  const auto next = environments::first_behind(*cron, zone, now);
  if (!last || !next || *last > now || *next <= now) std::abort();
  // Nothing lies between them.
  if (environments::first_behind(*cron, zone, *last) != next) std::abort();
  if (environments::last_before(*cron, zone, *next - std::chrono::seconds(1)) > now) std::abort();
  return 0;
}
