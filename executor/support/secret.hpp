#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace berth::support {

/// A value that must not be printed, logged or stored. It has no formatter and
/// no stream operator; expose() is the one way to the bytes, easy to search
/// for. The bytes are overwritten on destruction.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : m_value(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      m_value = other.m_value;
    }
    return *this;
  }
  Secret(Secret&& other) noexcept : m_value(std::move(other.m_value)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      m_value = std::move(other.m_value);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  std::string_view expose() const noexcept { return m_value; }
  bool empty() const noexcept { return m_value.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  void wipe() noexcept {
    volatile char* bytes = m_value.data();
    for (std::size_t i = 0; i < m_value.size(); ++i) bytes[i] = 0;
    m_value.clear();
  }

  std::string m_value;
};

}  // namespace berth::support
