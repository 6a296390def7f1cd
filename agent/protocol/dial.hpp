#pragma once

/// `berth-agent dial`: carries a TCP connection from inside the container.
namespace berth::protocol {

/// What it writes first, when the connection stands; then the other end's bytes.
inline constexpr char k_dial_greeting = '\xd1';

}  // namespace berth::protocol
