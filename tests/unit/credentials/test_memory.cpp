// What hostile values make the decoder and the parsers behind it allocate.

#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/credentials/samples.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

std::atomic<std::size_t> g_held{0};
std::atomic<std::size_t> g_peak{0};

void* counted(std::size_t size) {
  void* memory = std::malloc(size);  // NOLINT: this is the allocator
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t now = g_held += malloc_usable_size(memory);
  if (now > g_peak) g_peak = now;
  return memory;
}

void uncounted(void* memory) noexcept {
  if (memory != nullptr) g_held -= malloc_usable_size(memory);
  std::free(memory);  // NOLINT
}

template <typename Action>
std::size_t peak_of(Action action) {
  const std::size_t before = g_held;
  g_peak = before;
  action();
  return g_peak - before;
}

std::string repeated(std::string_view text, std::size_t size) {
  std::string result;
  while (result.size() < size) result += text;
  return result;
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  uncounted(memory);
}
void operator delete[](void* memory) noexcept {
  uncounted(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  uncounted(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  uncounted(memory);
}

using namespace berth::credentials;
using namespace berth::credentials::test;
using berth::support::base64_encode;

TEST_CASE("no value makes the decoder hold more than sixteen times its size") {
  constexpr std::size_t k_size = 60000;
  std::vector<std::string> contents{
      "{\"auths\":" + repeated("[],", k_size),
      "{\"auths\":[" + repeated("[],", k_size) + "[]]}",
      "{\"auths\":" + repeated("{\"a\":", k_size),
      "{\"auths\":{" + repeated("\"aaaaaaaaaaaa\":{},", k_size) + "\"b\":{}}}",
      "clusters: [" + repeated("a,", k_size) + "]\ncontexts: []\n",
      "clusters: []\ncontexts:\n" + repeated("- a\n", k_size),
      "clusters: " + repeated("[", k_size),
      "clusters: &a [x]\ncontexts: [" + repeated("*a,", k_size) + "]\n",
      "machine a login b " + repeated("password c ", k_size),
      "machine a login b " + repeated("machine c ", k_size),
      "[a]\naws_access_key_id=x\n" + repeated("[b]\n", k_size),
      "[a]\naws_access_key_id=x\n" + repeated("x\n", k_size),
      "//a/:_auth=b\n" + repeated("//a/:_auth=b\n", k_size),
      repeated("-----BEGIN A-----\nAAAA\n-----END A-----\n", k_size),
      "eyJ" + repeated("a", k_size) + ".b.c",
      repeated("=", k_size),
      repeated("41", k_size),
      repeated("A", k_size),
  };
  for (const Sample& sample : samples()) contents.push_back(sample.text);
  for (const std::string& content : contents) {
    for (const std::string& value :
         {content, base64_encode(content), base64_encode(base64_encode(content)), gzipped(content),
          base64_encode(gzipped(content)), hex(content), hex(hex(content)),
          "data:a;base64," + base64_encode(base64_encode(content))}) {
      INFO(content.substr(0, 40) << ", " << value.size() << " bytes");
      CHECK(peak_of([&] { decode(value); }) <= 16 * value.size() + (64U << 10U));
      CHECK(peak_of([&] { examine(value, k_today); }) <= 16 * value.size() + (1U << 20U));
    }
  }
}
