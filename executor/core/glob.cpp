// Matching of allowed_images and allowed_services: the pattern language of
// doublestar v4 (https://github.com/bmatcuk/doublestar), which the built-in
// executors use. Bytes, not code points: image names are ASCII.

#include "executor/core/image_ref.hpp"

#include <algorithm>
#include <bitset>
#include <string>
#include <vector>

namespace berth::core {
namespace {

struct Token {
  enum class Kind {
    one_of,       ///< one character of a set
    star,         ///< any number of characters but `/`
    directories,  ///< `**/`: nothing, or anything that ends with `/`
    anything,     ///< `**` as the last part
  };
  Kind kind = Kind::one_of;
  std::bitset<256> set;
};

std::size_t index(char c) {
  return static_cast<unsigned char>(c);
}

/// A bracket expression; `text` begins behind `[`. False if it is not one.
bool read_class(std::string_view& text, std::bitset<256>& set) {
  const bool negated = !text.empty() && (text[0] == '!' || text[0] == '^');
  if (negated) text.remove_prefix(1);
  const auto next = [&](char& c) {
    if (!text.empty() && text[0] == '\\') text.remove_prefix(1);
    if (text.empty()) return false;
    c = text[0];
    text.remove_prefix(1);
    return true;
  };
  bool any = false;
  while (!text.empty() && text[0] != ']') {
    char low = 0;
    if (!next(low)) return false;
    char high = low;
    if (text.size() > 1 && text[0] == '-' && text[1] != ']') {
      text.remove_prefix(1);
      if (!next(high)) return false;
    }
    for (std::size_t c = index(low); c <= index(high); ++c) set.set(c);
    any = true;
  }
  if (text.empty() || !any) return false;
  text.remove_prefix(1);
  if (negated) set.flip();
  return true;
}

/// A pattern without braces. False if it is malformed.
bool read_tokens(std::string_view text, std::vector<Token>& tokens) {
  bool segment_start = true;
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    Token token;
    if (c == '*') {
      token.kind = Token::Kind::star;
      if (text.starts_with('*')) {
        text.remove_prefix(1);
        if (segment_start && text.empty()) token.kind = Token::Kind::anything;
        if (segment_start && text.starts_with('/')) {
          token.kind = Token::Kind::directories;
          text.remove_prefix(1);
          tokens.push_back(token);
          continue;  // still at the start of a segment
        }
      }
    } else if (c == '?') {
      token.set.set();
      token.set.reset(index('/'));
    } else if (c == '[') {
      if (!read_class(text, token.set)) return false;
    } else if (c == '\\') {
      if (text.empty()) return false;
      token.set.set(index(text[0]));
      text.remove_prefix(1);
    } else {
      token.set.set(index(c));
    }
    segment_start = c == '/';
    tokens.push_back(token);
  }
  return true;
}

/// Every state the pattern can be in, advanced character by character: no
/// backtracking, so no pattern is slow.
bool match_tokens(const std::vector<Token>& tokens, std::string_view text) {
  std::vector<bool> here(tokens.size() + 1);
  const auto skip_empty = [&](std::vector<bool>& states) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (states[i] && tokens[i].kind != Token::Kind::one_of) states[i + 1] = true;
    }
  };
  here[0] = true;
  skip_empty(here);
  // A `directories` token that has begun may be left only behind a `/`.
  std::vector<bool> inside(tokens.size() + 1);
  for (const char c : text) {
    std::vector<bool> next(tokens.size() + 1);
    std::vector<bool> next_inside(tokens.size() + 1);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool entered = here[i];
      switch (tokens[i].kind) {
        case Token::Kind::one_of:
          if (entered && tokens[i].set.test(index(c))) next[i + 1] = true;
          break;
        case Token::Kind::star:
          if (entered && c != '/') next[i] = true;
          break;
        case Token::Kind::anything:
          if (entered) next[i] = true;
          break;
        case Token::Kind::directories:
          if (entered || inside[i]) {
            next_inside[i] = true;
            if (c == '/') next[i + 1] = true;
          }
          break;
      }
    }
    skip_empty(next);
    here.swap(next);
    inside.swap(next_inside);
  }
  return here[tokens.size()];
}

/// Where the first brace group opens and closes; npos, npos without one. False
/// if a brace is not closed.
bool find_braces(std::string_view pattern, std::size_t& open, std::size_t& close) {
  open = close = std::string_view::npos;
  unsigned depth = 0;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\') {
      ++i;
    } else if (depth == 0 && in_class) {
      in_class = c != ']';
    } else if (depth == 0 && c == '[') {
      in_class = true;
    } else if (c == '{' && depth++ == 0) {
      open = i;
    } else if (c == '}' && depth > 0 && --depth == 0) {
      close = i;
      return true;
    }
  }
  return depth == 0;
}

/// Braces multiply; an operator's list has a handful.
constexpr std::size_t k_max_alternatives = 4096;

/// The pattern without braces: every combination of alternatives. Empty if it is
/// malformed or has too many.
std::vector<std::string> alternatives(std::string_view pattern) {
  std::vector<std::string> open_ones{std::string(pattern)};
  std::vector<std::string> done;
  while (!open_ones.empty()) {
    const std::string current = std::move(open_ones.back());
    open_ones.pop_back();
    std::size_t open = 0;
    std::size_t close = 0;
    if (!find_braces(current, open, close)) return {};
    if (open == std::string::npos) {
      done.push_back(current);
      continue;
    }
    unsigned depth = 0;
    std::size_t start = open + 1;
    for (std::size_t i = start; i <= close; ++i) {
      const char c = current[i];
      if (c == '\\') {
        ++i;
      } else if (c == '{') {
        ++depth;
      } else if (c == '}' && depth > 0) {
        --depth;
      } else if (depth == 0 && (c == ',' || i == close)) {
        open_ones.push_back(current.substr(0, open) + current.substr(start, i - start) +
                            current.substr(close + 1));
        start = i + 1;
      }
    }
    if (done.size() + open_ones.size() > k_max_alternatives) return {};
  }
  return done;
}

bool match_one(std::string_view pattern, std::string_view text) {
  // `a/**` and `a/**/` match `a` too: it might be a directory.
  for (const std::string_view tail : {"/**", "/**/"}) {
    std::vector<Token> shorter;
    if (pattern.ends_with(tail) &&
        read_tokens(pattern.substr(0, pattern.size() - tail.size()), shorter) &&
        match_tokens(shorter, text)) {
      return true;
    }
  }
  std::vector<Token> tokens;
  return read_tokens(pattern, tokens) && match_tokens(tokens, text);
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  const std::vector<std::string> all = alternatives(pattern);
  return std::any_of(all.begin(), all.end(),
                     [&](const std::string& one) { return match_one(one, text); });
}

bool glob_valid(std::string_view pattern) {
  const std::vector<std::string> all = alternatives(pattern);
  return !all.empty() && std::all_of(all.begin(), all.end(), [](const std::string& one) {
    std::vector<Token> tokens;
    return read_tokens(one, tokens);
  });
}

}  // namespace berth::core
