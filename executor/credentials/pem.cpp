#include "executor/credentials/pem.hpp"

#include "executor/credentials/words.hpp"
#include "executor/support/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace berth::credentials {
namespace {

constexpr std::string_view k_begin = "-----BEGIN ";
constexpr std::string_view k_dashes = "-----";
constexpr std::size_t k_max_blocks = 64;

/// A text that was written out as a string has its line ends as two characters.
std::string with_line_ends(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape && text[i + 1] == 'n') {
      result += '\n';
      ++i;
    } else if (escape && text[i + 1] == 'r') {
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// Takes the lines "Name: value" and the empty one after them off `body`.
std::string take_headers(std::string_view& body) {
  std::string headers;
  body = trimmed(body);
  for (;;) {
    std::string_view rest = body;
    const std::string_view line = take_line(rest);
    if (line.find(": ") == std::string_view::npos) return headers;
    headers += line;
    headers += '\n';
    body = trimmed(rest);
  }
}

class PemReader {
 public:
  explicit PemReader(std::string_view text) : m_rest(text) {}

  PemText read() {
    while (m_result.end == PemText::End::whole && m_result.blocks.size() < k_max_blocks) {
      const std::size_t begin = m_rest.find(k_begin);
      if (begin == std::string_view::npos) {
        // The beginning of one more block.
        const std::string_view left = trimmed(m_rest);
        if (!left.empty() && k_begin.starts_with(left)) fail(true, "its last BEGIN line is cut");
        break;
      }
      m_rest.remove_prefix(begin + k_begin.size());
      read_block();
    }
    return std::move(m_result);
  }

 private:
  void read_block() {
    const std::size_t label_end = m_rest.find(k_dashes);
    const std::size_t line_end = std::min(m_rest.find('\n'), m_rest.size());
    if (label_end == std::string_view::npos || label_end > line_end)
      return fail(line_end == m_rest.size(), "its BEGIN line");
    PemBlock block{.label = std::string(m_rest.substr(0, label_end))};
    m_rest.remove_prefix(label_end + k_dashes.size());
    const std::string shown_label = shown(block.label);
    const std::size_t end = m_rest.find(k_dashes);
    if (end == std::string_view::npos) return fail(true, shown_label + ": its END line is missing");
    std::string_view body = m_rest.substr(0, end);
    const std::string end_line = fmt::format("-----END {}-----", block.label);
    if (!m_rest.substr(end).starts_with(end_line)) {
      const bool cut = end_line.starts_with(m_rest.substr(end));
      return fail(cut,
                  shown_label + (cut ? ": its END line is cut" : ": another END line follows"));
    }
    m_rest.remove_prefix(end + end_line.size());
    block.headers = take_headers(body);
    support::Base64Reading reading = support::read_base64(body);
    if (reading.end != support::Base64Reading::End::whole || reading.url_alphabet ||
        reading.bytes.empty())
      return fail(false, shown_label + ": its body is not base64");
    block.der = support::Secret(std::move(reading.bytes));
    m_result.blocks.push_back(std::move(block));
  }

  void fail(bool cut, std::string fault) {
    m_result.end = cut ? PemText::End::cut : PemText::End::damaged;
    m_result.fault = "PEM " + std::move(fault);
  }

  std::string_view m_rest;
  PemText m_result;
};

}  // namespace

std::string PemBlock::body() const {
  const std::string digits = support::base64_encode(der.expose());
  const std::size_t column = label == "OPENSSH PRIVATE KEY" ? 70 : 64;
  std::string lines;
  lines.reserve(digits.size() + digits.size() / column + 1);
  for (std::size_t at = 0; at < digits.size(); at += column) {
    lines.append(digits, at, column);
    lines += '\n';
  }
  return lines;
}

std::string PemBlock::text() const {
  return fmt::format("-----BEGIN {0}-----\n{1}{2}{3}-----END {0}-----\n", label, headers,
                     headers.empty() ? "" : "\n", body());
}

PemText read_pem(std::string_view text) {
  if (text.find("-----\\") == std::string_view::npos) return PemReader(text).read();
  const support::Secret unescaped(with_line_ends(text));
  return PemReader(unescaped.expose()).read();
}

}  // namespace berth::credentials
