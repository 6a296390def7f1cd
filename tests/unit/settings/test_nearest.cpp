#include "executor/settings/nearest.hpp"
#include "tests/support/catch.hpp"

#include <string>

using berth::settings::nearest;

TEST_CASE("nearest: the key that was meant") {
  const std::vector<std::string_view> keys{"image", "helper_image", "pull_policy", "privileged",
                                           "dns",   "user",         "memory"};
  CHECK(nearest("imgae", keys) == "image");
  CHECK(nearest("pul_policy", keys) == "pull_policy");
  CHECK(nearest("pull-policy", keys) == "pull_policy");
  CHECK(nearest("previleged", keys) == "privileged");
  CHECK(nearest("helperimage", keys) == "helper_image");
  CHECK(nearest("Image", keys) == "image");
}

TEST_CASE("nearest: nothing is better than a wild guess") {
  CHECK(nearest("kubernetes", {"image", "dns"}).empty());
  CHECK(nearest("xyz", {"dns"}).empty());
  CHECK(nearest("a", {}).empty());
  CHECK(nearest(std::string(100000, 'x'), {"image"}).empty());
}
