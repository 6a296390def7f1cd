#include "tests/contract/deployment_site.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/fake_namespace.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>

// Deployments whose cluster is looked at, through the four programs as the runner starts them:
// the engine and the API server are the test's own, and the script changes the latter.

using namespace berth;
using namespace berth::environments;
using local::runner::JobState;
using local::runner::Payload;
using nlohmann::json;
using tests::JobFixture;
using tests::ServerReply;
using tests::ServerRequest;
using tests::Site;

namespace {

using Words = std::vector<std::string>;

json probed(json pod) {
  pod["spec"]["containers"][0]["readinessProbe"] = json::object();
  return pod;
}

const json k_running = {{"running", json::object()}};
const json k_no_image = {
    {"waiting",
     {{"reason", "ErrImagePull"},
      {"message",
       "failed to pull and unpack image \"app:v2\": failed to resolve reference "
       "\"app:v2\": registry.test/app:v2: not found"}}}};

/// Namespace "shop" with Deployment "web": app:v1 until the script has made `go`, then `second`
/// with `pod`, then app:v1 again where somebody applies it.
class Shop {
 public:
  Shop(const Site& site, json second, json pod)
      : m_go(site.folder() / "deployed"), m_second(std::move(second)), m_pod(std::move(pod)) {
    for (const std::string& plural : tests::k_lists) tests::serve(m_cluster, plural, {});
    serve("deployments", [this] { return json::array({is_second() ? m_second : first()}); });
    serve("replicasets", [] {
      return json::array({tests::replica_set("h1", "1"), tests::replica_set("h2", "2")});
    });
    serve("pods", [this] { return json::array({is_second() ? m_pod : first_pod()}); });
    m_cluster.server.on("PATCH", tests::list_path("deployments") + "/web",
                        [this](const ServerRequest& request) {
                          if (m_refused == "PATCH") return m_refusal;
                          m_back = request.body.find("app:v1") != std::string::npos || m_back;
                          return ServerReply{.body = "{}"};
                        });
    std::ofstream(kubeconfig(site))
        << "apiVersion: v1\nkind: Config\ncurrent-context: prod\n"
        << "clusters: [{name: c, cluster: {server: \"" << m_cluster.server.url() << "\"}}]\n"
        << "users: [{name: u, user: {token: t}}]\n"
        << "contexts: [{name: prod, context: {cluster: c, user: u, namespace: shop}}]\n";
  }

  static std::filesystem::path kubeconfig(const Site& site) { return site.folder() / "kubeconfig"; }
  /// The line of the script that deploys.
  std::string deploy() const { return "touch " + m_go.native(); }
  std::size_t asked() const { return m_cluster.server.requests().size(); }
  bool is_back() const { return m_back; }
  /// The cluster answers so what is asked of it once the script has deployed. Before a job.
  void refuse(std::string method, ServerReply reply) {
    m_refused = std::move(method);
    m_refusal = std::move(reply);
  }

  static json first() { return tests::deployment(); }
  static json first_pod() { return probed(tests::pod("p1", "h1", k_running)); }
  /// As `kubectl apply` of app:v2 leaves it, rolled out or not.
  static json second(bool rolled_out) {
    return tests::deployment({.image = "app:v2",
                              .generation = 2,
                              .observed = 2,
                              .revision = "2",
                              .updated = 1,
                              .all = rolled_out ? 1 : 2,
                              .available = 1,
                              .changed = tests::k_later});
  }

 private:
  bool is_second() const { return !m_back && std::filesystem::exists(m_go); }

  template <typename Items>
  void serve(const std::string& plural, Items items) {
    m_cluster.server.on("GET", tests::list_path(plural), [=, this](const ServerRequest& request) {
      if (m_refused == "GET" && is_second()) return m_refusal;
      if (request.target.find("watch=") != std::string::npos) return tests::stays();
      return ServerReply{
          .body = json{{"metadata", {{"resourceVersion", "9"}}}, {"items", items()}}.dump()};
    });
  }

  std::filesystem::path m_go;
  json m_second;
  json m_pod;
  std::atomic<bool> m_back{false};
  std::string m_refused;
  ServerReply m_refusal;
  tests::Cluster m_cluster;
};

/// `more`: further keys of the rule.
void add_rule(const Site& site, const std::string& more = "") {
  std::ofstream(site.folder() / "berth.yaml", std::ios::app)
      << "  rules:\n    - name: production\n      kubeconfig: " << Shop::kubeconfig(site).native()
      << "\n"
      << more;
}

/// The path of a call to the engine with "*" for names and ids.
std::string without_names(const std::string& target) {
  constexpr std::size_t k_longest_word = 12;
  std::string path;
  for (std::size_t at = 0; at < target.size();) {
    const std::size_t end = std::min(target.find_first_of("/?", at + 1), target.size());
    if (target[at] == '?') break;
    path += end - at > k_longest_word ? "/*" : target.substr(at, end - at);
    at = end;
  }
  return path;
}

constexpr const char* k_no_rules_yet = "  store: {keep: 50}\n";

}  // namespace

