// The head of the engine's answer to an upgrade, cut at the size the first byte
// says: all ways to cut give the same answer and lose no byte of the stream.

#include "executor/net/http.hpp"
#include "executor/net/response_head.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth;

namespace {

struct Answer {
  /// Or cut off: how soon the library finds a fault in half a header differs.
  bool refused = false;
  bool whole = false;
  bool granted = false;
  int status = 0;
  std::string body;
  /// Of a granted upgrade: all that follows its header.
  std::string stream;
  bool operator==(const Answer&) const = default;
};

Answer read(std::string_view bytes, std::size_t chunk) {
  Answer answer;
  net::UpgradeReply reply;
  try {
    std::size_t at = 0;
    for (; at < bytes.size() && !answer.whole; at += chunk)
      answer.whole = reply.feed(bytes.substr(at, chunk));
    const bool ended = !answer.whole;
    if (ended) answer.whole = reply.end();
    if (!answer.whole) return {.refused = true, .body = {}, .stream = {}};
    answer.granted = reply.granted();
    answer.status = reply.response().status;
    answer.body = reply.response().body;
    if (answer.granted)
      answer.stream = reply.rest().append(bytes.substr(std::min(at, bytes.size())));
  } catch (const net::HttpError&) {
    answer = Answer();
    answer.refused = true;
  }
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Answer whole = read(bytes, bytes.size() + 1);
  if (read(bytes, std::size_t{data[0]} + 1) != whole) std::abort();
  if (!bytes.ends_with(whole.stream)) std::abort();
  return 0;
}
