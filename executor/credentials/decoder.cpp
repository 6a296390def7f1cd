#include "executor/credentials/decoder.hpp"

#include "executor/credentials/gunzip.hpp"
#include "executor/credentials/words.hpp"
#include "executor/support/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace berth::credentials {
namespace {

using State = Decoded::State;
using support::Base64Reading;
using support::Secret;

constexpr std::string_view k_bom = "\xef\xbb\xbf";
/// Fewer digits are no file.
constexpr std::size_t k_min_encoded = 12;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

unsigned hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a' + 10);
}

struct HexReading {
  std::string bytes{};
  bool whole = true;
  bool foreign = false;
};

HexReading read_hex(std::string_view text) {
  HexReading reading;
  reading.bytes.reserve(text.size() / 2 + 1);
  unsigned digits = 0;
  unsigned value = 0;
  for (const char c : text) {
    if (is_blank(c)) continue;
    if (!is_hex(c)) {
      reading.foreign = true;
      reading.whole = false;
      return reading;
    }
    value = value << 4U | hex_value(c);
    if (++digits == 2) {
      reading.bytes += static_cast<char>(value);
      digits = value = 0;
    }
  }
  reading.whole = digits == 0;
  return reading;
}

std::string percent_decoded(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
      bytes += static_cast<char>(hex_value(text[i + 1]) << 4U | hex_value(text[i + 2]));
      i += 2;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

std::string with_lf(std::string_view text) {
  std::string result;
  result.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    result += text[i];
  }
  return result;
}

/// "wrapped at 76 columns" and the like, of an encoded text without blanks at its
/// ends; "" where it is one run of digits.
std::string describe_breaks(std::string_view text) {
  std::size_t column = 0;
  std::size_t first = 0;
  std::size_t runs = 0;
  bool even = true;
  bool line_feed = false;
  bool carriage_return = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool at_end = i == text.size();
    if (!at_end && !is_blank(text[i])) {
      ++column;
      continue;
    }
    if (!at_end) {
      line_feed |= text[i] == '\n';
      carriage_return |= text[i] == '\r';
    }
    if (column == 0) continue;
    ++runs;
    if (runs == 1) first = column;
    // The last line may be shorter.
    else if (at_end ? column > first : column != first)
      even = false;
    column = 0;
  }
  if (runs < 2) return {};
  std::string words = even ? fmt::format("wrapped at {} columns", first) : "broken by blanks";
  if (carriage_return) {
    words += ", CRLF line ends";
  } else if (!line_feed) {
    words += ", blanks in place of line ends";
  }
  return words;
}

/// Takes layers off until a form shows.
class Peeler {
 public:
  /// True where a form of a credential came out; then it is all in `result`.
  bool peel(std::string_view text, unsigned layers_left, bool packed) {
    text = unwrap(text);
    if (const Form form = form_of(text); form != Form::unknown) {
      keep(text, form);
      return true;
    }
    if (!packed && text.starts_with(k_gzip_magic)) return peel_gzip(text, layers_left);
    if (layers_left == 0 || text.size() < k_min_encoded) return false;
    if (text.size() > 5 && (text.starts_with("data:") || text.starts_with("DATA:")))
      return peel_data_uri(text, layers_left, packed);
    return peel_digits(text, layers_left, packed);
  }

  Decoded result{};

 private:
  std::string_view unwrap(std::string_view text) {
    const auto strip_bom = [&] {
      if (!text.starts_with(k_bom)) return;
      text.remove_prefix(k_bom.size());
      note("byte order mark");
    };
    if (text.starts_with(k_gzip_magic)) return text;
    strip_bom();
    m_final_newline = text.ends_with('\n');
    text = trimmed(text);
    const bool quoted = text.size() > 1 && (text.front() == '"' || text.front() == '\'') &&
                        text.front() == text.back();
    if (!quoted) return text;
    note("in quotes");
    text = text.substr(1, text.size() - 2);
    strip_bom();
    m_final_newline = text.ends_with('\n');
    return trimmed(text);
  }

  void keep(std::string_view text, Form form) {
    if (text.find("\r\n") != std::string_view::npos) note("CRLF line ends");
    result.content = Secret(with_lf(text));
    result.form = form;
    result.final_newline = m_final_newline;
    if (result.state == State::unknown) result.state = State::content;
  }

  bool peel_gzip(std::string_view text, unsigned layers_left) {
    Unpacked unpacked = gunzip(text, std::min(k_max_value, text.size() * k_max_growth));
    const Secret bytes(std::move(unpacked.bytes));
    result.layers.push_back(Layer::gzip);
    note("gzip");
    switch (unpacked.end) {
      case Unpacked::End::whole:
        break;
      case Unpacked::End::cut:
        fail(State::truncated, "the gzip stream ends too early");
        break;
      case Unpacked::End::damaged:
        fail(State::garbage, "the gzip stream is damaged");
        break;
      case Unpacked::End::too_big:
        fail(State::garbage, fmt::format("the gzip stream grows more than {} times", k_max_growth));
        break;
    }
    // What begins as gzip does is meant to be a file, whatever is in it.
    return peel(bytes.expose(), layers_left, true) || unpacked.end != Unpacked::End::whole;
  }

