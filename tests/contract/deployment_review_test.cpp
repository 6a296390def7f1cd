#include "tests/contract/deployment_site.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/fake_namespace.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>

// Review environments, through the four programs as the runner starts them: engine and API
// server are the test's own.

using namespace berth;
using namespace berth::environments;
using local::runner::JobState;
using local::runner::Payload;
using nlohmann::json;
using tests::ServerReply;
using tests::ServerRequest;
using tests::Site;

namespace {

constexpr const char* k_path = "/api/v1/namespaces/shop";

/// Has no namespace "shop" until somebody makes it, and is told who removes it.
class Reviews {
 public:
  explicit Reviews(const Site& site) {
    for (const std::string& plural : tests::k_lists) tests::serve(m_cluster, plural, {});
    auto& server = m_cluster.server;
    server.on("GET", k_path, [this](const ServerRequest&) {
      return m_made ? ServerReply{.body = m_namespace.dump()}
                    : tests::refusal(404, "NotFound", "no such namespace");
    });
    server.on("POST", "/api/v1/namespaces", [this](const ServerRequest& request) {
      m_namespace = json::parse(request.body);
      m_namespace["metadata"]["uid"] = "n1";
      m_made = true;
      return ServerReply{.status = 201, .body = m_namespace.dump()};
    });
    server.on("PATCH", std::string(k_path) + "/resourcequotas/small", {{.body = "{}"}});
    server.on("DELETE", k_path, {{.body = "{}"}});
    std::ofstream(site.folder() / "kubeconfig")
        << "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        << "clusters: [{name: c, cluster: {server: \"" << server.url() << "\"}}]\n"
        << "users: [{name: u, user: {token: t}}]\n"
        << "contexts: [{name: c, context: {cluster: c, user: u}}]\n";
    std::ofstream(site.folder() / "quota.yaml")
        << "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: small}\n"
        << "spec: {hard: {pods: 3}}\n";
    std::ofstream(site.folder() / "berth.yaml", std::ios::app)
        << "  rules:\n    - name: review/*\n      kubeconfig: "
        << (site.folder() / "kubeconfig").native()
        << "\n      review: {namespace: \"{slug}\", ttl: 1d, manifest: "
        << (site.folder() / "quota.yaml").native() << "}\n";
  }

  static Payload job(const Site& site, const std::string& action,
                     const std::string& project = "shop/web") {
    Payload payload = site.job({"true"}, "review/x", action);
    payload.job_info.project_full_path = project;
    Site::add(payload, "CI_ENVIRONMENT_SLUG", "shop");
    return payload;
  }

  tests::HttpServer& server() { return m_cluster.server; }

 private:
  std::atomic<bool> m_made{false};
  json m_namespace;
  tests::Cluster m_cluster;
};

constexpr const char* k_no_rules_yet = "  store: {keep: 50}\n";

}  // namespace

TEST_CASE("review environment: its namespace comes with its quota, and goes by its uid") {
  Site site(k_no_rules_yet);
  Reviews reviews(site);
  const auto started = site.fixture.play(Reviews::job(site, "start"));
  INFO(started.log);
  REQUIRE(started.result.state == JobState::success);
  CHECK_THAT(started.log, ContainsSubstring("review environment 'review/x' has namespace 'shop'"));
  CHECK(reviews.server().count("POST", "/api/v1/namespaces") == 1);
  CHECK(reviews.server().count("PATCH", std::string(k_path) + "/resourcequotas/small") == 1);

  const auto stopped = site.fixture.play(Reviews::job(site, "stop"));
  INFO(stopped.log);
  CHECK(stopped.result.state == JobState::success);
  CHECK_THAT(stopped.log,
             ContainsSubstring("review environment 'review/x': namespace 'shop' is being removed"));
  CHECK(reviews.server().count("DELETE", k_path) == 1);
  CHECK(site.history("review/x").at(0).action == Action::stop);
}

TEST_CASE("review environment: a namespace that cannot be removed is not stopped") {
  Site site(k_no_rules_yet);
  Reviews reviews(site);
  REQUIRE(site.fixture.play(Reviews::job(site, "start")).result.state == JobState::success);
  reviews.server().on("DELETE", k_path, {tests::refusal(403, "Forbidden", "may not delete")});
  const auto stopped = site.fixture.play(Reviews::job(site, "stop"));
  INFO(stopped.log);
  CHECK(stopped.result.failure_reason == "script_failure");
  const Deployment one = site.history("review/x").at(0);
  CHECK(one.result == Result::failed);
  CHECK_THAT(one.cause, StartsWith("its namespace could not be removed: ") &&
                            ContainsSubstring("may not delete"));
}

TEST_CASE("review environment: another project's of the same name is left alone") {
  Site site(k_no_rules_yet);
  Reviews reviews(site);
  REQUIRE(site.fixture.play(Reviews::job(site, "start")).result.state == JobState::success);
  const auto refused = site.fixture.play(Reviews::job(site, "start", "bank/web"));
  INFO(refused.log);
  CHECK(refused.result.failure_reason == "script_failure");
  CHECK_THAT(refused.log,
             ContainsSubstring("belongs to environment 'review/x' of project 'shop/web'"));
  const auto stopped = site.fixture.play(Reviews::job(site, "stop", "bank/web"));
  INFO(stopped.log);
  CHECK_THAT(stopped.log, ContainsSubstring("was not made for environment 'review/x'"));
  CHECK(reviews.server().count("DELETE", k_path) == 0);
}
