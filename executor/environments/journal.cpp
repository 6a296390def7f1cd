#include "executor/environments/journal.hpp"

#include "executor/environments/deployment_json.hpp"
#include "executor/environments/durable_file.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace berth::environments {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t k_max_size = std::size_t{1} << 30;

std::string line_of(const Deployment& deployment) {
  return to_json(deployment, true).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<Deployment> read_line(std::string_view line, std::string_view name) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  try {
    Deployment deployment = deployment_of(object, name);
    if (deployment.id.empty() || deployment.number <= 0) return std::nullopt;
    return deployment;
  } catch (const support::Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::vector<Deployment> parse_journal(std::string_view text, std::string_view name) {
  std::vector<Deployment> all;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) continue;
    auto one = read_line(line, name);
    if (!one) {
      support::log(support::LogLevel::warn,
                   fmt::format("a damaged line of {} bytes is skipped: '{}'", line.size(), name));
      continue;
    }
    // From the end: a line is about one of the last deployments.
    const auto same = std::find_if(all.rbegin(), all.rend(),
                                   [&](const Deployment& other) { return other.id == one->id; });
    if (same == all.rend())
      all.push_back(std::move(*one));
    else
      *same = std::move(*one);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Deployment& a, const Deployment& b) { return a.number > b.number; });
  return all;
}

std::vector<Deployment> read_journal(const std::filesystem::path& file) {
  const auto text = support::read_file_if_exists(file, k_max_size);
  return text ? parse_journal(*text, file.native()) : std::vector<Deployment>{};
}

void append_to_journal(const std::filesystem::path& file, const Deployment& deployment) {
  append_durably(file, line_of(deployment));
}

void rewrite_journal(const std::filesystem::path& file, const std::vector<Deployment>& all) {
  std::string text;
  for (auto one = all.rbegin(); one != all.rend(); ++one) text += line_of(*one) + "\n";
  write_durably(file, text);
}

}  // namespace berth::environments
