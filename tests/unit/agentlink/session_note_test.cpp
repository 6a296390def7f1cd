#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/fake_agent.hpp"

#include <cerrno>

/// What an agent keeps for a job's stages: read before one starts, changed behind it.

using namespace berth;
using namespace berth::tests;
using agentlink::run_stage;
using support::Secret;
using support::SystemError;

namespace {

class Note final : public core::StageNote {
 public:
  const std::string& name() const override { return m_name; }
  bool wanted() const override { return is_wanted; }
  void take(std::string_view bytes, std::string& script) override {
    taken.emplace_back(bytes);
    script += "# " + std::string(bytes);
  }
  std::optional<Secret> changed() override { return change; }
  void not_kept(std::string_view why) override { complaints.emplace_back(why); }

  bool is_wanted = true;
  std::optional<Secret> change{};
  std::vector<std::string> taken{};
  std::vector<std::string> complaints{};

 private:
  std::string m_name = "memory:name";
};

struct Fixture {
  Fixture() {
    request.note = &note;
    const auto stage = transport.on_message;
    transport.on_message = [this, stage](AgentEnd& end, const protocol::DriverMessage& message) {
      if (const auto* get = std::get_if<protocol::Get>(&message)) {
        ++reads;
        CHECK(get->path == "memory:name");
        CHECK(agent.starts == 0);
        if (on_get) return on_get(end, *get);
        end.send(protocol::FileReply{.tag = get->tag, .error = error, .bytes = "kept"});
      } else if (const auto* put = std::get_if<protocol::Put>(&message)) {
        CHECK(put->path == "memory:name");
        written.push_back(put->bytes);
        if (on_put) return on_put(end, *put);
        end.send(protocol::FileReply{.tag = put->tag, .error = error, .bytes = {}});
      } else {
        stage(end, message);
      }
    };
  }
  core::ExitStatus run() { return run_stage(transport, request, sink, {}, {}, transport); }

  FakeTransport transport;
  HonestAgent agent{transport, "output\n", {.status = 3}};
  StringSink sink;
  Note note;
  agentlink::StageRequest request = test_request("echo hello\n");
  std::uint32_t error = 0;
  unsigned reads = 0;
  std::vector<std::string> written;
  std::function<void(AgentEnd&, const protocol::Get&)> on_get;
  std::function<void(AgentEnd&, const protocol::Put&)> on_put;
};

const core::ExitStatus k_three{core::Exited{3}, 0};

}  // namespace

TEST_CASE("a note is read before the stage starts, and may change its script", "[session]") {
  Fixture f;
  CHECK(f.run() == k_three);
  CHECK(f.note.taken == std::vector<std::string>{"kept"});
  REQUIRE(f.agent.start);
  CHECK(f.agent.start->script == "echo hello\n# kept");
  CHECK(f.request.start.script == "echo hello\n");
  CHECK(f.sink.text == "output\n");
  CHECK(f.written.empty());
  CHECK(f.transport.attempts() == 1);
}

TEST_CASE("a stage without a note asks for none", "[session]") {
  Fixture f;
  SECTION("none is wanted") {
    f.note.is_wanted = false;
  }
  SECTION("there is none") {
    f.request.note = nullptr;
  }
  CHECK(f.run() == k_three);
  CHECK(f.reads == 0);
  CHECK(f.agent.start->script == "echo hello\n");
}

TEST_CASE("a note that the agent has lost is a system failure, and nothing starts", "[session]") {
  Fixture f;
  f.error = ENOENT;
  CHECK_THROWS_WITH(f.run(), ContainsSubstring("No such file"));
  CHECK(f.agent.starts == 0);
}

TEST_CASE("a connection that is cut while a note is read is made again", "[session]") {
  Fixture f;
  f.on_get = [&](AgentEnd& end, const protocol::Get& get) {
    if (end.number() == 0) return end.close();
    end.send(protocol::FileReply{.tag = get.tag, .error = 0, .bytes = "kept"});
  };
  CHECK(f.run() == k_three);
  CHECK(f.reads == 2);
  CHECK(f.note.taken.size() == 1);
  CHECK(f.agent.starts == 1);
}

TEST_CASE("files that nobody asked for are a violation", "[session]") {
  Fixture f;
  SECTION("another's tag") {
    f.on_get = [](AgentEnd& end, const protocol::Get& get) {
      end.send(protocol::FileReply{.tag = get.tag + 1, .error = 0, .bytes = "kept"});
    };
  }
  SECTION("twice") {
    f.on_get = [](AgentEnd& end, const protocol::Get& get) {
      for (int i = 0; i < 2; ++i)
        end.send(protocol::FileReply{.tag = get.tag, .error = 0, .bytes = "kept"});
    };
  }
  CHECK_THROWS_AS(f.run(), SystemError);
}

TEST_CASE("a changed note is given to the agent behind the stage", "[session]") {
  Fixture f;
  f.note.change = Secret("new");
  CHECK(f.run() == k_three);
  CHECK(f.written == std::vector<std::string>{"new"});
  CHECK(f.note.complaints.empty());
}

TEST_CASE("a note that is not kept is a complaint, and the stage's status stands", "[session]") {
  Fixture f;
  f.note.change = Secret("new");
  SECTION("refused") {
    f.note.is_wanted = false;
    f.error = ENOSPC;
  }
  SECTION("the connection is cut") {
    f.on_put = [](AgentEnd& end, const protocol::Put&) { end.close(); };
  }
  SECTION("no answer comes") {
    f.on_put = [](AgentEnd&, const protocol::Put&) {};
  }
  CHECK(f.run() == k_three);
  CHECK(f.written.size() == 1);
  CHECK(f.note.complaints.size() == 1);
}
