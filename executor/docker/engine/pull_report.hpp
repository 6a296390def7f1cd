#pragma once

#include "executor/docker/engine/engine.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// The stream of JSON lines that POST /images/create answers with. Pure.
namespace berth::docker {

/// Cuts the stream into lines and reads them, whatever the chunks. An error is a
/// line too: the status was sent long before.
class PullReport {
 public:
  explicit PullReport(std::function<void(const PullProgress&)> on_progress)
      : m_on_progress(std::move(on_progress)) {}

  void feed(std::string_view bytes);
  /// The stream has ended; a last line may lack its newline.
  void finish();

  /// The engine's words where the pull failed.
  const std::optional<std::string>& error() const noexcept { return m_error; }
  /// The registry's status beside the words, or 0.
  int error_code() const noexcept { return m_error_code; }

 private:
  void line(std::string_view text);

  std::function<void(const PullProgress&)> m_on_progress;
  std::string m_pending;
  std::optional<std::string> m_error;
  int m_error_code = 0;
};

/// Adds up what the lines say about layers: "3/7 layers, 120/340 MB".
class PullSummary {
 public:
  void add(const PullProgress& progress);
  std::string text() const;

 private:
  struct Layer {
    std::int64_t current = 0;
    std::int64_t total = 0;
    bool done = false;
  };
  std::map<std::string, Layer> m_layers;
};

}  // namespace berth::docker
