#include "executor/masking/masker.hpp"
#include "executor/masking/stage_secrets.hpp"
#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <random>

using namespace berth::masking;

namespace {

class Stream {
 public:
  explicit Stream(const Masks& masks)
      : masker(masks, [this](std::string_view bytes) { shown += bytes; }) {}

  std::string shown{};
  Masker masker;
};

std::string at_once(const Masks& masks, std::string_view text) {
  Stream stream(masks);
  stream.masker.feed(text);
  stream.masker.flush();
  return stream.shown;
}

bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}

/// The definition, byte by byte and pattern by pattern.
std::string by_definition(const Masks& masks, const std::string& text) {
  std::vector<bool> hidden(text.size());
  for (const std::string& pattern : masks.patterns()) {
    for (std::size_t start = 0; start < text.size(); ++start) {
      std::size_t matched = 0;
      std::size_t begin = start;
      std::size_t at = start;
      for (; at < text.size() && matched < pattern.size(); ++at) {
        if (is_line_end(text[at]) && matched > 0) {
          if (matched < 8) begin = at + 1;
        } else if (text[at] == pattern[matched]) {
          ++matched;
        } else {
          break;
        }
      }
      if (matched < pattern.size()) continue;
      for (std::size_t i = begin; i < at; ++i) hidden[i] = true;
    }
  }
  std::string result;
  bool before = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool masked = hidden[i] && !is_line_end(text[i]);
    if (!masked) result += text[i];
    if (masked && !before) result += "[MASKED]";
    before = masked;
  }
  return result;
}

std::string random_text(std::mt19937& random, std::string_view letters, std::size_t size) {
  std::string text;
  while (text.size() < size) text += letters[random() % letters.size()];
  return text;
}

/// Patterns of few letters, parts of each other now and then, and a text in which
/// they stand often.
struct Case {
  Masks masks{};
  std::string text{};
};

Case random_case(std::mt19937& random) {
  Case made;
  std::vector<std::string> secrets;
  for (unsigned i = 0; i < 1 + random() % 6; ++i) {
    std::string secret = random_text(random, "abc", 8 + random() % 20);
    if (!secrets.empty() && random() % 2 == 0)
      secret = secrets.back().substr(random() % 4) + secret.substr(0, random() % 8);
    if (secret.size() >= 8) secrets.push_back(secret);
  }
  for (const std::string& secret : secrets) made.masks.add_requested(secret);
  while (made.text.size() < 300) {
    made.text += random_text(random, "abc\nd ", random() % 12);
    std::string secret = secrets.empty() ? "" : secrets[random() % secrets.size()];
    if (random() % 3 == 0)
      secret.insert(random() % (secret.size() + 1), random() % 2 ? "\n" : "\r\n");
    if (random() % 4 == 0) secret.resize(random() % (secret.size() + 1));
    made.text += secret;
  }
  return made;
}

}  // namespace

TEST_CASE("secrets are masked, the rest is left as it is") {
  Masks masks;
  REQUIRE(masks.add("s3cr3t-t0ken"));
  CHECK(at_once(masks, "a s3cr3t-t0ken b") == "a [MASKED] b");
  CHECK(at_once(masks, "s3cr3t-t0kens3cr3t-t0ken") == "[MASKED]");
  CHECK(at_once(masks, "s3cr3t-t0ke") == "s3cr3t-t0ke");
  CHECK(at_once(masks, "s3cr3t-s3cr3t-t0ken") == "s3cr3t-[MASKED]");
  CHECK(at_once(Masks(), "s3cr3t-t0ken") == "s3cr3t-t0ken");
  CHECK(at_once(masks, "") == "");
}

TEST_CASE("a line end within a secret stays") {
  Masks masks;
  REQUIRE(masks.add("s3cr3t-t0ken"));
  CHECK(at_once(masks, "s3cr3t-t0\nken.") == "[MASKED]\n[MASKED].");
  CHECK(at_once(masks, "x s3cr\r\n3t-t0ken.") == "x s3cr\r\n[MASKED].");
}

