#include "executor/gitlab/shell_word.hpp"

#include <algorithm>

namespace berth::gitlab {
namespace {

constexpr std::string_view k_ends_word = " \t\n;&|()<>";
/// Within a bare word these would mean something, or begin another quotation.
constexpr std::string_view k_live = "\\'\"$`*?[#!";

class WordReader {
 public:
  WordReader(std::string_view script, std::size_t begin) : m_script(script), m_at(begin) {}

  std::optional<ShellWord> read() {
    const std::string_view rest = m_script.substr(m_at);
    bool whole = false;
    if (rest.starts_with("$'")) {
      m_at += 2;
      whole = read_ansi();
    } else if (rest.starts_with('\'')) {
      m_at += 1;
      whole = read_single();
    } else if (rest.starts_with('"')) {
      m_at += 1;
      whole = read_double();
    } else {
      whole = read_bare();
    }
    if (!whole || (!at_end() && k_ends_word.find(m_script[m_at]) == k_none)) return std::nullopt;
    m_word.origins.push_back(m_at);
    m_word.end = m_at;
    return std::move(m_word);
  }

 private:
  static constexpr std::size_t k_none = std::string_view::npos;

  bool at_end() const { return m_at >= m_script.size(); }

  /// One byte of the value, written as `size` bytes.
  void put(char byte, std::size_t size) {
    m_word.value += byte;
    m_word.origins.push_back(m_at);
    m_at += size;
  }

  /// The quotation mark at the end; false where it is missing.
  bool close() {
    if (at_end()) return false;
    ++m_at;
    return true;
  }

  bool read_bare() {
    while (!at_end() && k_ends_word.find(m_script[m_at]) == k_none) {
      if (k_live.find(m_script[m_at]) != k_none) return false;
      put(m_script[m_at], 1);
    }
    return true;
  }

  bool read_single() {
    while (!at_end() && m_script[m_at] != '\'') put(m_script[m_at], 1);
    return close();
  }

  bool read_double() {
    while (!at_end() && m_script[m_at] != '"') {
      const char byte = m_script[m_at];
      if (byte == '$' || byte == '`') return false;
      if (byte != '\\') {
        put(byte, 1);
        continue;
      }
      if (m_at + 1 >= m_script.size()) return false;
      const char next = m_script[m_at + 1];
      if (std::string_view("\\\"$`").find(next) == k_none) return false;
      put(next, 2);
    }
    return close();
  }

  bool read_ansi() {
    while (!at_end() && m_script[m_at] != '\'') {
      if (m_script[m_at] != '\\') {
        put(m_script[m_at], 1);
      } else if (!read_escape()) {
        return false;
      }
    }
    return close();
  }

  bool read_escape() {
    constexpr std::string_view k_letters = "abtnvfr\\'\"";
    constexpr std::string_view k_bytes = "\a\b\t\n\v\f\r\\'\"";
    if (m_at + 1 >= m_script.size()) return false;
    const char letter = m_script[m_at + 1];
    if (const std::size_t found = k_letters.find(letter); found != k_none) {
      put(k_bytes[found], 2);
      return true;
    }
    if (letter != 'x' || m_at + 3 >= m_script.size()) return false;
    unsigned value = 0;
    for (const char digit : m_script.substr(m_at + 2, 2)) {
      const std::size_t number = std::string_view("0123456789abcdef").find(digit);
      if (number == k_none) return false;
      value = value << 4U | static_cast<unsigned>(number);
    }
    put(static_cast<char>(value), 4);
    return true;
  }

  std::string_view m_script;
  std::size_t m_at;
  ShellWord m_word;
};

}  // namespace

std::optional<ShellWord> read_shell_word(std::string_view script, std::size_t begin) {
  return WordReader(script, std::min(begin, script.size())).read();
}

}  // namespace berth::gitlab
