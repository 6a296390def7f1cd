#include "executor/masking/forms.hpp"

#include "executor/support/base64.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace berth::masking {
namespace {

/// What is longer is looked for in pieces, so that a part of it is found too.
constexpr std::size_t k_piece = 64;
/// Bytes that two pieces share: digits of base64 at a piece's ends depend on what
/// stands beside it.
constexpr std::size_t k_overlap = 4;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// What it takes to tell the text from others of the same characters.
double bits_of(std::string_view text) {
  std::array<std::size_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  const auto size = static_cast<double>(text.size());
  double bits = 0;
  for (const std::size_t count : counts)
    if (count > 0)
      bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / size);
  return bits;
}

bool has_variety(std::string_view text) {
  constexpr double k_least_bits = 18;
  return text.size() >= k_min_length && bits_of(text) >= k_least_bits;
}

bool is_word(std::string_view text) {
  constexpr std::size_t k_longest_word = 15;
  if (text.size() > k_longest_word) return false;
  const auto all_in = [&](auto is_letter, std::string_view rest) {
    return std::ranges::all_of(rest, [&](char c) {
      return is_letter(c) || std::string_view("-_./: ").find(c) != std::string_view::npos;
    });
  };
  return all_in(is_upper, text) ||
         (all_in(is_lower, text.substr(1)) && (is_upper(text.front()) || all_in(is_lower, text)));
}

std::string hex_escape(const char* format, char c) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), format, static_cast<unsigned char>(c));
  return text.data();
}

/// `solidus`: "/" as "\/". `html`: <, > and & as \u003c and so on, as Go has them.
std::string json_escaped(std::string_view text, bool solidus, bool html) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '/' && solidus) {
      result += "\\/";
    } else if (static_cast<unsigned char>(c) < ' ' ||
               (html && (c == '<' || c == '>' || c == '&'))) {
      result += hex_escape("\\u%04x", c);
    } else {
      result += c;
    }
  }
  return result;
}

/// RFC 3986 §2.3; `plus`: blanks as "+", as forms have them.
std::string url_encoded(std::string_view text, const char* format, bool plus) {
  std::string result;
  for (const char c : text) {
    if (is_upper(c) || is_lower(c) || is_digit(c) ||
        std::string_view("-_.~").find(c) != std::string_view::npos) {
      result += c;
    } else if (c == ' ' && plus) {
      result += '+';
    } else {
      result += hex_escape(format, c);
    }
  }
  return result;
}

/// The digits of base64 that the piece alone decides, with `before` bytes (0..2) in
/// front of it in its first group.
std::string base64_core(std::string_view piece, std::size_t before) {
  constexpr std::array<std::size_t, 3> k_undecided{0, 2, 3};
  const std::string bytes = std::string(before, '\0') + std::string(piece);
  const std::string digits = support::base64_encode(bytes);
  const std::size_t decided = bytes.size() * 8 / 6;
  return digits.substr(k_undecided[before], decided - k_undecided[before]);
}

class Forms {
 public:
  void add_line(std::string_view line) {
    if (line.size() <= k_piece + k_piece / 2) return add_plain(line);
    for (std::size_t at = 0; at < line.size(); at += k_piece)
      add_plain(line.substr(std::min(at, line.size() - k_piece), k_piece));
  }

  void add_base64(std::string_view secret) {
    for (std::size_t at = 0;; at += k_piece - k_overlap) {
      const std::string_view piece =
          secret.substr(at, secret.size() - at <= k_piece + k_piece / 2 ? k_piece * 2 : k_piece);
      if (has_variety(piece))
        for (const std::size_t before : {0U, 1U, 2U}) add_digits(base64_core(piece, before));
      if (at + piece.size() >= secret.size()) return;
    }
  }

  std::vector<std::string> take() {
    std::ranges::sort(m_forms);
    const auto same = std::ranges::unique(m_forms);
    m_forms.erase(same.begin(), same.end());
    return std::move(m_forms);
  }

 private:
  void add_plain(std::string_view piece) {
    if (!is_maskable(piece)) return;
    m_forms.emplace_back(piece);
    for (const bool solidus : {false, true})
      for (const bool html : {false, true}) m_forms.push_back(json_escaped(piece, solidus, html));
    for (const char* format : {"%%%02X", "%%%02x"})
      for (const bool plus : {false, true}) m_forms.push_back(url_encoded(piece, format, plus));
  }

  void add_digits(std::string digits) {
    if (!has_variety(digits)) return;
    m_forms.push_back(digits);
    std::ranges::replace(digits, '+', '-');
    std::ranges::replace(digits, '/', '_');
    m_forms.push_back(std::move(digits));
  }

  std::vector<std::string> m_forms;
};

}  // namespace

bool is_maskable(std::string_view text) {
  constexpr std::size_t k_longest_number = 11;
  if (!has_variety(text) || is_word(text)) return false;
  return text.size() > k_longest_number || !std::ranges::all_of(text, is_digit);
}

std::vector<std::string> printed_forms(std::string_view secret) {
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r'))
    secret.remove_suffix(1);
  Forms forms;
  const std::string_view whole = secret;
  if (is_maskable(secret)) forms.add_base64(secret);
  while (!secret.empty()) {
    const std::size_t end = std::min(secret.find_first_of("\r\n"), secret.size());
    const std::string_view line = secret.substr(0, end);
    forms.add_line(line);
    // In base64 of a text that has it line by line with something else between the
    // lines: "\n" of JSON, CRLF, an indentation.
    if (line.size() < whole.size() && is_maskable(line)) forms.add_base64(line);
    secret.remove_prefix(std::min(end + 1, secret.size()));
  }
  return forms.take();
}

}  // namespace berth::masking
