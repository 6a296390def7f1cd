// What lies on a manager's disk or in a cluster: a page of a lock and a journal, damaged in any
// way, are read or refused with an error of ours; what was read is written and read again
// unchanged.

#include "executor/environments/deployment_json.hpp"
#include "executor/environments/journal.hpp"
#include "executor/environments/lock_book.hpp"
#include "executor/support/error.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto book = environments::decode_lock_book(text, "f");
    const std::string again = environments::encode(book);
    if (environments::encode(environments::decode_lock_book(again, "f")) != again) std::abort();
  } catch (const support::SystemError&) {
  }
  for (const auto& one : environments::parse_journal(text, "f")) {
    const std::string line =
        to_json(one, true).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
        "\n";
    if (environments::parse_journal(line, "f").size() != 1) std::abort();
  }
  return 0;
}
