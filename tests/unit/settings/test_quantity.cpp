#include "executor/settings/quantity.hpp"
#include "tests/support/catch.hpp"

using berth::settings::Quantity;

namespace {

Quantity q(const char* text) {
  INFO(text);
  const auto quantity = Quantity::parse(text);
  REQUIRE(quantity);
  return *quantity;
}

}  // namespace

TEST_CASE("quantity: the same amount in other words") {
  CHECK(q("1") == q("1000m"));
  CHECK(q("1") == q("1."));
  CHECK(q(".5") == q("500m"));
  CHECK(q("+0.5") == q("0.500"));
  CHECK(q("1k") == q("1e3"));
  CHECK(q("1k") == q("1E3"));
  CHECK(q("1k") == q("1e+3"));
  CHECK(q("1") == q("1000e-3"));
  CHECK(q("1E") == q("1e18"));
  CHECK(q("1Ki") == q("1024"));
  CHECK(q("1.5Gi") == q("1536Mi"));
  CHECK(q("1Ei") == q("1024Pi"));
  CHECK(q("2000u") == q("2m"));
  CHECK(q("1000n") == q("1u"));
  CHECK(q("0") == q("-0"));
  CHECK(q("0") == q("0e1000"));
}

TEST_CASE("quantity: order") {
  CHECK(q("1500m") < q("2"));
  CHECK(q("1G") < q("1Gi"));
  CHECK(q("-1") < q("0"));
  CHECK(q("-2Gi") < q("-1Gi"));
  CHECK(q("7Ei") < q("8Ei"));
  // Beyond what a double tells apart.
  CHECK(q("9007199254740993") > q("9007199254740992"));
  CHECK(q("1Gi") < q("1073741824.000000001"));
}

TEST_CASE("quantity: finer than a billionth is rounded away from zero") {
  CHECK(q("0.1n") == q("1n"));
  CHECK(q("1.0000000001") == q("1000000001n"));
  CHECK(q("-0.1n") == q("-1n"));
  CHECK(q("1e-1000") == q("1n"));
}

TEST_CASE("quantity: what is none") {
  for (const char* text :
       {"",    " ",     "-",   "+",    ".",  "m",   "Gi",    "1 Gi",         "1gi",
        "1GI", "1K",    "1ki", "1mm",  "1e", "1e+", "1e+-3", "1e3m",         "0x10",
        "1,5", "1.2.3", "--1", "1Gi ", " 1", "inf", "nan",   "1e99999999999"}) {
    INFO(text);
    CHECK_FALSE(Quantity::parse(text));
  }
  CHECK_FALSE(Quantity::parse("1e1000"));
  CHECK_FALSE(Quantity::parse(std::string(60, '9')));
  CHECK_FALSE(Quantity::parse("999999999999999999Ei"));
}
