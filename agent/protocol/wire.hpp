#pragma once

#include "agent/protocol/messages.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

/// The fields of each message in the order they stand in a frame, and how each
/// kind of field is written and read. Only frames.cpp includes this.
namespace berth::protocol::wire {

template <typename M, typename T>
concept Is = std::is_same_v<std::remove_const_t<M>, T>;

auto fields(Is<Start> auto& m) {
  return std::tie(m.id, m.umask, m.shells, m.env, m.script);
}
auto fields(Is<Attach> auto& m) {
  return std::tie(m.id, m.offset);
}
auto fields(Is<Ack> auto& m) {
  return std::tie(m.offset);
}
auto fields(Is<Signal> auto& m) {
  return std::tie(m.number);
}
auto fields(Is<ProbeTarget> auto& m) {
  return std::tie(m.kind, m.address, m.port, m.http_path);
}
auto fields(Is<Probe> auto& m) {
  return std::tie(m.tag, m.deadline_ms, m.interval_ms, m.targets);
}
auto fields(Is<Put> auto& m) {
  return std::tie(m.tag, m.path, m.mode, m.uid, m.gid, m.bytes);
}
auto fields(Is<Get> auto& m) {
  return std::tie(m.tag, m.path);
}
auto fields(Is<Pong> auto&) {
  return std::tie();
}
auto fields(Is<Hello> auto& m) {
  return std::tie(m.version, m.nonce, m.uid, m.gid, m.arch, m.shells);
}
auto fields(Is<Started> auto& m) {
  return std::tie(m.id, m.state, m.offset);
}
auto fields(Is<Output> auto& m) {
  return std::tie(m.offset, m.bytes);
}
auto fields(Is<Exit> auto& m) {
  return std::tie(m.id, m.kind, m.status, m.oom_kills, m.length);
}
auto fields(Is<Refused> auto& m) {
  return std::tie(m.reason, m.text);
}
auto fields(Is<Probed> auto& m) {
  return std::tie(m.tag, m.index, m.answered, m.text);
}
auto fields(Is<FileReply> auto& m) {
  return std::tie(m.tag, m.error, m.bytes);
}
auto fields(Is<Ping> auto&) {
  return std::tie();
}

/// One past the last value of an enumeration that travels.
template <typename Enum>
inline constexpr std::uint8_t k_end_of = 0;
template <>
inline constexpr std::uint8_t k_end_of<ProbeKind> = 2;
template <>
inline constexpr std::uint8_t k_end_of<StageState> = 2;
template <>
inline constexpr std::uint8_t k_end_of<ExitKind> = 2;
template <>
inline constexpr std::uint8_t k_end_of<RefusalReason> = 6;

class Writer {
 public:
  explicit Writer(std::string& out) : m_out(out) {}

  void put(bool value) { put(static_cast<std::uint8_t>(value ? 1 : 0)); }
  template <typename Integer>
  requires std::is_unsigned_v<Integer>
  void put(Integer value) {
    for (int shift = static_cast<int>(sizeof(Integer)) * 8 - 8; shift >= 0; shift -= 8) {
      m_out.push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xff));
    }
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void put(Enum value) { put(static_cast<std::uint8_t>(value)); }
  void put(const std::string& value) {
    put(static_cast<std::uint32_t>(value.size()));
    m_out.append(value);
  }
  void put(const std::array<std::uint8_t, 16>& value) {
    for (const std::uint8_t byte : value) put(byte);
  }
  template <typename Item>
  void put(const std::vector<Item>& items) {
    put(static_cast<std::uint32_t>(items.size()));
    for (const Item& item : items) put(item);
  }
  template <typename Struct>
  requires requires(const Struct& s) { fields(s); }
  void put(const Struct& value) {
    std::apply([this](const auto&... field) { (this->put(field), ...); }, fields(value));
  }

 private:
  std::string& m_out;
};

/// Reads fields; failed() after any that was not there or not allowed.
class Reader {
 public:
  explicit Reader(std::string_view in) : m_in(in) {}

  bool failed() const noexcept { return m_failed; }
  bool at_end() const noexcept { return m_in.empty(); }

  void get(bool& value) {
    std::uint8_t byte = 0;
    get(byte);
    if (byte > 1) m_failed = true;
    value = byte == 1;
  }
  template <typename Integer>
  requires std::is_unsigned_v<Integer>
  void get(Integer& value) {
    const std::string_view bytes = take(sizeof(Integer));
    std::uint64_t wide = 0;
    for (const char byte : bytes) wide = (wide << 8) | static_cast<std::uint8_t>(byte);
    value = static_cast<Integer>(wide);
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void get(Enum& value) {
    std::uint8_t byte = 0;
    get(byte);
    if (byte >= k_end_of<Enum>) m_failed = true;
    value = static_cast<Enum>(byte);
  }
  void get(std::string& value) {
    std::uint32_t size = 0;
    get(size);
    value = take(size);
  }
  void get(std::array<std::uint8_t, 16>& value) {
    for (std::uint8_t& byte : value) get(byte);
  }
  template <typename Item>
  void get(std::vector<Item>& items) {
    std::uint32_t count = 0;
    get(count);
    // Every item takes four bytes or more, so a count cannot ask for more
    // memory than the frame has.
    if (count > m_in.size() / 4) m_failed = true;
    for (std::uint32_t i = 0; i < count && !m_failed; ++i) get(items.emplace_back());
  }
  template <typename Struct>
  requires requires(Struct& s) { fields(s); }
  void get(Struct& value) {
    std::apply([this](auto&... field) { (this->get(field), ...); }, fields(value));
  }

 private:
  std::string_view take(std::size_t size) {
    if (m_failed || size > m_in.size()) {
      m_failed = true;
      return {};
    }
    const std::string_view bytes = m_in.substr(0, size);
    m_in.remove_prefix(size);
    return bytes;
  }

  std::string_view m_in;
  bool m_failed = false;
};

}  // namespace berth::protocol::wire
