#include "agent/protocol/frames.hpp"

#include "agent/protocol/tunnel.hpp"
#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace berth::protocol;

namespace {

const StageId k_id{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};

std::vector<DriverMessage> driver_messages() {
  return {Start{.id = k_id,
                .umask = 0022,
                .shells = {"/bin/bash", "/bin/sh"},
                .env = {"A=b", ""},
                .script = std::string("echo \0 hi\n", 10)},
          Start{},
          Attach{.id = k_id, .offset = 0x0102030405060708},
          Ack{.offset = 77},
          Signal{.number = 9},
          Probe{.tag = 3,
                .deadline_ms = 30000,
                .interval_ms = 20,
                .targets = {{ProbeKind::tcp, "10.0.0.1", 5432, ""},
                            {ProbeKind::http, "fd00::1", 80, "/ready"}}},
          Put{.tag = 4, .path = "/a/b", .mode = 0400, .uid = 5, .gid = 6, .bytes = "content"},
          Get{.tag = 5, .path = "/a/b"},
          Pong{}};
}

std::vector<AgentMessage> agent_messages() {
  return {Hello{.nonce = k_id, .uid = 1000, .gid = 100, .arch = "x86_64", .shells = {"/bin/sh"}},
          Started{.id = k_id, .state = StageState::finished, .offset = 12},
          Output{.offset = 1u << 31, .bytes = std::string(70000, 'x')},
          Exit{.id = k_id, .kind = ExitKind::signalled, .status = 9, .oom_kills = 2, .length = 99},
          Refused{.reason = RefusalReason::bad_frame, .text = "words"},
          Probed{.tag = 3, .index = 1, .answered = true, .text = ""},
          FileReply{.tag = 4, .error = 13, .bytes = "x"},
          Ping{}};
}

template <typename Message>
std::string encode_all(const std::vector<Message>& messages) {
  std::string bytes;
  for (const auto& message : messages) bytes += encode(message);
  return bytes;
}

template <typename Message>
std::vector<Message> decode_in_chunks(const std::string& bytes, std::size_t chunk) {
  Decoder<Message> decoder(k_max_agent_payload);
  std::vector<Message> messages;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    decoder.feed(std::string_view(bytes).substr(at, chunk));
    while (auto message = decoder.next()) messages.push_back(std::move(*message));
  }
  return messages;
}

template <typename Message>
void require_round_trip(const std::vector<Message>& messages) {
  const std::string bytes = encode_all(messages);
  for (const std::size_t chunk :
       {std::size_t{1}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    REQUIRE(decode_in_chunks<Message>(bytes, chunk) == messages);
  }
}

template <typename Message>
void require_truncation_refused(const std::vector<Message>& messages) {
  for (const auto& message : messages) {
    const std::string frame = encode(message);
    const std::size_t payload = frame.size() - 5;
    if (payload == 0 || payload > 4096) continue;
    for (std::size_t kept = 0; kept < payload; ++kept) {
      std::string shorter = frame.substr(0, 5 + kept);
      shorter[1] = shorter[2] = 0;
      shorter[3] = static_cast<char>(kept >> 8);
      shorter[4] = static_cast<char>(kept & 0xff);
      Decoder<Message> decoder(k_max_agent_payload);
      decoder.feed(shorter);
      REQUIRE_THROWS_AS(decoder.next(), FrameError);
    }
  }
}

}  // namespace

TEST_CASE("every message survives its frame, whatever the chunks") {
  require_round_trip(driver_messages());
  require_round_trip(agent_messages());
}

TEST_CASE("a frame shorter than its fields is refused") {
  require_truncation_refused(driver_messages());
  require_truncation_refused(agent_messages());
}

TEST_CASE("a frame longer than its fields is refused") {
  std::string frame = encode(DriverMessage{Pong{}});
  frame[4] = 1;
  frame += 'x';
  DriverDecoder decoder(100);
  decoder.feed(frame);
  REQUIRE_THROWS_AS(decoder.next(), FrameError);
}

