#include "executor/core/volume.hpp"
#include "tests/support/catch.hpp"

using namespace berth::core;

TEST_CASE("volumes: entries of the settings") {
  CHECK(parse_volume("/cache") == VolumeEntry{"", "/cache", ""});
  CHECK(parse_volume("/a//b/") == VolumeEntry{"", "/a/b", ""});
  CHECK(parse_volume("/srv:/data") == VolumeEntry{"/srv", "/data", ""});
  CHECK(parse_volume("/srv:/data:ro") == VolumeEntry{"/srv", "/data", "ro"});
  CHECK(parse_volume("/srv:/data:ro,z") == VolumeEntry{"/srv", "/data", "ro,z"});
  CHECK(parse_volume("named:/data:rw") == VolumeEntry{"named", "/data", "rw"});
}

TEST_CASE("volumes: what is none") {
  for (const char* text : {"", "cache", "/", "/srv:/", "/srv:data", ":/data", "/srv:/data:fast",
                           "/srv:/data:", "/data:ro", "rel/ative:/data", "/a/../b", "/a/..",
                           "/x/../etc:/data", "a:b:/c", "/a:/b:/c"}) {
    INFO(text);
    CHECK_FALSE(parse_volume(text).has_value());
  }
}
