// What `berth local` reads: a dotenv report, a variables file; and its masking of
// secrets, the first line's words, in the rest, cut in pieces of any size.

#include "cli/local/dotenv.hpp"
#include "cli/local/masker.hpp"
#include "cli/local/pattern_masker.hpp"
#include "cli/local/variables_file.hpp"
#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace berth;

namespace {

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> all;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) all.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return all;
}

std::string mask(const std::vector<std::string>& secrets, std::string_view text,
                 std::size_t chunk) {
  std::string masked;
  local::Masker masker(secrets, [&](std::string_view bytes) { masked += bytes; });
  for (std::size_t at = 0; at < text.size(); at += chunk) masker.feed(text.substr(at, chunk));
  masker.flush();
  return masked;
}

std::string mask_patterns(std::string_view text, std::size_t chunk) {
  std::string masked;
  local::PatternMasker masker([&](std::string_view bytes) { masked += bytes; });
  for (std::size_t at = 0; at < text.size(); at += chunk) masker.feed(text.substr(at, chunk));
  masker.flush();
  return masked;
}

void check_masking(std::string_view input, std::size_t chunk) {
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::vector<std::string> secrets = words(input.substr(0, line));
  const std::string_view text = input.substr(line);
  const std::string masked = mask(secrets, text, text.size() + 1);
  if (mask(secrets, text, chunk) != masked) std::abort();
  if (mask_patterns(text, chunk) != mask_patterns(text, text.size() + 1)) std::abort();
  // Without the marks no secret is left in one piece.
  std::vector<std::string> pieces{""};
  for (std::size_t at = 0; at < masked.size();) {
    constexpr std::string_view mark = "[MASKED]";
    if (masked.compare(at, mark.size(), mark) == 0) {
      pieces.emplace_back();
      at += mark.size();
    } else {
      pieces.back() += masked[at++];
    }
  }
  for (const std::string& secret : secrets) {
    for (const std::string& piece : pieces) {
      if (piece.find(secret) != std::string::npos) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& [key, value] : local::parse_dotenv(input)) {
      if (key.empty() || value.find('\n') != std::string::npos) std::abort();
    }
  } catch (const std::runtime_error&) {
  }
  try {
    local::parse_variables_file(input, "f", "/nonexistent");
  } catch (const support::OperatorError& error) {
    if (!std::string_view(error.what()).starts_with("f:")) std::abort();
  }
  if (size > 0) check_masking(input.substr(1), std::size_t{data[0]} + 1);
  return 0;
}