TEST_CASE("deployment gate: what becomes healthy passes, and its digests are on record") {
  Site site(k_no_rules_yet);
  add_rule(site);
  Shop shop(site, Shop::second(true), probed(tests::pod("p2", "h2", k_running, 0, "app:v2")));
  const auto outcome = site.fixture.play(site.job({shop.deploy()}));
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::success);
  CHECK_THAT(outcome.log, ContainsSubstring("Deployment 'web' changed: app: app:v1") &&
                              ContainsSubstring("health gate: Deployment 'web': done"));
  const Deployment one = site.history().at(0);
  CHECK(one.result == Result::success);
  CHECK(one.name_space == "shop");
  CHECK_FALSE(one.cluster.empty());
  REQUIRE(one.workloads.size() == 1);
  const Workload& web = one.workloads[0];
  CHECK(web.change == Change::updated);
  CHECK(web.revision_before == 1);
  CHECK(web.revision_after == 2);
  REQUIRE(web.containers.size() == 1);
  CHECK(web.containers[0].image == "app:v2");
  CHECK(web.containers[0].digest == "sha256:" + std::string(64, 'a'));
  CHECK_FALSE(web.manifest.empty());
  CHECK(site.told() == Words{"started", "succeeded"});
}

TEST_CASE("deployment gate: a job whose script succeeded fails with the cause in one line") {
  Site site(k_no_rules_yet);
  add_rule(site);
  Shop shop(site, Shop::second(false), tests::pod("p2", "h2", k_no_image, 0, "app:v2"));
  const auto outcome = site.fixture.play(site.job({shop.deploy(), "echo script done"}));
  INFO(outcome.log);
  CHECK(outcome.result.failure_reason == "script_failure");
  CHECK_THAT(outcome.log, ContainsSubstring("script done") &&
                              ContainsSubstring(
                                  "Deployment 'web': container 'app' of pod 'web-h2-p2' cannot get "
                                  "its image 'app:v2': registry.test/app:v2: not found") &&
                              ContainsSubstring("check the image's name and tag"));
  const Deployment one = site.history().at(0);
  CHECK(one.result == Result::failed);
  CHECK_THAT(one.cause, StartsWith("Deployment 'web': container 'app'"));
  CHECK(one.workloads.at(0).containers.at(0).image == "app:v2");
  CHECK(site.told() == Words{"started", "failed"});
  CHECK_FALSE(shop.is_back());
  CHECK(site.ledger()->lock_state("production") == LockState{});
  CHECK(site.fixture.leftovers().empty());
}

TEST_CASE("deployment gate: where the rule says so what ran before is brought back") {
  Site site(k_no_rules_yet);
  add_rule(site, "      on_failure: rollback\n");
  Shop shop(site, Shop::second(false), tests::pod("p2", "h2", k_no_image, 0, "app:v2"));
  const auto outcome = site.fixture.play(site.job({shop.deploy()}));
  INFO(outcome.log);
  CHECK(outcome.result.failure_reason == "script_failure");
  CHECK(shop.is_back());
  CHECK_THAT(outcome.log,
             ContainsSubstring("rollback: what ran before runs again, as the cluster says"));
  const Deployment one = site.history().at(0);
  CHECK(one.result == Result::failed);
  CHECK_THAT(one.cause, EndsWith("; rolled back"));
  CHECK(one.workloads.at(0).containers.at(0).image == "app:v1");
}

TEST_CASE("deployment gate: a rollback that the cluster refuses is told beside the cause") {
  Site site(k_no_rules_yet);
  add_rule(site, "      on_failure: rollback\n");
  Shop shop(site, Shop::second(false), tests::pod("p2", "h2", k_no_image, 0, "app:v2"));
  shop.refuse("PATCH", tests::refusal(403, "Forbidden", "may not patch"));
  const auto outcome = site.fixture.play(site.job({shop.deploy()}));
  INFO(outcome.log);
  CHECK(outcome.result.failure_reason == "script_failure");
  CHECK_FALSE(shop.is_back());
  CHECK_THAT(outcome.log, ContainsSubstring("rollback: it did not succeed: ") &&
                              ContainsSubstring("may not patch"));
  const Deployment one = site.history().at(0);
  CHECK(one.result == Result::failed);
  CHECK_THAT(one.cause, StartsWith("Deployment 'web': container 'app'") &&
                            ContainsSubstring("; rollback failed: ") &&
                            ContainsSubstring("may not patch"));
  CHECK(one.workloads.at(0).containers.at(0).image == "app:v2");
  CHECK(site.told() == Words{"started", "failed"});
  CHECK(site.ledger()->lock_state("production") == LockState{});
}

