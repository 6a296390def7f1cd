// Every type of credential by every damage that a CI variable does to it.

#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/credentials/samples.hpp"

#include <algorithm>
#include <functional>
#include <random>

using namespace berth::credentials;
using namespace berth::credentials::test;
using berth::support::base64_encode;
using berth::support::base64url_encode;

namespace {

struct Damage {
  std::string name;
  std::function<std::string(const std::string&)> apply;
};

std::string unpadded(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  return text;
}

/// What a tolerant reader takes back whole.
const std::vector<Damage>& harmless() {
  static const std::vector<Damage> all{
      {"raw", [](const std::string& text) { return text; }},
      {"raw, CRLF",
       [](const std::string& text) {
         std::string result;
         for (const char c : text) result += c == '\n' ? "\r\n" : std::string(1, c);
         return result;
       }},
      {"raw, byte order mark", [](const std::string& text) { return "\xef\xbb\xbf" + text; }},
      {"raw, in quotes", [](const std::string& text) { return "'" + text + "'"; }},
      {"one line", [](const std::string& text) { return base64_encode(text); }},
      {"no final newline",
       [](const std::string& text) { return base64_encode(text.substr(0, text.size() - 1)); }},
      {"trailing newline", [](const std::string& text) { return base64_encode(text) + "\n"; }},
      {"blanks around",
       [](const std::string& text) { return " \t" + base64_encode(text) + "\r\n "; }},
      {"wrapped at 64", [](const std::string& text) { return wrapped(base64_encode(text), 64); }},
      {"wrapped at 76", [](const std::string& text) { return wrapped(base64_encode(text), 76); }},
      {"wrapped, CRLF",
       [](const std::string& text) { return wrapped(base64_encode(text), 76, "\r\n"); }},
      {"wrapped, blanks for line ends",
       [](const std::string& text) { return wrapped(base64_encode(text), 76, " "); }},
      {"URL-safe", [](const std::string& text) { return base64url_encode(text); }},
      {"unpadded", [](const std::string& text) { return unpadded(base64_encode(text)); }},
      {"URL-safe, unpadded, wrapped",
       [](const std::string& text) { return wrapped(unpadded(base64url_encode(text)), 76); }},
      {"encoded twice", [](const std::string& text) { return base64_encode(base64_encode(text)); }},
      {"encoded twice, wrapped twice",
       [](const std::string& text) {
         return wrapped(base64_encode(wrapped(base64_encode(text), 76) + "\n"), 76) + "\n";
       }},
      {"byte order mark within",
       [](const std::string& text) { return base64_encode("\xef\xbb\xbf" + text); }},
      {"in quotes", [](const std::string& text) { return "\"" + base64_encode(text) + "\""; }},
      {"gzip", [](const std::string& text) { return base64_encode(gzipped(text)); }},
      {"gzip raw", [](const std::string& text) { return gzipped(text); }},
      {"gzip of base64",
       [](const std::string& text) { return base64_encode(gzipped(base64_encode(text))); }},
      {"hex", [](const std::string& text) { return hex(text); }},
      {"hex, wrapped", [](const std::string& text) { return wrapped(hex(text), 60) + "\n"; }},
      {"hex of base64", [](const std::string& text) { return hex(base64_encode(text)); }},
      {"data: URI",
       [](const std::string& text) {
         return "data:application/octet-stream;base64," + base64_encode(text);
       }},
  };
  return all;
}

/// No piece of a secret that tells anything.
void check_silence(const Sample& sample, const std::string& message) {
  constexpr std::size_t k_piece = 6;
  for (const std::string& secret : sample.secrets)
    for (std::size_t at = 0; at + k_piece <= secret.size(); ++at)
      if (message.find(secret.substr(at, k_piece)) != std::string::npos)
        FAIL_CHECK(sample.name << " shows a secret: " << message);
}

}  // namespace

