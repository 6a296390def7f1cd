#include "executor/kubernetes/api/exec_channels.hpp"

#include "executor/kubernetes/api/failures.hpp"
#include "executor/support/text.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace berth::kubernetes {
namespace {

constexpr std::size_t k_max_status = std::size_t{64} << 10;

bool known(std::uint8_t channel) {
  return channel <= static_cast<std::uint8_t>(ExecChannel::resize) ||
         channel == static_cast<std::uint8_t>(ExecChannel::close);
}

}  // namespace

void ChannelDemux::feed(std::string_view piece, bool end, const Sink& sink) {
  if (!m_started && !piece.empty()) {
    m_channel = static_cast<std::uint8_t>(piece.front());
    if (!known(m_channel)) throw ChannelError("a message on a channel that does not exist");
    m_started = true;
    piece.remove_prefix(1);
  }
  const auto channel = static_cast<ExecChannel>(m_channel);
  if (m_started && channel == ExecChannel::status) {
    if (m_status.size() + piece.size() > k_max_status)
      throw ChannelError("a status larger than any");
    m_status.append(piece);
    // The server opens each channel with an empty message.
    if (end && !m_status.empty()) m_have_status = true;
  } else if (m_started && !piece.empty() &&
             (channel == ExecChannel::output || channel == ExecChannel::errors)) {
    sink(channel, piece);
  }
  if (end) m_started = false;
}

ExecResult read_exec_result(std::string_view status) {
  ExecResult result;
  const auto json = nlohmann::json::parse(status, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    result.message = support::one_line(status, 300);
    if (result.message.empty()) result.message = "the server did not say how the program ended";
    return result;
  }
  const auto verdict = json.find("status");
  if (verdict != json.end() && *verdict == "Success") {
    result.exit_code = 0;
    return result;
  }
  const ApiStatus words = read_status(0, json);
  result.message = words.message;
  result.code = words.code;
  if (words.reason != "NonZeroExitCode") return result;
  for (const ApiStatus::Cause& cause : words.causes) {
    if (cause.reason != "ExitCode") continue;
    int code = 0;
    const char* last = cause.message.data() + cause.message.size();
    if (const auto [at, error] = std::from_chars(cause.message.data(), last, code);
        error == std::errc() && at == last)
      result.exit_code = code;
  }
  return result;
}

}  // namespace berth::kubernetes