TEST_CASE("deployment gate: a credential that ends with the script is no success") {
  Site site(k_no_rules_yet);
  add_rule(site);
  Shop shop(site, Shop::second(true), probed(tests::pod("p2", "h2", k_running, 0, "app:v2")));
  shop.refuse("GET", tests::refusal(401, "Unauthorized", "the token has ended"));
  const auto outcome = site.fixture.play(site.job({shop.deploy()}));
  INFO(outcome.log);
  CHECK(outcome.result.failure_reason == "script_failure");
  const Deployment one = site.history().at(0);
  CHECK(one.result == Result::failed);
  CHECK_THAT(one.cause, StartsWith("the health gate could not be kept: ") &&
                            ContainsSubstring("the token has ended"));
  CHECK(site.told() == Words{"started", "failed"});
}

TEST_CASE("deployment gate: a script that fails keeps its own exit code, and is rolled back too") {
  Site site(k_no_rules_yet);
  add_rule(site, "      on_failure: rollback\n");
  Shop shop(site, Shop::second(true), probed(tests::pod("p2", "h2", k_running, 0, "app:v2")));
  const auto outcome = site.fixture.play(site.job({shop.deploy(), "exit 7"}));
  INFO(outcome.log);
  CHECK(outcome.result.exit_code == 7);
  CHECK(shop.is_back());
  CHECK(site.history().at(0).cause == "the script failed with exit code 7; rolled back");
}

TEST_CASE("deployment gate: what kubectl said of a finished Job is the cause") {
  Site site(k_no_rules_yet);
  add_rule(site);
  Shop shop(site, Shop::second(true), probed(tests::pod("p2", "h2", k_running, 0, "app:v2")));
  for (const char* transport : {"socket", "exec"}) {
    INFO(transport);
    auto& environment = site.fixture.config().process_environment;
    environment.push_back(std::string("BERTH_TRANSPORT=") + transport);
    const auto outcome =
        site.fixture.play(site.job({"echo 'The Job \"migrate\" is invalid: spec.template: Invalid "
                                    "value: field is immutable'"}));
    environment.pop_back();
    INFO(outcome.log);
    CHECK(outcome.result.failure_reason == "script_failure");
    CHECK_THAT(site.history().at(0).cause, StartsWith("Job 'migrate' was not run again"));
  }
}

TEST_CASE("deployment gate: to another namespace than the environment's nobody deploys") {
  Site site(k_no_rules_yet);
  add_rule(site, "      namespaces: [bank]\n");
  Shop shop(site, Shop::second(true), Shop::first_pod());
  Payload payload = site.job({shop.deploy(), "echo deployed"});
  Site::add(payload, "KUBE_NAMESPACE", "shop");
  const auto outcome = site.fixture.play(payload);
  INFO(outcome.log);
  CHECK(outcome.result.failure_reason == "script_failure");
  CHECK_THAT(outcome.log,
             ContainsSubstring("the environment's namespace is 'bank', and the job uses 'shop'"));
  CHECK_THAT(outcome.log, !ContainsSubstring("\ndeployed"));
  CHECK(site.told() == Words{"refused"});
  CHECK(site.history().empty());
  CHECK(shop.asked() == 0);
  CHECK(site.ledger()->lock_state("production") == LockState{});
}

TEST_CASE("deployment gate: a job without an environment asks no cluster") {
  Site site(k_no_rules_yet);
  add_rule(site);
  Shop shop(site, Shop::second(true), Shop::first_pod());
  CHECK(site.fixture.play(JobFixture::job({"true"})).result.state == JobState::success);
  CHECK(shop.asked() == 0);
}

TEST_CASE("deployment gate: without the section the engine is asked the same as for any job") {
  Site site("");
  Shop shop(site, Shop::second(true), Shop::first_pod());
  const auto asked_for = [&](const Payload& payload) {
    const std::size_t before = site.fixture.engine().requests().size();
    REQUIRE(site.fixture.play(payload).result.state == JobState::success);
    const auto all = site.fixture.engine().requests();
    // How often one asks until a container is ready is a matter of time.
    std::set<std::string> calls;
    for (std::size_t i = before; i < all.size(); ++i)
      calls.insert(all[i].method + " " + without_names(all[i].path));
    return calls;
  };
  asked_for(JobFixture::job({"true"}));  // The agent's volume is made once.
  const auto plain = asked_for(JobFixture::job({"true"}));
  CHECK(plain.size() > 8);
  Payload deploys = site.job({shop.deploy()});
  Site::add(deploys, "KUBECONFIG", Shop::kubeconfig(site).native());
  CHECK(asked_for(deploys) == plain);
  CHECK(shop.asked() == 0);
  CHECK_FALSE(std::filesystem::exists(site.root()));
}