  bool peel_data_uri(std::string_view text, unsigned layers_left, bool packed) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos) return false;
    const std::string_view head = text.substr(0, comma);
    const std::string_view body = text.substr(comma + 1);
    const Peeler before = *this;
    result.layers.push_back(Layer::data_uri);
    note("data: URI");
    bool found = false;
    if (head.ends_with(";base64")) {
      // A URI may have its '=' and '+' escaped.
      const Secret bytes(percent_decoded(body));
      found = peel_base64(trimmed(bytes.expose()), layers_left, packed, false);
    } else {
      const Secret bytes(percent_decoded(body));
      found = peel(bytes.expose(), layers_left - 1, packed);
    }
    if (!found) *this = before;
    return found;
  }

  /// Hexadecimal digits are base64 digits too: the reading that makes sense counts.
  bool peel_digits(std::string_view text, unsigned layers_left, bool packed) {
    const Peeler before = *this;
    const bool hex = text.starts_with("0x") || text.starts_with("0X") ||
                     std::all_of(text.begin(), text.begin() + k_min_encoded, is_hex);
    const bool as_hex = hex && peel_hex(text, layers_left, packed);
    if (!as_hex) *this = before;
    if (as_hex) {
      Peeler other = before;
      const bool as_base64 = other.peel_base64(text, layers_left, packed, true);
      if (as_base64 && result.state != State::content)
        *this = std::move(other);
      else if (as_base64 && other.result.state == State::content)
        fail(State::ambiguous, "it reads as hexadecimal and as base64");
      return true;
    }
    if (peel_base64(text, layers_left, packed, true)) return true;
    *this = before;
    return false;
  }

  bool peel_hex(std::string_view text, unsigned layers_left, bool packed) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    HexReading reading = read_hex(text);
    const Secret bytes(std::move(reading.bytes));
    result.layers.push_back(Layer::hex);
    const std::string breaks = describe_breaks(text);
    note(breaks.empty() ? "hexadecimal" : "hexadecimal " + breaks);
    if (!reading.whole) {
      if (reading.foreign)
        fail(State::garbage, "other characters stand among the hexadecimal digits");
      else
        fail(State::truncated, "an odd number of hexadecimal digits");
    }
    return peel(bytes.expose(), layers_left - 1, packed);
  }

  bool peel_base64(std::string_view text, unsigned layers_left, bool packed, bool may_repair) {
    Base64Reading reading = support::read_base64(text);
    const Secret bytes(std::move(reading.bytes));
    if (bytes.expose().size() < k_min_encoded / 4 * 3) return false;
    const bool outermost = may_repair && result.layers.empty();
    const bool again = std::ranges::find(result.layers, Layer::base64) != result.layers.end();
    result.layers.push_back(Layer::base64);
    const std::string breaks = describe_breaks(text);
    note(std::string(again ? "base64 a second time" : "base64") +
         (breaks.empty() ? "" : " " + breaks));
    if (reading.url_alphabet) note("URL-safe alphabet");
    if (reading.unpadded) note("padding left out");
    switch (reading.end) {
      case Base64Reading::End::whole:
        if (outermost && !breaks.empty())
          result.one_line = Secret(support::base64_encode(bytes.expose()));
        break;
      case Base64Reading::End::cut:
      case Base64Reading::End::loose_bits:
        fail(State::truncated, "the base64 ends within a group");
        break;
      case Base64Reading::End::foreign:
        fail(State::garbage, "other characters stand among the base64 digits");
        break;
      case Base64Reading::End::after_padding:
        fail(State::garbage, "the base64 goes on after its padding");
        break;
      case Base64Reading::End::mixed:
        fail(State::ambiguous, "the base64 mixes both alphabets");
        break;
    }
    return peel(bytes.expose(), layers_left - 1, packed);
  }

  void note(std::string text) { result.notes.push_back(std::move(text)); }

  /// The outermost fault is the cause of those within.
  void fail(State state, std::string fault) {
    if (result.state != State::unknown && result.state != State::content) return;
    result.state = state;
    result.fault = std::move(fault);
    result.one_line = Secret();
  }

  bool m_final_newline = false;
};

}  // namespace

Decoded decode(std::string_view value) {
  Decoded nothing;
  if (value.size() > k_max_value) {
    nothing.fault = fmt::format("larger than {} MiB", k_max_value >> 20U);
    return nothing;
  }
  constexpr unsigned k_layers = 2;
  Peeler peeler;
  if (peeler.peel(value, k_layers, false)) return std::move(peeler.result);
  return nothing;
}

}  // namespace berth::credentials
