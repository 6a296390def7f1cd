#include "executor/sandbox/container_end.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::sandbox {

std::string explain(const ContainerEnd& end) {
  if (!end.exists) return "was removed by somebody else";
  std::string text = end.started ? fmt::format("ended with exit code {}", end.exit_code)
                                 : std::string("could not be started");
  if (end.oom_killed) text += ": out of memory";
  if (!end.error.empty()) text += ": " + end.error;
  return text;
}

std::string trimmed_log(std::string text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

std::string quote_log(const std::string& log) {
  if (log.empty()) return {};
  std::string text = "\nits last lines:";
  for (std::size_t start = 0; start < log.size();) {
    std::size_t end = std::min(log.find('\n', start), log.size());
    std::size_t cut = end;
    while (cut > start && log[cut - 1] == '\r') --cut;
    text += "\n  | " + log.substr(start, cut - start);
    start = end + 1;
  }
  return text;
}

}  // namespace berth::sandbox