TEST_CASE("what is shown is what the definition says, and does not depend on cuts") {
  std::mt19937 random(21);
  for (int round = 0; round < 400; ++round) {
    const Case made = random_case(random);
    const std::string expected = by_definition(made.masks, made.text);
    REQUIRE(at_once(made.masks, made.text) == expected);
    Stream stream(made.masks);
    for (std::string_view rest = made.text; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(rest.size(), random() % 9);
      stream.masker.feed(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    stream.masker.flush();
    REQUIRE(stream.shown == expected);
  }
}

TEST_CASE("another masker goes on from any byte as if there were one") {
  std::mt19937 random(27);
  for (int round = 0; round < 200; ++round) {
    const Case made = random_case(random);
    const std::string expected = by_definition(made.masks, made.text);
    const std::size_t cut = random() % (made.text.size() + 1);
    Stream first(made.masks);
    first.masker.feed(std::string_view(made.text).substr(0, cut));
    Stream second(made.masks);
    REQUIRE(second.masker.restore(first.masker.save().expose()));
    second.masker.feed(std::string_view(made.text).substr(cut));
    second.masker.flush();
    REQUIRE(first.shown + second.shown == expected);
  }
}

TEST_CASE("a command that is cut is read to its end by the next masker") {
  const std::string text = "x\n::add-mask::val-Ue-123456\nval-Ue-123456 behind\n";
  const std::string expected = "x\n::add-mask::[MASKED]\n[MASKED] behind\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Stream first{Masks()};
    first.masker.feed(std::string_view(text).substr(0, cut));
    Masks masks;
    for (const auto& value : first.masker.requested()) masks.add_requested(value.expose());
    Stream second(masks);
    REQUIRE(second.masker.restore(first.masker.save().expose()));
    second.masker.feed(std::string_view(text).substr(cut));
    second.masker.flush();
    REQUIRE(first.shown + second.shown == expected);
  }
}

TEST_CASE("a state that is not of this masker is refused") {
  Masks masks;
  masks.add_requested("s3cr3t-t0ken");
  Stream stream(masks);
  stream.masker.feed("some s3cr3t-t0");
  const std::string saved(stream.masker.save().expose());
  CHECK_FALSE(Stream{Masks()}.masker.restore(saved));
  for (std::size_t size = 0; size < saved.size(); ++size)
    REQUIRE_FALSE(Stream(masks).masker.restore(saved.substr(0, size)));
  CHECK_FALSE(Stream(masks).masker.restore(saved + "x"));
}

TEST_CASE("only what may begin a secret is held back") {
  std::mt19937 random(22);
  for (int round = 0; round < 200; ++round) {
    Masks masks;
    for (int i = 0; i < 3; ++i) masks.add_requested(random_text(random, "abc", 10 + random() % 9));
    Stream stream(masks);
    std::string text;
    for (int i = 0; i < 120; ++i) {
      const std::string more = random_text(random, "abc\nd", 1 + random() % 3);
      // Only as long as nothing is masked the sizes tell what is held.
      if (by_definition(masks, text + more) != text + more) break;
      text += more;
      stream.masker.feed(more);
      REQUIRE(text.starts_with(stream.shown));
      std::string held = text.substr(stream.shown.size());
      if (held.empty()) continue;
      std::erase_if(held, is_line_end);
      // Of one that a line end breaks early, the first bytes have been shown.
      const bool broken = stream.shown.ends_with('\n');
      CHECK(std::ranges::any_of(masks.patterns(), [&](const std::string& pattern) {
        return broken ? pattern.find(held) < 8 : pattern.starts_with(held);
      }));
      if (held.size() < 8) CHECK(text.substr(stream.shown.size()) == held);
    }
  }
}

TEST_CASE("a line is passed on at its end") {
  Masks masks;
  REQUIRE(masks.add("s3cr3t-t0ken"));
  Stream stream(masks);
  stream.masker.feed("step s3cr\n");
  CHECK(stream.shown == "step s3cr\n");
  stream.masker.feed("Password: ");
  CHECK(stream.shown == "step s3cr\nPassword: ");
}

TEST_CASE("a line adds a mask from there on") {
  for (const std::size_t piece : {1U, 2U, 7U, 1000U}) {
    Stream stream{Masks()};
    const std::string text =
        "s3ss10n-id\n::add-mask::s3ss10n-id\r\nfirst s3ss10n-id\n ::add-mask::n0t-a-line\n"
        "n0t-a-line\n::add-mask::0ther-one\n0ther-one czNzczEwbi1pZA==\n::add-mask::short\nshort\n"
        "::add-mask::production\nproduction\n::add-mask::l4st-line";
    for (std::size_t at = 0; at < text.size(); at += piece)
      stream.masker.feed(std::string_view(text).substr(at, piece));
    stream.masker.flush();
    CHECK(stream.shown ==
          "s3ss10n-id\n::add-mask::[MASKED]\r\nfirst [MASKED]\n ::add-mask::n0t-a-line\n"
          "n0t-a-line\n::add-mask::[MASKED]\n[MASKED] [MASKED]A==\n::add-mask::[MASKED]\nshort\n"
          "::add-mask::[MASKED]\n[MASKED]\n::add-mask::[MASKED]");
    REQUIRE(stream.masker.requested().size() == 4);
    CHECK(stream.masker.requested()[1].expose() == "0ther-one");
  }
}

TEST_CASE("lines add no more than a stage can look for") {
  Stream stream{Masks()};
  std::mt19937 random(23);
  std::size_t bytes = 0;
  for (int i = 0; i < 40; ++i)
    stream.masker.feed("::add-mask::" + random_text(random, "abcdefghijklmnop0123", 4000) + "\n");
  stream.masker.flush();
  for (const auto& value : stream.masker.requested()) bytes += value.expose().size();
  CHECK(stream.masker.requested().size() == 16);
  CHECK(bytes <= k_max_secret_bytes);
}

TEST_CASE("a line without end is no request") {
  const std::string text = "::add-mask::" + std::string(Masker::k_max_command, 'x') + "y\nz";
  CHECK(at_once(Masks(), text) == text);
  Stream stream{Masks()};
  for (const char c : text) stream.masker.feed({&c, 1});
  stream.masker.flush();
  CHECK(stream.shown == text);
}

TEST_CASE("megabytes without a secret come out byte by byte the same") {
  std::mt19937 random(23);
  Masks masks;
  for (int i = 0; i < 20; ++i)
    masks.add(random_text(random, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL0123456789+/", 64));
  std::string text;
  text.reserve(4 << 20);
  while (text.size() < (std::size_t{4} << 20))
    text += random_text(random, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL0123456789+/ \n\r\t", 4096);
  CHECK(at_once(masks, text) == text);
}

TEST_CASE("a key's lines are masked in base64 of a text that has them in its own way") {
  const std::string first = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1u19WAPWEeaqU5V";
  const std::string second = "yaGCBFgWcPbuyhRANCAAR69io40T8mXbbmjVfFco8hZwAS2EwqnSvGj8hV5eZlPb";
  for (const std::string between : {"\n", "\r\n", "\\n", "\n    "}) {
    for (const std::string before : {"", "a", "ab"}) {
      Masks masks;
      masks.add(first + "\n" + second);
      std::string shown;
      Masker masker(std::move(masks), [&](std::string_view bytes) { shown += bytes; });
      masker.feed(berth::support::base64_encode(before + first + between + second + " and more"));
      masker.flush();
      // What shares a digit with its neighbours is shown.
      CHECK(shown.find("[MASKED]") != std::string::npos);
      CHECK(shown.size() < 2 * std::string("[MASKED]").size() + 36);
    }
  }
}
