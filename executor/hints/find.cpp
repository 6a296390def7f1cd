#include "executor/hints/find.hpp"

#include <algorithm>

namespace berth::hints {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t find_part(std::string_view line, std::string_view part, std::size_t from) {
  const auto found =
      std::search(line.begin() + static_cast<std::ptrdiff_t>(from), line.end(), part.begin(),
                  part.end(), [](char a, char b) { return lower(a) == lower(b); });
  return found == line.end() ? std::string_view::npos
                             : static_cast<std::size_t>(found - line.begin());
}

const KnownCause* cause_on(std::string_view line, Where where) {
  for (const KnownCause& cause : known_causes()) {
    if (cause.where != where && cause.where != Where::both) continue;
    for (const std::string_view phrase : cause.phrases) {
      if (!phrase.empty() && stands_on(line, phrase)) return &cause;
    }
  }
  return nullptr;
}

}  // namespace

bool stands_on(std::string_view line, std::string_view phrase) {
  std::size_t at = 0;
  for (std::size_t start = 0; start <= phrase.size();) {
    const std::size_t end = std::min(phrase.find('*', start), phrase.size());
    const std::string_view part = phrase.substr(start, end - start);
    if (!part.empty()) {
      at = find_part(line, part, at);
      if (at == std::string_view::npos) return false;
      at += part.size();
    }
    start = end + 1;
  }
  return true;
}

const KnownCause* find_cause(std::string_view text, Where where) {
  // From the last line up: the first that is known is the last that was said.
  while (!text.empty()) {
    const std::size_t line_end = text.find_last_of("\r\n");
    const std::size_t begin = line_end == std::string_view::npos ? 0 : line_end + 1;
    if (const KnownCause* cause = cause_on(text.substr(begin), where)) return cause;
    text = text.substr(0, begin == 0 ? 0 : begin - 1);
  }
  return nullptr;
}

}  // namespace berth::hints
