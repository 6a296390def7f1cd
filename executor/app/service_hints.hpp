#pragma once

#include "executor/core/backend.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace berth::app {

/// A console that also looks through the warnings about services, which quote their
/// last words, for what the field knows (executor/hints). Not printed at once: a job
/// may well succeed without the service.
class ServiceHints final : public core::Console {
 public:
  explicit ServiceHints(core::Console& console) : m_console(console) {}

  void line(std::string_view text) override { m_console.line(text); }
  void warning(std::string_view text) override;
  void hint(std::string_view text) override { m_console.hint(text); }

  /// Sets core::k_value_hints where anything is known.
  void note(core::Sandbox& sandbox) const;
  /// For a job that has failed for good already.
  void tell() const;

 private:
  core::Console& m_console;
  mutable std::mutex m_mutex;
  /// "service 'postgres:15': ...", each once.
  std::vector<std::string> m_hints;
};

}  // namespace berth::app
