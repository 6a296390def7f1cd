#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// How a secret may look when a job prints it. Pure.
namespace berth::masking {

/// Nothing shorter is masked, in any form.
constexpr std::size_t k_min_length = 8;

/// False for what masking would make a log unreadable: shorter than k_min_length,
/// few different characters, words (letters of one case below 16 characters, with
/// separators), numbers below 12 digits.
bool is_maskable(std::string_view text);

/// Every text, none with a line end in it, by which a log may show the secret or a
/// long part of it: its lines, and long lines in pieces, as they are, in JSON strings
/// and URLs; the whole of it in base64 (both alphabets) at each of the three
/// positions that it may have in what was encoded, in pieces that overlap. Pieces
/// that are not maskable are left out.
std::vector<std::string> printed_forms(std::string_view secret);

}  // namespace berth::masking
