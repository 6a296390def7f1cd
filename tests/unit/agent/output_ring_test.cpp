#include "agent/output_ring.hpp"

#include "tests/support/catch.hpp"

#include <cstring>
#include <string>

using berth::agent::OutputRing;

namespace {

std::size_t put(OutputRing& ring, std::string_view text) {
  const auto space = ring.space(text.size());
  std::memcpy(space[0].iov_base, text.data(), space[0].iov_len);
  std::memcpy(space[1].iov_base, text.data() + space[0].iov_len, space[1].iov_len);
  const std::size_t count = space[0].iov_len + space[1].iov_len;
  ring.fill(count);
  return count;
}

std::string all(const OutputRing& ring) {
  std::string text;
  while (ring.begin() + text.size() < ring.end()) text += ring.at(ring.begin() + text.size(), 3);
  return text;
}

}  // namespace

TEST_CASE("the ring holds what was not forgotten, across its seam") {
  OutputRing ring(8);
  REQUIRE(put(ring, "abcdef") == 6);
  ring.forget(4);
  REQUIRE(put(ring, "ghijklmn") == 6);
  REQUIRE(ring.room() == 0);
  REQUIRE(all(ring) == "efghijkl");
  REQUIRE(ring.at(7, 100) == "h");  // up to the seam
  REQUIRE(ring.at(8, 100) == "ijkl");
  ring.forget(12);
  REQUIRE(ring.room() == 8);
  REQUIRE(put(ring, "12345678") == 8);
  REQUIRE(ring.begin() == 12);
  REQUIRE(ring.at(12, 100) == "12345678");  // an empty ring starts at its front
}

TEST_CASE("any pattern of writes and acknowledgements keeps every byte") {
  OutputRing ring(61);
  std::string expected;
  std::string seen;
  char next = 0;
  for (std::size_t step = 1; step < 5000; ++step) {
    std::string text;
    for (std::size_t i = 0; i < step % 23; ++i) text += next++;
    expected += text.substr(0, put(ring, text));
    if (expected.size() != ring.end()) FAIL("the ring counts otherwise");
    next = expected.empty() ? char{0} : static_cast<char>(expected.back() + 1);
    const std::uint64_t until = ring.begin() + (ring.end() - ring.begin()) * (step % 4) / 3;
    if (step % 4 == 3 || until <= ring.end()) {
      const std::string held = all(ring);
      const std::size_t count =
          static_cast<std::size_t>(std::min(until, ring.end()) - ring.begin());
      seen += held.substr(0, count);
      ring.forget(ring.begin() + count);
    }
  }
  seen += all(ring);
  REQUIRE(seen == expected);
  REQUIRE(expected.size() > 20000);
}
