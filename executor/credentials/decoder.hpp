#pragma once

#include "executor/credentials/form.hpp"
#include "executor/support/secret.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// From the value of a CI variable to the file that somebody meant: blanks and line
/// ends anywhere, both base64 alphabets, padding or none, hexadecimal digits, data:
/// URIs, up to two of these layers, gzip once, a byte order mark, quotes around.
/// Pure, fuzzed.
namespace berth::credentials {

/// Nothing larger is looked at, nor unpacked to.
constexpr std::size_t k_max_value = std::size_t{4} << 20;
/// gzip that grows more than this is refused: no credential does.
constexpr std::size_t k_max_growth = 8;

enum class Layer { base64, hex, data_uri, gzip };

struct Decoded {
  enum class State {
    /// No form of a credential is in it, however it is read.
    unknown,
    /// `content` has one of the forms.
    content,
    /// It has, but the encoding ends too early: `content` is what there is.
    truncated,
    /// It has, but the encoding breaks in the middle.
    garbage,
    /// It can be read in two ways.
    ambiguous,
  };

  State state = State::unknown;
  Form form = Form::unknown;
  /// From the outside in.
  std::vector<Layer> layers{};
  /// Without layers, byte order mark, quotes, and blanks at its ends; lines end in LF.
  support::Secret content{};
  /// What was odd: "base64 wrapped at 76 columns", "byte order mark".
  std::vector<std::string> notes{};
  /// Why it is truncated, garbage or ambiguous; never content.
  std::string fault{};
  bool final_newline = false;
  /// The outermost layer is base64, whole, and has blanks or line ends within: this
  /// is the same in one line, padded. Otherwise empty.
  support::Secret one_line{};
};

/// Never throws but for want of memory; of an input of n bytes it holds less than
/// 16 n (beside a fixed 64 KiB).
Decoded decode(std::string_view value);

}  // namespace berth::credentials
