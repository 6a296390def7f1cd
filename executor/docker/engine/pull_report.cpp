#include "executor/docker/engine/pull_report.hpp"

#include "executor/docker/engine/failures.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace berth::docker {
namespace {

/// A line is a few hundred bytes; more than this is not a report.
constexpr std::size_t k_max_line = std::size_t{1} << 20;

const nlohmann::json* member(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_at(const nlohmann::json& object, const char* key) {
  const nlohmann::json* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

/// Of bytes or of HTTP: what is no such number counts as 0.
template <typename Integer>
Integer count_at(const nlohmann::json& object, const char* key) {
  const nlohmann::json* value = member(object, key);
  if (value == nullptr || !value->is_number_unsigned()) return 0;
  const auto number = value->get<std::uint64_t>();
  return std::in_range<Integer>(number) ? static_cast<Integer>(number) : 0;
}

}  // namespace

void PullReport::feed(std::string_view bytes) {
  m_pending.append(bytes);
  std::size_t start = 0;
  for (std::size_t end; (end = m_pending.find('\n', start)) != std::string::npos; start = end + 1)
    line(std::string_view(m_pending).substr(start, end - start));
  m_pending.erase(0, start);
  if (m_pending.size() > k_max_line)
    throw support::SystemError("the engine's report on a pull is not in lines");
}

void PullReport::finish() {
  line(m_pending);
  m_pending.clear();
}

void PullReport::line(std::string_view text) {
  if (support::one_line(text).empty()) return;
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    // A report that was cut off: without its end nothing says that the image is there.
    if (!m_error)
      m_error = "the engine's report ended in the middle: " + support::one_line(text, 80);
    return;
  }
  const nlohmann::json* detail = member(json, "errorDetail");
  std::string error = detail != nullptr ? text_at(*detail, "message") : std::string();
  if (error.empty()) error = text_at(json, "error");
  if (!error.empty() || detail != nullptr) {
    m_error = error.empty() ? "no reason given" : support::one_line(error, k_longest_words);
    m_error_code = detail != nullptr ? count_at<int>(*detail, "code") : 0;
    return;
  }
  if (!m_on_progress) return;
  const nlohmann::json* numbers = member(json, "progressDetail");
  m_on_progress({.id = text_at(json, "id"),
                 .status = text_at(json, "status"),
                 .current = numbers != nullptr ? count_at<std::int64_t>(*numbers, "current") : 0,
                 .total = numbers != nullptr ? count_at<std::int64_t>(*numbers, "total") : 0});
}

void PullSummary::add(const PullProgress& progress) {
  // The first line ("Pulling from library/debian") has the tag as its id.
  if (progress.id.empty() || progress.status.starts_with("Pulling from")) return;
  Layer& layer = m_layers[progress.id];
  if (progress.status == "Downloading") {
    layer.current = progress.current;
    layer.total = std::max(layer.total, progress.total);
  } else if (progress.status == "Download complete" || progress.status == "Extracting" ||
             progress.status == "Verifying Checksum") {
    layer.current = layer.total;
  } else if (progress.status == "Pull complete" || progress.status == "Already exists") {
    layer.current = layer.total;
    layer.done = true;
  }
}

std::string PullSummary::text() const {
  // As numbers with a fraction: no sum of theirs overflows.
  double current = 0;
  double total = 0;
  std::size_t done = 0;
  for (const auto& [id, layer] : m_layers) {
    current += static_cast<double>(layer.current);
    total += static_cast<double>(layer.total);
    done += layer.done ? 1U : 0U;
  }
  constexpr double k_megabyte = 1e6;
  return fmt::format("{}/{} layers, {:.0f}/{:.0f} MB", done, m_layers.size(), current / k_megabyte,
                     total / k_megabyte);
}

}  // namespace berth::docker