TEST_CASE("an announced length above the limit is refused before its bytes arrive") {
  std::string frame = encode(AgentMessage{Output{.offset = 0, .bytes = std::string(200, 'x')}});
  AgentDecoder decoder(100);
  decoder.feed(frame.substr(0, 5));
  REQUIRE_THROWS_AS(decoder.next(), FrameError);
}

TEST_CASE("a frame of the other direction is refused at its first byte") {
  AgentDecoder at_driver(1000);
  at_driver.feed(encode(DriverMessage{Ack{}}).substr(0, 1));
  REQUIRE_THROWS_AS(at_driver.next(), FrameError);
  DriverDecoder at_agent(1000);
  at_agent.feed(encode(AgentMessage{Ping{}}).substr(0, 1));
  REQUIRE_THROWS_AS(at_agent.next(), FrameError);
}

TEST_CASE("a count that the frame cannot hold asks for no memory") {
  std::string frame = encode(DriverMessage{Start{}});
  // The count of shells stands behind id and umask.
  for (std::size_t at = 5 + 16 + 4; at < 5 + 16 + 8; ++at) frame[at] = static_cast<char>(0xff);
  DriverDecoder decoder(1000);
  decoder.feed(frame);
  REQUIRE_THROWS_AS(decoder.next(), FrameError);
}

TEST_CASE("an enumeration outside its values is refused") {
  std::string frame = encode(AgentMessage{Started{}});
  frame[5 + 16] = 2;
  AgentDecoder decoder(1000);
  decoder.feed(frame);
  REQUIRE_THROWS_AS(decoder.next(), FrameError);
}

TEST_CASE("the bytes on the wire stay what older agents and drivers read") {
  REQUIRE(encode(DriverMessage{Ack{.offset = 0x0102}}) ==
          std::string("\x03\0\0\0\x08\0\0\0\0\0\0\x01\x02", 13));
  REQUIRE(encode(DriverMessage{Get{.tag = 7, .path = "/a"}}) ==
          std::string("\x07\0\0\0\x0a\0\0\0\x07\0\0\0\x02/a", 15));
  REQUIRE(encode(DriverMessage{Pong{}}) == std::string("\x08\0\0\0\0", 5));
  REQUIRE(encode(AgentMessage{Refused{.reason = RefusalReason::busy, .text = "x"}}) ==
          std::string("\x85\0\0\0\x06\x03\0\0\0\x01x", 11));
  REQUIRE(encode(AgentMessage{Ping{}}) == std::string("\x88\0\0\0\0", 5));
}

TEST_CASE("a boolean that is neither is refused") {
  std::string frame =
      encode(AgentMessage{Probed{.tag = 0, .index = 0, .answered = true, .text = ""}});
  frame[5 + 8] = 2;
  AgentDecoder decoder(1000);
  decoder.feed(frame);
  REQUIRE_THROWS_AS(decoder.next(), FrameError);
}

TEST_CASE("a tunnel's frames come out as they went in, whatever the chunks") {
  const std::vector<TunnelFrame> frames{
      {.kind = TunnelKind::ready},
      {.kind = TunnelKind::open, .connection = 1},
      {.kind = TunnelKind::data,
       .connection = 0x01020304,
       .bytes = std::string(k_max_tunnel_bytes, 'x')},
      {.kind = TunnelKind::close, .connection = 7, .bytes = "why"}};
  std::string stream;
  for (const auto& frame : frames) stream += encode(frame);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{8}, std::size_t{9}, stream.size()}) {
    TunnelDecoder decoder;
    std::vector<TunnelFrame> seen;
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      decoder.feed(std::string_view(stream).substr(at, chunk));
      while (auto frame = decoder.next()) seen.push_back(std::move(*frame));
    }
    CHECK((seen == frames));
  }
}

TEST_CASE("what cannot be a tunnel's frame is refused before its bytes are here") {
  TunnelDecoder too_long;
  too_long.feed(std::string_view("\x01\x00\x01\x00\x02\x00\x00\x00\x00", 9));
  CHECK_THROWS_AS(too_long.next(), FrameError);
  TunnelDecoder unknown;
  unknown.feed(std::string_view("\x00\x00\x00\x00\x04\x00\x00\x00\x00", 9));
  CHECK_THROWS_AS(unknown.next(), FrameError);
}
