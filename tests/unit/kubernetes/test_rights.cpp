#include "executor/kubernetes/api/server_version.hpp"
#include "executor/kubernetes/examination.hpp"
#include "executor/kubernetes/rights.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace berth;
using core::Health;
using kubernetes::Right;

namespace {

std::vector<std::string> words(const settings::Kubernetes& settings) {
  std::vector<std::string> list;
  for (const Right& one : kubernetes::needed_rights(settings)) {
    list.push_back(one.verb + " " + one.object());
  }
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

TEST_CASE("only the rights that the settings in use need are asked for") {
  settings::Kubernetes settings;
  const auto all = words(settings);
  CHECK(all == std::vector<std::string>{"create configmaps", "create pods", "create pods/exec",
                                        "create secrets", "delete pods", "get configmaps",
                                        "get pods", "get pods/exec", "get pods/log", "list events",
                                        "list pods", "patch pods", "watch events", "watch pods"});
  settings.agent_image = "registry.example.com/agent";
  settings.print_pod_warning_events = false;
  const auto fewer = words(settings);
  CHECK(fewer.size() == all.size() - 4);
  CHECK(std::count(fewer.begin(), fewer.end(), "list events") == 0);
  CHECK(std::count(fewer.begin(), fewer.end(), "get configmaps") == 0);
}

TEST_CASE("a missing right is named with the rule that gives it") {
  const Right right{.verb = "create",
                    .resource = kubernetes::resources::k_pods,
                    .subresource = "exec",
                    .purpose = "to reach the agents"};
  const auto finding = kubernetes::missing_right(right, "ci", "no");
  CHECK(finding.health == Health::failed);
  CHECK(finding.text == "may not create pods/exec in namespace 'ci', to reach the agents: no");
  CHECK(finding.remedy.find(R"({apiGroups: [""], resources: ["pods/exec"], verbs: ["create"]})") !=
        std::string::npos);
  Right optional = right;
  optional.optional = true;
  CHECK(kubernetes::missing_right(optional, "ci", "").health == Health::warning);
}

TEST_CASE("dates of HTTP") {
  CHECK(kubernetes::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  for (const char* bad : {"", "Sun, 06 Nov 1994 08:49:37", "1994-11-06", "x"}) {
    CHECK_FALSE(kubernetes::parse_http_date(bad));
  }
}

TEST_CASE("clocks that are apart") {
  using kubernetes::examine_clock;
  CHECK(examine_clock(std::nullopt, 100, 101).health == Health::skipped);
  CHECK(examine_clock(99, 100, 101).text == "as the server's");
  CHECK(examine_clock(106, 100, 101).health == Health::good);
  CHECK(examine_clock(107, 100, 101).text == "this machine's clock is 6 s behind the server's");
  CHECK(examine_clock(107, 100, 101).health == Health::warning);
  CHECK(examine_clock(90, 100, 101).text == "this machine's clock is 9 s before the server's");
  CHECK(examine_clock(402, 100, 101).health == Health::failed);
}
