#include "executor/core/names.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/settings/kubernetes_syntax.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using namespace berth::kubernetes;
using Words = std::vector<std::string>;

namespace {

core::ServiceSpec service(const std::string& image, Words aliases) {
  core::ServiceSpec spec;
  spec.container.image = image;
  spec.aliases = std::move(aliases);
  return spec;
}

}  // namespace

TEST_CASE("kubernetes names: labels where they fit, annotations where not") {
  core::JobSpec spec;
  spec.attempt = "0123456789ab";
  spec.tmpdir = "/tmp/custom-executor1";
  spec.deadline = 1800000000;
  spec.labels = {{"com.gitlab.gitlab-runner.job.id", "42"},
                 {"com.gitlab.gitlab-runner.job.ref", "feature/x"},
                 {"com.gitlab.gitlab-runner.runner.id", std::string(64, 'a')},
                 {"com.gitlab.gitlab-runner.job.sha", std::string(63, 'a')}};
  const Marks marks = attempt_marks(spec, "feed-1:2", "pod");
  CHECK(marks.labels.at("com.gitlab.gitlab-runner.job.id") == "42");
  CHECK(marks.labels.at("com.gitlab.gitlab-runner.job.sha") == std::string(63, 'a'));
  CHECK(marks.labels.at("com.gitlab.gitlab-runner.managed") == "true");
  CHECK(marks.labels.at("com.gitlab.gitlab-runner.type") == "pod");
  CHECK(marks.labels.at("berth.attempt") == "0123456789ab");
  CHECK(marks.labels.at("berth.deadline") == "1800000000");
  CHECK(marks.labels.at("berth.host") == core::stable_hash("feed-1:2"));
  CHECK(marks.annotations.at("berth.host") == "feed-1:2");
  CHECK(marks.annotations.at("berth.tmpdir") == "/tmp/custom-executor1");
  CHECK(marks.annotations.at("com.gitlab.gitlab-runner.job.ref") == "feature/x");
  CHECK(marks.annotations.contains("com.gitlab.gitlab-runner.runner.id"));
  CHECK_FALSE(marks.labels.contains("com.gitlab.gitlab-runner.job.ref"));
  for (const auto& [key, value] : marks.labels) {
    INFO(key);
    CHECK(settings::is_label_key(key));
    CHECK(settings::is_label_value(value));
  }
  for (const auto& [key, value] : marks.annotations) CHECK(settings::is_label_key(key));

  CHECK(tmpdir_selector("feed-1:2", spec.tmpdir) ==
        "com.gitlab.gitlab-runner.managed=true,berth.host=" + marks.labels.at("berth.host") +
            ",berth.tmpdir=" + marks.labels.at("berth.tmpdir"));
  CHECK(attempt_selector("0123456789ab") ==
        "com.gitlab.gitlab-runner.managed=true,berth.attempt=0123456789ab");
}

TEST_CASE("kubernetes names: a service's container has its own alias where that can be") {
  core::JobSpec spec;
  spec.services = {
      service("postgres:15", {"postgres", "db"}),
      service("postgres:16", {"postgres-16"}),
      service("team/app:2", {"team__app", "team-app"}),
      service("redis", {"redis", "My_Cache", "cache.local", "build"}),
      service("redis:6", {"svc-0"}),
      service("mysql", {"db"}),
  };
  CHECK(service_container_names(spec) ==
        Words{"db", "postgres-16", "svc-2", "svc-3", "svc-4", "svc-5"});
}

TEST_CASE("kubernetes names: any text becomes a label's value") {
  CHECK(to_label_value("group/sub group") == "group_sub_group");
  CHECK(to_label_value("_a-") == "a");
  CHECK(to_label_value("äöü") == "");
  CHECK(to_label_value("") == "");
  CHECK(to_label_value(std::string(62, 'x') + "-y") == std::string(62, 'x'));
  CHECK(settings::is_label_value(to_label_value("--Job: 'x' & y--")));
}

TEST_CASE("kubernetes syntax") {
  using namespace berth::settings;
  CHECK(is_dns_label("a-1"));
  for (const char* bad : {"", "-a", "a-", "A", "a.b", "a_b", "a/b"}) CHECK_FALSE(is_dns_label(bad));
  CHECK(is_dns_label(std::string(63, 'a')));
  CHECK_FALSE(is_dns_label(std::string(64, 'a')));
  CHECK(is_dns_subdomain("a.b-c.d"));
  for (const char* bad : {"", ".a", "a.", "a..b", "a.-b", "../x"})
    CHECK_FALSE(is_dns_subdomain(bad));
  CHECK(is_label_key("team"));
  CHECK(is_label_key("example.com/Team_1"));
  for (const char* bad : {"", "/a", "a/", "a/b/c", "A.com/b", "-a"}) CHECK_FALSE(is_label_key(bad));
  CHECK(is_reserved_key("project.runner.gitlab.com/id"));
  CHECK(is_reserved_key("runner.gitlab.com"));
  CHECK(is_reserved_key("berth.host"));
  CHECK(is_reserved_key("com.gitlab.gitlab-runner.job.id"));
  CHECK_FALSE(is_reserved_key("notrunner.gitlab.com/x"));
}