TEST_CASE("every credential is known by its content, however it was encoded") {
  for (const Sample& sample : samples()) {
    const Finding raw = examine(sample.text, k_today);
    INFO(sample.name << ": " << raw.diagnosis());
    REQUIRE(raw.verdict == Verdict::valid);
    CHECK(raw.credential->type == sample.type);
    CHECK(!raw.credential->subject.empty());
    for (const Damage& damage : harmless()) {
      const Finding finding = examine(damage.apply(sample.text), k_today);
      INFO(damage.name << ": " << finding.diagnosis());
      CHECK(finding.verdict == Verdict::valid);
      if (!finding.credential) continue;
      CHECK(finding.credential->type == sample.type);
      CHECK(finding.credential->content == raw.credential->content);
      CHECK(finding.credential->secrets == raw.credential->secrets);
      check_silence(sample, finding.diagnosis());
    }
  }
}

TEST_CASE("what is secret in a credential is among its parts") {
  for (const Sample& sample : samples()) {
    const Finding finding = examine(sample.text, k_today);
    for (const std::string& secret : sample.secrets) {
      INFO(sample.name);
      REQUIRE(finding.credential);
      CHECK(std::ranges::any_of(finding.credential->secrets, [&](const auto& part) {
        return part.expose().find(secret) != std::string_view::npos;
      }));
    }
  }
}

TEST_CASE("an encoding that is cut within a group is told as cut") {
  for (const Sample& sample : samples()) {
    const std::string whole = base64_encode(sample.text);
    for (const unsigned percent : {70U, 85U, 95U}) {
      const std::size_t at = whole.size() * percent / 100 / 4 * 4 + 1;
      for (const std::string& text : {whole.substr(0, at), wrapped(whole.substr(0, at), 76)}) {
        const Finding finding = examine(text, k_today);
        INFO(sample.name << " cut at " << percent << "%: " << finding.diagnosis());
        CHECK(finding.verdict == Verdict::truncated);
        CHECK(!finding.credential);
        check_silence(sample, finding.diagnosis());
      }
    }
    const std::string packed = gzipped(sample.text);
    const Finding finding = examine(packed.substr(0, packed.size() - 9), k_today);
    INFO(sample.name << ", gzip: " << finding.diagnosis());
    CHECK(finding.verdict == Verdict::truncated);
  }
}

TEST_CASE("a file that is cut anywhere is never whole") {
  for (const Sample& sample : samples()) {
    if (!sample.cut_shows) continue;
    // From where its kind shows to before its last visible byte.
    const std::size_t step = std::max<std::size_t>(1, sample.text.size() / 97);
    for (std::size_t at = sample.text.size() / 2; at + 3 < sample.text.size(); at += step) {
      const Finding finding = examine(base64_encode(sample.text.substr(0, at)), k_today);
      INFO(sample.name << " cut at " << at << ": " << finding.diagnosis());
      // A chain that is cut between its blocks is a shorter chain.
      const bool shorter = finding.verdict == Verdict::valid &&
                           finding.credential->type == Type::certificates &&
                           finding.credential->content.expose().size() < sample.text.size();
      CHECK((shorter || finding.verdict == Verdict::truncated ||
             finding.verdict == Verdict::invalid));
      check_silence(sample, finding.diagnosis());
    }
  }
}

TEST_CASE("damage in the middle is told as damage") {
  for (const Sample& sample : samples()) {
    std::string text = base64_encode(sample.text);
    text.replace(text.size() * 3 / 4, 4, "!~!~");
    const Finding finding = examine(text, k_today);
    INFO(sample.name << ": " << finding.diagnosis());
    CHECK(finding.verdict == Verdict::garbage);
    CHECK(finding.fault == "other characters stand among the base64 digits");
    check_silence(sample, finding.diagnosis());

    std::string packed = gzipped(sample.text);
    packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 0x55);
    CHECK(examine(base64_encode(packed), k_today).verdict == Verdict::garbage);

    CHECK(examine(base64_encode(sample.text + "x") + base64_encode(sample.text), k_today).verdict !=
          Verdict::none);
  }
}

