#include "executor/agentlink/client.hpp"
#include "executor/agentlink/session.hpp"
#include "executor/kubernetes/api/exec.hpp"
#include "executor/kubernetes/api/exec_transport.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/files.hpp"
#include "tests/integration/kubernetes_api/cluster_under_test.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using namespace berth::kubernetes;
using nlohmann::json;
using tests::ClusterUnderTest;
using tests::soon;

namespace {

ExecOutput sh(ClusterUnderTest& cluster, const std::string& script, std::string_view input = "") {
  return run_exec(*cluster,
                  {.name_space = cluster.name_space(),
                   .pod = "p",
                   .container = "build",
                   .command = {"sh", "-c", script}},
                  input, std::size_t{8} << 20, soon(), {});
}

class Collector final : public core::OutputSink {
 public:
  void write(std::string_view bytes) override { all += bytes; }
  std::string all;
};

}  // namespace

TEST_CASE("exec: streams, the end of input, and every exit code class") {
  ClusterUnderTest cluster;
  cluster.run(cluster.pod("p", {"sleep", "600"}));
  const ExecOutput talk =
      sh(cluster, "read a; echo \"out $a\"; echo err >&2; cat | wc -c", "x\nrest");
  CHECK(talk.result.exit_code == 0);
  CHECK(talk.output == "out x\n4\n");
  CHECK(talk.errors == "err\n");
  for (const int code : {1, 2, 69, 126, 127, 137, 255})
    CHECK(sh(cluster, "exit " + std::to_string(code)).result.exit_code == code);

  std::string big(std::size_t{3} << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 131 >> 3);
  const ExecOutput echo = sh(cluster, "cat", big);
  CHECK(echo.result.exit_code == 0);
  CHECK(echo.output == big);
}

TEST_CASE("exec: what cannot run is told in the server's words") {
  ClusterUnderTest cluster;
  cluster.run(cluster.pod("p", {"sleep", "600"}));
  ExecRequest request{.name_space = cluster.name_space(),
                      .pod = "p",
                      .container = "build",
                      .command = {"/no/such/program"}};
  const auto run = [&] { return run_exec(*cluster, request, "", 1000, soon(), {}); };
  const ExecOutput absent = run();
  CHECK_FALSE(absent.result.exit_code == 0);
  CHECK_THAT(absent.result.message + absent.errors, ContainsSubstring("no such file or directory"));
  request.container = "other";
  CHECK_THROWS_WITH(run(), ContainsSubstring("container other is not valid for pod p") ||
                               ContainsSubstring("container not found"));
  request.pod = "q";
  CHECK_THROWS_WITH(run(), ContainsSubstring("pods \"q\" not found"));
  Client nobody(cluster.as_nobody());
  CHECK_THROWS_WITH(open_exec(nobody, request, soon(), {}), ContainsSubstring("pods/exec"));
}

TEST_CASE("the agent of a pod is reached by exec, runs a stage, and its end is seen") {
  ClusterUnderTest cluster;
  const std::string& ns = cluster.name_space();
  const std::string program =
      support::read_file(std::string(BERTH_PROGRAM_DIR) + "/berth-agent", std::size_t{1} << 20);
  cluster->create(resources::k_config_maps, ns,
                  {{"apiVersion", "v1"},
                   {"kind", "ConfigMap"},
                   {"immutable", true},
                   {"metadata", {{"name", "agent"}}},
                   {"binaryData", {{"berth-agent", support::base64_encode(program)}}}},
                  {});
  json pod = cluster.pod("p", {"/.berth/bin/berth-agent", "serve"});
  pod["spec"]["volumes"] = {
      {{"name", "bin"}, {"configMap", {{"name", "agent"}, {"defaultMode", 0555}}}},
      {{"name", "run"}, {"emptyDir", {{"medium", "Memory"}}}},
      {{"name", "lease"}, {"emptyDir", {{"medium", "Memory"}}}}};
  pod["spec"]["containers"][0]["volumeMounts"] = {
      {{"name", "bin"}, {"mountPath", "/.berth/bin"}, {"readOnly", true}},
      {{"name", "run"}, {"mountPath", "/.berth/run"}},
      {{"name", "lease"}, {"mountPath", "/.berth/lease"}}};
  const json running = cluster.run(pod);
  const auto transport = make_exec_transport(
      *cluster,
      {.name_space = ns, .pod = "p", .container = "build", .uid = running["metadata"]["uid"]});
  agentlink::AgentClient agent = agentlink::AgentClient::connect(*transport, soon(), {});
  CHECK(agent.hello().version == protocol::k_version);

  agentlink::StageRequest request;
  request.start.id = agentlink::make_stage_id();
  request.start.script =
      "i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=$((i+1)); done; exit 42";
  request.where = "the test's pod";
  Collector output;
  const core::ExitStatus status = agentlink::run_stage(*transport, request, output, {}, {});
  CHECK(status.build_exit_code() == 42);
  std::string wanted;
  for (int i = 0; i < 20000; ++i) wanted += "line " + std::to_string(i) + "\n";
  CHECK(output.all == wanted);

  // What ends the container is not seen as a matter of the connection.
  static_cast<void>(sh(cluster, "kill -TERM 1"));
  while (true) {
    try {
      transport->connect(soon(), {});
    } catch (const agentlink::ConnectError& error) {
      INFO(error.what());
      if (error.kind() == agentlink::ConnectFailure::temporary) continue;
      CHECK(error.kind() == agentlink::ConnectFailure::gone);
      break;
    }
  }
}
