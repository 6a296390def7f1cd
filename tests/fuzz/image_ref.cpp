// Image names and patterns, one a line: the name, then a pattern.

#include "executor/core/image_ref.hpp"

#include "executor/support/error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth;

namespace {

/// A parsed name written out in full means the same image.
void check_name(std::string_view text) {
  core::ImageRef image;
  try {
    image = core::parse_image_ref(text);
  } catch (const support::JobError&) {
    return;
  }
  std::string full = image.registry + "/" + image.repository;
  if (!image.tag.empty()) full += ":" + image.tag;
  if (!image.digest.empty()) full += "@" + image.digest;
  core::ImageRef again = core::parse_image_ref(full);
  again.written_path = image.written_path;
  if (!(again == image)) std::abort();
  if (!text.starts_with(image.written_path)) std::abort();
  const std::vector<std::string> names = core::service_names(text);
  if (names.empty() || names.front().find('/') != std::string::npos) std::abort();
}

void check_pattern(std::string_view pattern, std::string_view text) {
  if (core::glob_match(pattern, text) && !core::glob_valid(pattern)) std::abort();
  // A text without special characters matches itself.
  if (text.find_first_of("*?[]{}\\,") == std::string_view::npos && !core::glob_match(text, text)) {
    std::abort();
  }
  std::string escaped;
  for (const char c : text) escaped += {'\\', c};
  if (!core::glob_match(escaped, text)) std::abort();
  if (core::glob_valid(pattern) && !core::glob_match("**", text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, line);
  check_name(text);
  if (size < 512) check_pattern(input.substr(std::min(line + 1, size)), text);
  for (const std::string& alias : core::split_aliases(input)) {
    if (alias.empty() || alias.find_first_of(", \t\r\n") != std::string::npos) std::abort();
  }
  return 0;
}
