// How fast the masker lets a job's output through, on one core: 200 patterns, the
// forms of a few secrets, in texts that hold none of them and in one that does.

#include "executor/masking/masker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using berth::masking::Masker;
using berth::masking::Masks;

namespace {

constexpr std::size_t k_patterns = 200;
constexpr std::size_t k_chunk = std::size_t{64} << 10U;
constexpr std::size_t k_text = std::size_t{16} << 20U;
constexpr int k_rounds = 16;
/// What issue and design promise, in megabytes a second.
constexpr double k_promised = 200;

std::string random_text(std::mt19937& random, std::string_view letters, std::size_t size) {
  std::string text;
  text.reserve(size);
  while (text.size() < size) text += letters[random() % letters.size()];
  return text;
}

constexpr std::string_view k_base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct Secrets {
  Masks masks{};
  std::vector<std::string> values{};
};

Secrets make_secrets(std::mt19937& random) {
  Secrets secrets;
  while (secrets.masks.patterns().size() < k_patterns) {
    secrets.values.push_back(random_text(random, k_base64, 64));
    secrets.masks.add(secrets.values.back());
  }
  return secrets;
}

std::string repeated(const std::function<std::string()>& line) {
  std::string text;
  while (text.size() < k_text) text += line();
  return text;
}

struct Text {
  std::string name;
  std::string bytes;
};

std::vector<Text> make_texts(std::mt19937& random, const Secrets& secrets) {
  const std::vector<std::string> words{"Compiling",
                                       "src/main.cpp",
                                       "warning:",
                                       "[ 42%]",
                                       "Linking",
                                       "target",
                                       "test",
                                       "ok",
                                       "in",
                                       "0.31s",
                                       "https://registry.example.com/v2/",
                                       "node_modules/left-pad"};
  const auto log_line = [&] {
    std::string line;
    for (unsigned i = 0; i < 4 + random() % 9; ++i) line += words[random() % words.size()] + " ";
    return line + "\n";
  };
  return {{"build log", repeated(log_line)},
          {"base64, wrapped", repeated([&] { return random_text(random, k_base64, 76) + "\n"; })},
          {"one long line", repeated([&] { return random_text(random, "abcdefghij ", 4096); })},
          {"a secret in 20 lines", repeated([&] {
             std::string line = log_line();
             if (random() % 20 == 0)
               line += secrets.values[random() % secrets.values.size()] + "\n";
             return line;
           })}};
}

double megabytes_a_second(const Masks& masks, std::string_view text, std::size_t& shown) {
  double best = 0;
  for (int round = 0; round < k_rounds; ++round) {
    shown = 0;
    Masker masker(masks, [&shown](std::string_view bytes) { shown += bytes.size(); });
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at < text.size(); at += k_chunk) masker.feed(text.substr(at, k_chunk));
    masker.flush();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(text.size()) / 1e6 / took.count());
  }
  return best;
}

}  // namespace

int main() {
  std::mt19937 random(1);
  const Secrets secrets = make_secrets(random);
  const auto begin = std::chrono::steady_clock::now();
  const Masker made(secrets.masks, [](std::string_view) {});
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{} patterns, ready in {:.2f} ms; the best of {} rounds over {} MiB\n\n",
             secrets.masks.patterns().size(), took.count(), k_rounds, k_text >> 20U);
  bool good = true;
  for (const Text& text : make_texts(random, secrets)) {
    std::size_t shown = 0;
    const double speed = megabytes_a_second(secrets.masks, text.bytes, shown);
    good = good && speed >= k_promised;
    fmt::print("{:<22} {:>7.0f} MB/s\n", text.name, speed);
  }
  fmt::print("\n{} the {:.0f} MB/s that are promised\n", good ? "above" : "BELOW", k_promised);
  return EXIT_SUCCESS;
}
