#include "executor/kubernetes/api/exec_channels.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

using namespace berth;
using namespace berth::kubernetes;

namespace {

struct Channels {
  ChannelDemux demux;
  std::string output;
  std::string errors;

  void feed(std::string_view piece, bool end) {
    demux.feed(piece, end, [this](ExecChannel channel, std::string_view bytes) {
      (channel == ExecChannel::output ? output : errors) += bytes;
    });
  }
};

std::string failure(const std::string& reason, const std::string& message,
                    nlohmann::json causes = nlohmann::json::array()) {
  return tests::status_json(500, reason, message, {{"causes", std::move(causes)}});
}

}  // namespace

TEST_CASE("Messages are told apart by their first byte, however they are cut") {
  const std::vector<std::string> messages{
      std::string("\1", 1),        "\1hello ", std::string("\3", 1), "\2oops", "\1you",
      "\3{\"status\":\"Success\"}"};
  for (std::size_t size = 1; size < 30; ++size) {
    Channels channels;
    for (const std::string& message : messages) {
      CHECK_FALSE(channels.demux.has_status());
      for (std::size_t at = 0; at < message.size(); at += size)
        channels.feed(std::string_view(message).substr(at, size), at + size >= message.size());
    }
    CHECK(channels.output == "hello you");
    CHECK(channels.errors == "oops");
    CHECK(channels.demux.has_status());
    CHECK(channels.demux.status() == "{\"status\":\"Success\"}");
  }
}

TEST_CASE("Empty messages and closed channels mean nothing") {
  Channels channels;
  channels.feed("", true);
  channels.feed("\xff\x01", true);
  channels.feed("\1x", true);
  CHECK(channels.output == "x");
}

TEST_CASE("Messages that break the protocol are refused") {
  Channels channels;
  CHECK_THROWS_AS(channels.feed("\x09x", true), ChannelError);
  Channels other;
  CHECK_THROWS_AS(other.feed("\3" + std::string(70000, 'x'), false), ChannelError);
}

TEST_CASE("The status says how the program ended") {
  CHECK(read_exec_result(R"({"status":"Success"})").exit_code == 0);
  const ExecResult failed = read_exec_result(failure(
      "NonZeroExitCode", "command terminated with non-zero exit code",
      {{{"reason", "Other"}, {"message", "1"}}, {{"reason", "ExitCode"}, {"message", "137"}}}));
  CHECK(failed.exit_code == 137);
  const ExecResult lost =
      read_exec_result(failure("InternalError", "container not found (\"build\")"));
  CHECK_FALSE(lost.exit_code.has_value());
  CHECK(lost.message == "container not found (\"build\")");
  CHECK(lost.code == 500);
  CHECK_FALSE(read_exec_result(
                  failure("NonZeroExitCode", "x", {{{"reason", "ExitCode"}, {"message", "many"}}}))
                  .exit_code.has_value());
  CHECK(read_exec_result("plain words").message == "plain words");
  CHECK(read_exec_result("").message == "the server did not say how the program ended");
}
