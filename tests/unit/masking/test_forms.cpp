#include "executor/masking/forms.hpp"
#include "executor/masking/masker.hpp"
#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <random>

using namespace berth::masking;
using berth::support::base64_encode;
using berth::support::base64url_encode;

namespace {

constexpr std::string_view k_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string random_digits(std::mt19937& random, std::size_t size) {
  std::string text;
  while (text.size() < size) text += k_digits[random() % k_digits.size()];
  return text;
}

std::string key_body(std::mt19937& random) {
  std::string body;
  for (int line = 0; line < 25; ++line) body += random_digits(random, 64) + "\n";
  return body + random_digits(random, 24) + "\n";
}

std::string wrapped(const std::string& text, std::size_t columns) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); at += columns)
    result += text.substr(at, columns) + "\n";
  return result;
}

std::string masked(const Masks& masks, std::string_view text) {
  std::string out;
  Masker masker(masks, [&](std::string_view bytes) { out += bytes; });
  masker.feed(text);
  masker.flush();
  return out;
}

std::string without_line_ends(std::string text) {
  std::erase(text, '\n');
  return text;
}

/// Pieces of `size` bytes of the secret's print that can still be read.
std::size_t readable_pieces(const std::string& shown, const std::string& print, std::size_t size) {
  std::size_t count = 0;
  for (std::size_t at = 0; at + size <= print.size(); ++at)
    if (shown.find(print.substr(at, size)) != std::string::npos) ++count;
  return count;
}

}  // namespace

TEST_CASE("words, numbers and what is short are not masked") {
  for (const char* text : {"", "a", "Ab3$xyz", "password", "production", "Production", "PRODUCTION",
                           "eu-west-one", "kube-system", "12345678", "20261121", "aaaaaaaaaaaa",
                           "----------------", "abababababab", "00000000-0000"})
    CHECK_FALSE(is_maskable(text));
  for (const char* text : {"Ab3$xyz7", "hunter2hunter3", "glpat-abcdefghij", "s3cr3tpw",
                           "correcthorsebatterystaple", "123456789012", "user:pa55word"})
    CHECK(is_maskable(text));
  CHECK(printed_forms("password").empty());
}

TEST_CASE("a secret is masked in each form that a job prints it in") {
  const std::string secret = "pa<s>\"w/o\\r d+1&";
  Masks masks;
  CHECK(masks.add(secret));
  for (const char* print :
       {"pa<s>\"w/o\\r d+1&", "pa<s>\\\"w/o\\\\r d+1&", "pa<s>\\\"w\\/o\\\\r d+1&",
        "pa\\u003cs\\u003e\\\"w/o\\\\r d+1\\u0026", "pa%3Cs%3E%22w%2Fo%5Cr%20d%2B1%26",
        "pa%3cs%3e%22w%2fo%5cr%20d%2b1%26", "pa%3Cs%3E%22w%2Fo%5Cr+d%2B1%26"}) {
    CHECK(masked(masks, "x=" + std::string(print) + ";") == "x=[MASKED];");
  }
}

TEST_CASE("a secret within a base64 text is masked at every position, wrapped or not") {
  std::mt19937 random(11);
  const std::string one = "\xfb\xff\xbe-deployer:Wx3/Dock?55>Rr\xff\xfe";
  const std::string body = key_body(random);
  const std::string token = random_digits(random, 1100);
  for (const std::string& secret : {one, body, token}) {
    Masks masks;
    REQUIRE(masks.add(secret));
    for (std::size_t before = 0; before < 9; ++before) {
      const std::string front(before, 'f');
      for (const bool url : {false, true}) {
        const auto encode = url ? base64url_encode : base64_encode;
        const std::string print = encode(front + secret + "tail");
        for (const std::size_t columns : {print.size(), std::size_t{76}, std::size_t{64}}) {
          const std::string shown = masked(masks, "out: " + wrapped(print, columns));
          // At each line end seven digits may stand, and three at each end.
          const std::string core = print.substr((before * 8 + 5) / 6, secret.size() * 8 / 6 - 2);
          INFO(secret.size() << " bytes after " << before << " at " << columns << ": " << shown);
          CHECK(readable_pieces(shown, core, 8) == 0);
        }
      }
    }
  }
}

TEST_CASE("a key is masked line by line, and in a file of another kind") {
  std::mt19937 random(12);
  const std::string body = key_body(random);
  Masks masks;
  REQUIRE(masks.add(body));
  const std::string shown = masked(masks, "-----BEGIN PRIVATE KEY-----\n" + body + "-----END");
  CHECK(readable_pieces(shown, body, 8) == 0);
  CHECK(std::ranges::count(shown, '\n') == std::ranges::count(body, '\n') + 1);
  CHECK_THAT(shown, StartsWith("-----BEGIN PRIVATE KEY-----\n[MASKED]\n[MASKED]\n"));

  std::string escaped;
  for (const char c : body) escaped += c == '\n' ? "\\n" : std::string(1, c);
  CHECK(readable_pieces(masked(masks, "{\"private_key\": \"" + escaped + "\"}"), body, 8) == 0);
  // Any part of it that has a whole line.
  CHECK(readable_pieces(masked(masks, body.substr(130, 65 * 3)), body.substr(130, 195), 8) == 0);
}

TEST_CASE("a long secret is masked in parts too") {
  std::mt19937 random(13);
  const std::string token = random_digits(random, 1000);
  Masks masks;
  REQUIRE(masks.add(token));
  CHECK(masked(masks, token) == "[MASKED]");
  const std::string shown = masked(masks, token.substr(0, 640));
  CHECK(shown == "[MASKED]");
  CHECK(without_line_ends(masked(masks, wrapped(token, 80))).find(token.substr(500, 8)) ==
        std::string::npos);
}
