#pragma once

#include "executor/kubernetes/api/exec.hpp"

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

/// The channels of an exec in one WebSocket (v4 and v5.channel.k8s.io, KEP-4006):
/// the first byte of each message is the channel, the rest its bytes. Internal to
/// executor/kubernetes/api; pure, fuzzed.
namespace berth::kubernetes {

enum class ExecChannel : std::uint8_t {
  input = 0,
  output = 1,
  errors = 2,
  /// One Status object at the program's end.
  status = 3,
  resize = 4,
  /// v5: the payload is the number of a channel that has ended.
  close = 255,
};

/// The messages are not what the protocol allows. what() does not quote them.
class ChannelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Takes messages apart, piece by piece; holds the status (64 KiB at most) and
/// nothing else.
class ChannelDemux {
 public:
  using Sink = std::function<void(ExecChannel channel, std::string_view bytes)>;

  /// `end`: the piece is its message's last. Output and errors go to the sink.
  /// Throws ChannelError; after that it must not be fed again.
  void feed(std::string_view piece, bool end, const Sink& sink);
  /// What came on the status channel so far.
  const std::string& status() const noexcept { return m_status; }
  /// A message on the status channel is whole.
  bool has_status() const noexcept { return m_have_status; }

 private:
  bool m_started = false;
  std::uint8_t m_channel = 0;
  std::string m_status;
  bool m_have_status = false;
};

/// How the program ended, from the status channel's text. Never throws but
/// std::bad_alloc: what makes no sense is a result without exit code.
ExecResult read_exec_result(std::string_view status);

}  // namespace berth::kubernetes
