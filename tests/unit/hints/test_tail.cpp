#include "executor/hints/tail.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace berth;
using hints::Tail;

TEST_CASE("a tail is the end of all that came, whatever the pieces") {
  std::string all;
  for (int i = 0; all.size() < 5 * Tail::k_kept; ++i) all += std::to_string(i) + ' ';
  const std::string end = all.substr(all.size() - Tail::k_kept);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096},
                                  Tail::k_kept - 1, Tail::k_kept, 2 * Tail::k_kept, all.size()}) {
    INFO(piece);
    Tail tail;
    for (std::size_t at = 0; at < all.size(); at += piece)
      tail.add(std::string_view(all).substr(at, piece));
    CHECK(tail.text() == end);
  }
}

TEST_CASE("a short stream is kept whole") {
  Tail tail;
  CHECK(tail.text().empty());
  tail.add("a");
  tail.add("");
  tail.add("bc");
  CHECK(tail.text() == "abc");
}
