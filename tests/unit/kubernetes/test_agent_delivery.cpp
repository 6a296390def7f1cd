#include "executor/kubernetes/agent_delivery.hpp"
#include "executor/kubernetes/pod/agent_config_map.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

#include <fstream>

using namespace berth;
using kubernetes::AgentDelivery;
using kubernetes::KnownMaps;
using nlohmann::json;
using tests::Cluster;
using tests::ServerReply;

namespace {

const char* const k_uid = "0f3a-1";

AgentDelivery delivery() {
  const std::string program =
      "\x7f"
      "ELF and more";
  return {.architecture = "amd64",
          .config_map = kubernetes::agent_config_map_name(program, "amd64"),
          .program = program};
}

struct Namespace : Cluster {
  tests::TempDir state;
  AgentDelivery agent = delivery();
  std::string path = "/api/v1/namespaces/ci/configmaps/" + agent.config_map;

  json map(const std::string& uid = k_uid) const {
    json object = kubernetes::agent_config_map(agent.program, agent.architecture);
    object["metadata"]["uid"] = uid;
    return object;
  }
  static ServerReply about(const std::string& uid) {
    return {.body = json{{"kind", "PartialObjectMetadata"}, {"metadata", {{"uid", uid}}}}.dump()};
  }
  void deliver() { kubernetes::deliver_agent(client, "ci", agent, KnownMaps(state.path()), {}); }
};

}  // namespace

TEST_CASE("the agent's map is read whole once, then asked for by its uid alone") {
  Namespace one;
  one.server.on("GET", one.path,
                {Namespace::about(k_uid), {.body = one.map().dump()}, Namespace::about(k_uid)});
  one.deliver();
  CHECK(one.server.requests().size() == 2);
  one.deliver();
  CHECK(one.server.requests().size() == 3);
  CHECK_THAT(one.server.requests().front().header("Accept"),
             StartsWith("application/json;as=PartialObjectMetadata"));
}

TEST_CASE("a map that took a known one's name is read again") {
  Namespace one;
  json other = one.map("0f3a-2");
  other["binaryData"]["berth-agent"] = "ZXZpbA==";
  one.server.on("GET", one.path,
                {Namespace::about(k_uid),
                 {.body = one.map().dump()},
                 Namespace::about("0f3a-2"),
                 {.body = other.dump()},
                 Namespace::about("0f3a-2"),
                 {.body = other.dump()}});
  one.deliver();
  CHECK_THROWS_AS(one.deliver(), support::OperatorError);
  // And is not taken for a good one the next time.
  CHECK_THROWS_AS(one.deliver(), support::OperatorError);
}

TEST_CASE("known maps: the last ones of a name, and nothing that is no uid") {
  const tests::TempDir state;
  const KnownMaps known(state.path());
  CHECK_FALSE(known.has("map", "a"));
  for (std::size_t i = 0; i <= KnownMaps::k_most; ++i) known.note("map", std::to_string(i));
  CHECK_FALSE(known.has("map", "0"));
  CHECK(known.has("map", "1"));
  CHECK(known.has("map", std::to_string(KnownMaps::k_most)));
  CHECK_FALSE(known.has("other", "1"));
  for (const char* odd : {"", "a\nb", "../x"}) {
    known.note("map", odd);
    CHECK_FALSE(known.has("map", odd));
  }
}

TEST_CASE("a state folder that cannot be written costs no job") {
  const tests::TempDir state;
  std::ofstream(state.path() / "agent-maps") << "a file";
  const KnownMaps known(state.path());
  known.note("map", "a");
  CHECK_FALSE(known.has("map", "a"));
}
