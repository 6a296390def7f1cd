#include "executor/masking/stage_secrets.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace berth;
using masking::decode_stage_secrets;
using masking::StageSecrets;
using support::Secret;

TEST_CASE("a stage's secrets come back as they were") {
  StageSecrets secrets;
  CHECK(decode_stage_secrets(encode(secrets).expose()) == secrets);
  secrets.secrets = {Secret("one"), Secret(std::string("\0\n", 2)), Secret("")};
  secrets.requested = {Secret("two")};
  secrets.changes = {{.from = Secret("a\nb"), .to = Secret("ab")},
                     {.from = Secret("c"), .to = Secret("d")}};
  CHECK(decode_stage_secrets(encode(secrets).expose()) == secrets);
}

TEST_CASE("more than a stage can look for is no stage's secrets") {
  StageSecrets secrets;
  secrets.secrets.assign(2 * masking::k_max_secrets, Secret("12345678"));
  CHECK(decode_stage_secrets(encode(secrets).expose()));
  secrets.secrets.push_back(Secret("x"));
  CHECK_FALSE(decode_stage_secrets(encode(secrets).expose()));
  secrets.secrets = {Secret(std::string(2 * masking::k_max_secret_bytes, 'x'))};
  CHECK(decode_stage_secrets(encode(secrets).expose()));
  secrets.requested = {Secret(std::string(2 * masking::k_max_secret_bytes + 1, 'x'))};
  CHECK_FALSE(decode_stage_secrets(encode(secrets).expose()));
}

TEST_CASE("bytes of another form are no stage's secrets") {
  StageSecrets secrets;
  secrets.secrets = {Secret("one")};
  secrets.changes = {{.from = Secret("from"), .to = Secret("to")}};
  const std::string good(encode(secrets).expose());
  // At the end of a part it is a whole note of fewer parts.
  const std::size_t whole = good.find('f');
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto cut = decode_stage_secrets(std::string_view(good).substr(0, size));
    REQUIRE(cut.has_value() == (size == whole || size == good.find('s')));
  }
  CHECK_FALSE(decode_stage_secrets(good + "x"));
  CHECK_FALSE(decode_stage_secrets("x" + good));
  std::string swapped = good;
  swapped[whole] = 't';
  CHECK_FALSE(decode_stage_secrets(swapped));
  std::string huge = good;
  huge[whole + 1] = '\x7f';
  CHECK_FALSE(decode_stage_secrets(huge));
}