TEST_CASE("noise in a credential never passes unseen into a message") {
  std::mt19937 random(6);
  for (const Sample& sample : samples()) {
    for (int round = 0; round < 60; ++round) {
      std::string text = sample.text;
      for (int i = 0; i < 3; ++i)
        text[random() % text.size()] = static_cast<char>(' ' + random() % 95);
      const Finding finding = examine(base64_encode(text), k_today);
      check_silence(sample, finding.diagnosis());
    }
  }
}

TEST_CASE("what is no credential is none") {
  std::mt19937 random(7);
  std::string noise;
  for (int i = 0; i < 4000; ++i) noise += static_cast<char>(random());
  const std::vector<std::string> plain{
      "",
      " ",
      "password",
      "hello world",
      "true",
      "8080",
      "registry.example.com/group/image:1.2",
      "f47ac10b-58cc-4372-a567-0e02b2c3d479",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "glpat-abcdefghijklmnopqrst",
      base64_encode("hello world, this is a text of several words"),
      base64_encode(noise),
      hex(noise),
      noise,
      R"({"name":"app","version":"1.0.0"})",
      base64_encode(R"({"name":"app","version":"1.0.0"})"),
      R"({"name":)",
      "{}",
      "[]",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n",
      "[default]\nregion = eu\n",
      "machine learning is fun",
      "data:,hello",
      "data:text/plain;base64,aGVsbG8gd29ybGQh",
      "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END",
      std::string(100000, 'A'),
      std::string(100000, '=')};
  for (const std::string& text : plain) {
    const Finding finding = examine(text, k_today);
    INFO(text.substr(0, 60) << ": " << finding.diagnosis());
    CHECK((finding.verdict == Verdict::none ||
           (text.starts_with("-----BEGIN") && finding.verdict == Verdict::truncated)));
  }
  CHECK(examine(std::string(k_max_value + 1, 'A'), k_today).diagnosis() ==
        "not a credential; larger than 4 MiB");
}

TEST_CASE("two readings are told as such") {
  CHECK(examine(R"({"auths":{},"private_key":"x","client_email":"y"})", k_today).verdict ==
        Verdict::ambiguous);
  // Digits of the value 63 stand in it, one of them of the other alphabet.
  std::string text = base64_encode("#\xff\xff\xff\xff\xff\xff\n" + sample("kubeconfig").text);
  const std::size_t slash = text.find('/');
  REQUIRE(slash != std::string::npos);
  text[slash] = '_';
  REQUIRE(text.find_first_of("+/") != std::string::npos);
  CHECK(examine(text, k_today).verdict == Verdict::ambiguous);
}

TEST_CASE("a bomb is not unpacked") {
  const std::string bomb = gzipped("{\"auths\":" + std::string(3 << 20, ' ') + "{}}");
  CHECK(bomb.size() < 20000);
  for (const std::string& text : {bomb, base64_encode(bomb), hex(bomb)}) {
    const Finding finding = examine(text, k_today);
    CHECK(finding.verdict == Verdict::garbage);
    CHECK(finding.fault == "the gzip stream grows more than 8 times");
  }
}

TEST_CASE("whitespace damage is undone in one line, and only that") {
  for (const Sample& sample : samples()) {
    const std::string whole = base64_encode(sample.text);
    const auto line_of = [](const std::string& text) {
      return std::string(examine(text, k_today).one_line.expose());
    };
    INFO(sample.name);
    CHECK(line_of(wrapped(whole, 76)) == whole);
    CHECK(line_of(wrapped(whole, 64, "\r\n") + "\r\n") == whole);
    CHECK(line_of(wrapped(unpadded(base64url_encode(sample.text)), 76)) == whole);
    CHECK(line_of(whole).empty());
    CHECK(line_of(whole + "\n").empty());
    CHECK(line_of(sample.text).empty());
    CHECK(line_of(wrapped(whole.substr(0, whole.size() / 2 / 4 * 4 + 1), 76)).empty());
    // Twice encoded stays so: a script that decodes twice goes on working.
    CHECK(line_of(wrapped(base64_encode(whole), 76)) == base64_encode(whole));
  }
}
