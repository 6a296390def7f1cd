#include "executor/docker/engine/pull_report.hpp"
#include "tests/support/catch.hpp"

using namespace berth;

namespace {

const std::string k_report =
    "{\"status\":\"Pulling from library/debian\",\"id\":\"bookworm\"}\r\n"
    "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"aaa\"}\r\n"
    "{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"bbb\"}\r\n"
    "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":5000000,\"total\":20000000},"
    "\"progress\":\"[=>]\",\"id\":\"aaa\"}\r\n"
    "{\"status\":\"Status: Downloaded newer image for debian:bookworm\"}\r\n";

}  // namespace

TEST_CASE("a report is read in whatever pieces it comes") {
  for (std::size_t cut = 0; cut <= k_report.size(); ++cut) {
    std::vector<docker::PullProgress> lines;
    docker::PullReport report([&](const docker::PullProgress& line) { lines.push_back(line); });
    report.feed(std::string_view(k_report).substr(0, cut));
    report.feed(std::string_view(k_report).substr(cut));
    report.finish();
    REQUIRE(lines.size() == 5);
    CHECK(lines[3].id == "aaa");
    CHECK(lines[3].current == 5000000);
    CHECK(lines[3].total == 20000000);
    CHECK_FALSE(report.error().has_value());
  }
}

TEST_CASE("an error in the stream is found, with and without a last newline") {
  const std::string tail = GENERATE("", "\n");
  docker::PullReport report({});
  report.feed(
      k_report +
      R"({"errorDetail":{"code":401,"message":"unauthorized: no"},"error":"unauthorized: no"})" +
      tail);
  report.finish();
  CHECK(report.error() == "unauthorized: no");
  CHECK(report.error_code() == 401);
}

TEST_CASE("Podman's errors have no detail; a report that breaks off is an error too") {
  docker::PullReport podman({});
  podman.feed("{\"error\":\"initializing source\\ndocker://x\"}");
  podman.finish();
  CHECK(podman.error() == "initializing source docker://x");

  docker::PullReport cut({});
  cut.feed(k_report.substr(0, k_report.size() - 20));
  cut.finish();
  REQUIRE(cut.error().has_value());
  CHECK_THAT(*cut.error(), ContainsSubstring("ended in the middle"));

  docker::PullReport endless({});
  CHECK_THROWS_AS(endless.feed(std::string(2 << 20, 'x')), support::SystemError);
}

TEST_CASE("the summary counts layers and bytes") {
  docker::PullSummary summary;
  docker::PullReport report([&](const docker::PullProgress& line) { summary.add(line); });
  report.feed(k_report);
  CHECK(summary.text() == "1/2 layers, 5/20 MB");
  report.feed(
      "{\"status\":\"Download complete\",\"id\":\"aaa\"}\n{\"status\":\"Pull "
      "complete\",\"id\":\"aaa\"}\n");
  CHECK(summary.text() == "2/2 layers, 20/20 MB");
}

TEST_CASE("numbers that are none of a download's count for nothing") {
  docker::PullSummary summary;
  docker::PullReport report([&](const docker::PullProgress& line) { summary.add(line); });
  for (const char* total : {"-5000000", "18446744073709551615", "1.5"}) {
    report.feed(R"({"status":"Downloading","id":"a","progressDetail":{"total":)" +
                std::string(total) + "}}\n");
  }
  CHECK(summary.text() == "0/1 layers, 0/0 MB");
  for (const char* id : {"b", "c"}) {
    report.feed(R"({"status":"Downloading","id":")" + std::string(id) +
                R"(","progressDetail":{"total":9000000000000000000}})" + "\n");
  }
  CHECK(summary.text() == "0/3 layers, 0/18000000000000 MB");
}
