#pragma once

#include <functional>
#include <string>
#include <string_view>

/// Internal to executor/kubernetes/api.
namespace berth::kubernetes {

/// Cuts a watch's body into its JSON lines. Pure.
class LineSplitter {
 public:
  /// Calls on_line for each whole line; false from it ends, and feed() is false.
  bool feed(std::string_view bytes, const std::function<bool(std::string_view)>& on_line);
  /// Bytes of a line that is not whole.
  std::size_t pending() const noexcept { return m_line.size(); }

 private:
  std::string m_line;
};

}  // namespace berth::kubernetes
