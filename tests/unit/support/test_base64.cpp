#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"

using namespace berth::support;

TEST_CASE("base64: the vectors of RFC 4648") {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
}

TEST_CASE("base64: every byte value survives, in both alphabets") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t cut = 0; cut < 3; ++cut) {
    const std::string part = bytes.substr(cut);
    CHECK(base64_decode(base64_encode(part)) == part);
    CHECK(base64_decode(base64url_encode(part)) == part);
  }
  CHECK(base64_encode("\xfb\xff") == "+/8=");
  CHECK(base64url_encode("\xfb\xff") == "-_8=");
}

TEST_CASE("base64: what people paste into variables is accepted") {
  CHECK(base64_decode("Zm9v\nYmFy\r\n") == "foobar");
  CHECK(base64_decode("  Zm 9v\tYg==\n") == "foob");
  CHECK(base64_decode("Zm8") == "fo");
  CHECK(base64_decode("Zg") == "f");
  CHECK(base64_decode("Zg=\n=") == "f");
}

TEST_CASE("base64: what is not base64 is refused") {
  for (const char* text : {"Z", "Zm9vY", "Zg=", "Zg===", "Zm9v=", "=", "Zg==Zg==", "Zm9v!",
                           "+_8=", "Zh==", "Zm9=", "{\"auths\":{}}"}) {
    INFO(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}
