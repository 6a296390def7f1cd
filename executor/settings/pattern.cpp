#include "executor/settings/pattern.hpp"

#include <re2/re2.h>

namespace berth::settings {
namespace {

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

RE2 compile(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  return {piece(pattern), options};
}

}  // namespace

bool pattern_valid(std::string_view pattern) {
  return compile(pattern).ok();
}

bool pattern_found(std::string_view pattern, std::string_view text) {
  const RE2 compiled = compile(pattern);
  return compiled.ok() && RE2::PartialMatch(piece(text), compiled);
}

}  // namespace berth::settings
