// What Ruby's Psych 4 makes of plain words (tried with Ruby 3.1).
#include "cli/local/pipeline/yaml_scalar.hpp"
#include "tests/support/catch.hpp"

using namespace berth::local::pipeline;
using Kind = Value::Kind;

namespace {

struct Row {
  const char* text;
  Kind kind;
  const char* ruby;
};

const Row k_rows[] = {
    {"y", Kind::string, "y"},
    {"Y", Kind::string, "Y"},
    {"yes", Kind::boolean, "true"},
    {"yEs", Kind::boolean, "true"},
    {"oN", Kind::boolean, "true"},
    {"off", Kind::boolean, "false"},
    {"~", Kind::null, ""},
    {"nULL", Kind::null, ""},
    {"", Kind::null, ""},
    {"nil", Kind::string, "nil"},
    {"0755", Kind::integer, "493"},
    {"+0755", Kind::integer, "493"},
    {"0777_7", Kind::integer, "4095"},
    {"0,755", Kind::integer, "493"},
    {"00", Kind::integer, "0"},
    {"08", Kind::string, "08"},
    {"0800", Kind::string, "0800"},
    {"0o17", Kind::string, "0o17"},
    {"0b11", Kind::integer, "3"},
    {"0b2", Kind::string, "0b2"},
    {"0x1F", Kind::integer, "31"},
    {"-0x1F", Kind::integer, "-31"},
    {"0xfg", Kind::string, "0xfg"},
    {"1_000", Kind::integer, "1000"},
    {"1__0", Kind::string, "1__0"},
    {"1,000", Kind::integer, "1000"},
    {"1,,0", Kind::string, "1,,0"},
    {"1_", Kind::string, "1_"},
    {"-0", Kind::integer, "0"},
    {"+1", Kind::integer, "1"},
    {"12345678901234567890123", Kind::integer, "12345678901234567890123"},
    {"1e3", Kind::string, "1e3"},
    {"1.0e3", Kind::string, "1.0e3"},
    {"1.0e+3", Kind::real, "1000.0"},
    {"1.10", Kind::real, "1.1"},
    {"1.0", Kind::real, "1.0"},
    {"5.", Kind::real, "5.0"},
    {"+.5", Kind::real, "0.5"},
    {"1_0.5", Kind::real, "10.5"},
    {"1.5_0", Kind::string, "1.5_0"},
    {"1.2.3", Kind::string, "1.2.3"},
    {"-0.0", Kind::real, "-0.0"},
    {"0.0001", Kind::real, "0.0001"},
    {"0.00001", Kind::real, "1.0e-05"},
    {"123456789.123456789", Kind::real, "123456789.12345679"},
    {"1:30", Kind::integer, "5400"},
    {"1:60", Kind::string, "1:60"},
    {"-1:30", Kind::integer, "-1800"},
    {"1:30.5", Kind::real, "5430.0"},
    {"12:30:45", Kind::integer, "45045"},
    {"1:2:3:4", Kind::string, "1:2:3:4"},
    {".inf", Kind::real, "Infinity"},
    {"-.INF", Kind::real, "-Infinity"},
    {".NaN", Kind::real, "NaN"},
    {".", Kind::string, "."},
    {"-", Kind::string, "-"},
    {":foo", Kind::symbol, "foo"},
    {":\"foo\"", Kind::symbol, "foo"},
    {"2020-13-45", Kind::string, "2020-13-45"},
    {"debian:bookworm", Kind::string, "debian:bookworm"},
};

}  // namespace

TEST_CASE("plain scalars are what Psych makes of them") {
  for (const Row& row : k_rows) {
    INFO(row.text);
    const Scalar scalar = resolve_scalar(row.text);
    CHECK(scalar.kind == row.kind);
    CHECK(scalar.text == row.ruby);
    CHECK_FALSE(scalar.date);
  }
}

TEST_CASE("dates and times are known, for GitLab refuses them") {
  CHECK(resolve_scalar("2020-01-01").date);
  CHECK(resolve_scalar("2020-1-1").date);
  CHECK(resolve_scalar("2020-01-01T00:00:00Z").date);
  CHECK(resolve_scalar("2020-01-01 10:20:30").date);
  CHECK_FALSE(resolve_scalar("2020-01-01-release").date);
}

TEST_CASE("numbers are written as Ruby writes them") {
  CHECK(ruby_float(100) == "100.0");
  CHECK(ruby_float(1e15) == "1000000000000000.0");
  CHECK(ruby_float(1e16) == "1.0e+16");
  CHECK(ruby_float(1.5e20) == "1.5e+20");
  CHECK(ruby_float(123456789012345.6) == "123456789012345.6");
  CHECK(ruby_float(-0.25) == "-0.25");
  CHECK(ruby_float(5e-324) == "5.0e-324");
}
