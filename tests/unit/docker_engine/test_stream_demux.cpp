#include "executor/docker/engine/stream_demux.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using docker::OutputStream;

namespace {

std::string frame(char stream, const std::string& payload) {
  std::string bytes{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes += static_cast<char>(payload.size() >> shift & 0xff);
  return bytes + payload;
}

}  // namespace

TEST_CASE("frames come apart at every cut") {
  const std::string bytes = frame(1, "out") + frame(2, "err") + frame(1, "") +
                            frame(1, std::string(300, 'x')) + frame(3, "sys");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    std::string output, errors, engine;
    docker::StreamDemux demux;
    const auto sink = [&](OutputStream stream, std::string_view piece) {
      (stream == OutputStream::output   ? output
       : stream == OutputStream::errors ? errors
                                        : engine) += piece;
    };
    demux.feed(std::string_view(bytes).substr(0, cut), sink);
    demux.feed(std::string_view(bytes).substr(cut), sink);
    REQUIRE(output == "out" + std::string(300, 'x'));
    REQUIRE(errors == "err");
    REQUIRE(engine == "sys");
    REQUIRE(demux.at_boundary());
  }
}

TEST_CASE("the end inside a frame is noticed") {
  docker::StreamDemux demux;
  demux.feed(frame(1, "abc").substr(0, 10), [](OutputStream, std::string_view) {});
  CHECK_FALSE(demux.at_boundary());
}

TEST_CASE("bytes that are no frames are refused") {
  for (const std::string& bytes : {std::string("\4\0\0\0\0\0\0\1", 8), std::string("hello, world"),
                                   std::string("\1\0\0\1\0\0\0\1", 8)}) {
    docker::StreamDemux demux;
    CHECK_THROWS_AS(demux.feed(bytes, [](OutputStream, std::string_view) {}), docker::DemuxError);
  }
}
