#include "executor/kubernetes/pod/agent_config_map.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace berth;
using namespace berth::kubernetes;
using nlohmann::json;

TEST_CASE("agent config map: named by content, immutable, whole") {
  const std::string program(
      "\x7f"
      "ELF\0\xff",
      6);
  const json map = agent_config_map(program, "amd64");
  CHECK(map["kind"] == "ConfigMap");
  CHECK(map["metadata"]["name"] == agent_config_map_name(program, "amd64"));
  CHECK(map["metadata"]["labels"]["com.gitlab.gitlab-runner.type"] == "agent");
  // Neither a sweep nor cleanup may select it.
  CHECK_FALSE(map["metadata"]["labels"].contains("berth.attempt"));
  CHECK_FALSE(map["metadata"]["labels"].contains("berth.host"));
  CHECK(map["immutable"] == true);
  CHECK(*support::base64_decode(map["binaryData"]["berth-agent"].get<std::string>()) == program);
  // SHA-256 of "abc" begins so (FIPS 180-4, appendix).
  CHECK(agent_config_map_name("abc", "arm64") == "berth-agent-arm64-ba7816bf8f01");
}

TEST_CASE("agent config map: one that is not ours is told apart") {
  const std::string program = "program";
  json map = agent_config_map(program, "amd64");
  // What a server adds.
  map["metadata"]["uid"] = "1";
  map["metadata"]["resourceVersion"] = "2";
  CHECK(is_agent_config_map(map, program, "amd64"));
  CHECK_FALSE(is_agent_config_map(map, "another", "amd64"));
  CHECK_FALSE(is_agent_config_map(map, program, "arm64"));
  CHECK_FALSE(is_agent_config_map(nullptr, program, "amd64"));
  const auto changed = [&](const char* pointer, const json& value) {
    json other = map;
    other[json::json_pointer(pointer)] = value;
    return is_agent_config_map(other, program, "amd64");
  };
  CHECK_FALSE(changed("/immutable", false));
  CHECK_FALSE(changed("/binaryData/berth-agent", "AAAA"));
  CHECK_FALSE(changed("/binaryData/more", "AAAA"));
  CHECK_FALSE(changed("/data/more", "x"));
  json open = map;
  open.erase("immutable");
  CHECK_FALSE(is_agent_config_map(open, program, "amd64"));
}

TEST_CASE("agent config map: what does not fit is an operator's matter") {
  CHECK_NOTHROW(agent_config_map(std::string(k_config_map_limit, 'x'), "amd64"));
  CHECK_THROWS_AS(agent_config_map(std::string(k_config_map_limit + 1, 'x'), "amd64"),
                  support::OperatorError);
}
