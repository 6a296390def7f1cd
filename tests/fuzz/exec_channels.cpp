// The channels of a Kubernetes exec. Input: pairs of a length byte and that many
// bytes, each a message; the first byte of all says how messages are cut. All ways
// to cut them give the same streams and the same refusal.

#include "executor/kubernetes/api/exec_channels.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth::kubernetes;

namespace {

struct Channels {
  std::string output;
  std::string errors;
  std::string status;
  bool has_status = false;
  bool refused = false;
  bool operator==(const Channels&) const = default;
};

Channels demux(std::string_view messages, std::size_t chunk) {
  Channels channels;
  ChannelDemux demux;
  const ChannelDemux::Sink sink = [&](ExecChannel channel, std::string_view bytes) {
    (channel == ExecChannel::output ? channels.output : channels.errors) += bytes;
  };
  try {
    while (!messages.empty()) {
      const std::size_t length =
          std::min<std::size_t>(static_cast<unsigned char>(messages.front()), messages.size() - 1);
      const std::string_view message = messages.substr(1, length);
      messages.remove_prefix(1 + length);
      if (message.empty()) demux.feed({}, true, sink);
      for (std::size_t at = 0; at < message.size(); at += chunk)
        demux.feed(message.substr(at, chunk), at + chunk >= message.size(), sink);
    }
  } catch (const ChannelError&) {
    channels.refused = true;
  }
  channels.status = demux.status();
  channels.has_status = demux.has_status();
  return channels;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view messages(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Channels whole = demux(messages, messages.size() + 1);
  const Channels pieces = demux(messages, std::size_t{data[0]} + 1);
  if (pieces != whole) std::abort();
  if (whole.output.size() + whole.errors.size() > messages.size()) std::abort();
  const ExecResult result = read_exec_result(whole.status);
  if (result.exit_code != 0 && result.message.empty()) std::abort();
  return 0;
}
