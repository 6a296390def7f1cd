#include "executor/credentials/delivery.hpp"
#include "executor/masking/stage_secrets.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/credentials/samples.hpp"

#include <algorithm>

using namespace berth;
using namespace berth::credentials;
using credentials::test::k_today;
using credentials::test::make_identity;
using credentials::test::sample;
using settings::Credentials;

namespace {

class Log final : public core::Console {
 public:
  void line(std::string_view text) override { lines.emplace_back(text); }
  void warning(std::string_view text) override { warnings.emplace_back(text); }
  std::vector<std::string> lines;
  std::vector<std::string> warnings;
};

struct Jobs {
  core::Job job;
  core::Variables expanded;
  Credentials settings;
  core::JobSpec spec;
  Log log;

  Jobs() {
    spec.builds_dir = "/builds";
    spec.cache_dir = "/cache";
  }
  void set(const std::string& key, const std::string& value) {
    job.variables.set({.key = key, .value = value, .masked = true});
    expanded.set({.key = key, .value = value, .masked = true});
  }
  core::JobSecrets secrets() {
    return make_job_secrets(recognise_variables(job, expanded, settings, k_today), expanded, spec,
                            settings);
  }
  masking::StageSecrets stages() {
    return masking::decode_stage_secrets(secrets().stages.expose()).value();
  }
  void report() {
    log = {};
    credentials::report(recognise_variables(job, expanded, settings, k_today), settings, k_today,
                        log);
  }
};

std::string encoded(std::string_view name) {
  return support::base64_encode(sample(name).text);
}

using Exports = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("delivery: nothing for a job without credentials") {
  Jobs jobs;
  jobs.set("PASSWORD", "correct horse battery staple");
  jobs.settings.shield_paths = {"/root/.docker"};
  jobs.expanded.set({.key = "KUBECONFIG", .value = "/root/.kube/config"});
  const core::JobSecrets secrets = jobs.secrets();
  CHECK(secrets.note.empty());
  CHECK(secrets.stages.empty());
  CHECK(secrets.files.empty());
  CHECK(secrets.exports.empty());
  CHECK(secrets.links.empty());
  CHECK_FALSE(secrets.needs_memory());
  // What the settings name is there for every job: it may decode what nobody recognises.
  CHECK(secrets.mounts == jobs.settings.shield_paths);
}

TEST_CASE("delivery: files where tools look for them") {
  const auto of = [](const char* kind) {
    Jobs jobs;
    jobs.set("KEY_VALUE", encoded(kind));
    return jobs.secrets();
  };
  const std::string path = "/run/berth/credentials/KEY_VALUE";
  core::JobSecrets secrets = of("kubeconfig");
  REQUIRE(secrets.files.size() == 1);
  CHECK(secrets.files[0].path == path);
  CHECK(secrets.files[0].content.expose() == sample("kubeconfig").text);
  CHECK(secrets.exports == Exports{{"KUBECONFIG", path}});
  CHECK(of("service account").exports == Exports{{"GOOGLE_APPLICATION_CREDENTIALS", path},
                                                 {"CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", path}});
  secrets = of("docker config");
  CHECK(secrets.files.at(0).path == path + "/config.json");
  CHECK(secrets.exports == Exports{{"DOCKER_CONFIG", path}});
  CHECK(of("ssh key").exports == Exports{{"SSH_PRIVATE_KEY_FILE", path}});
  CHECK(of("aws").exports == Exports{{"AWS_SHARED_CREDENTIALS_FILE", path}});
  CHECK(of("netrc").exports == Exports{{"NETRC", path}});
  CHECK(of("npmrc").exports == Exports{{"NPM_CONFIG_USERCONFIG", path}});
  secrets = of("private key");
  CHECK(secrets.files.size() == 1);
  CHECK(secrets.exports.empty());
  CHECK(of("certificates").files.empty());
  CHECK(of("jwt").files.empty());
}

TEST_CASE("delivery: what the job has set itself stays, and of two none is chosen") {
  Jobs jobs;
  jobs.set("KUBE_CONFIG", encoded("kubeconfig"));
  SECTION("set by the job") {
    jobs.expanded.set({.key = "KUBECONFIG", .value = "/root/.kube/config"});
    CHECK(jobs.secrets().exports.empty());
    CHECK(jobs.secrets().files.size() == 1);
  }
  SECTION("two of a kind") {
    jobs.set("KUBE_CONFIG_2", encoded("kubeconfig with a token"));
    CHECK(jobs.secrets().exports.empty());
    CHECK(jobs.secrets().files.size() == 2);
    CHECK(jobs.secrets().notes ==
          std::vector<std::string>{"KUBECONFIG is not set: 2 credentials fit it; they are files in "
                                   "/run/berth/credentials"});
  }
  SECTION("files alone") {
    jobs.settings.deliver = Credentials::Deliver::files;
    CHECK(jobs.secrets().exports.empty());
    CHECK(jobs.secrets().files.size() == 1);
  }
  SECTION("not at all") {
    jobs.settings.deliver = Credentials::Deliver::off;
    CHECK(jobs.secrets().files.empty());
    CHECK_FALSE(jobs.stages().secrets.empty());
  }
  SECTION("out of scope: masked all the same") {
    jobs.settings.scope = {{.variables = {"KUBE_CONFIG"}, .protected_refs = true}};
    CHECK(jobs.secrets().files.empty());
    CHECK(jobs.secrets().exports.empty());
    CHECK_FALSE(jobs.stages().secrets.empty());
  }
}

TEST_CASE("delivery: the login for image pulls is no configuration of the job's") {
  Jobs jobs;
  jobs.set("DOCKER_AUTH_CONFIG", sample("docker config").text);
  CHECK(jobs.secrets().files.empty());
  CHECK(jobs.secrets().exports.empty());
  CHECK_FALSE(jobs.stages().secrets.empty());
}

TEST_CASE("delivery: secrets and changes for the stages") {
  Jobs jobs;
  const std::string wrapped =
      test::wrapped(support::base64_encode(sample("service account").text), 76);
  jobs.set("GCP_SA_KEY", wrapped);
  const auto stages = jobs.stages();
  CHECK_FALSE(stages.secrets.empty());
  REQUIRE(stages.changes.size() == 1);
  CHECK(stages.changes[0].from.expose() == wrapped);
  CHECK(stages.changes[0].to.expose() == encoded("service account"));
  const std::string name = jobs.secrets().note;
  CHECK(name.starts_with("memory:"));
  CHECK(name != jobs.secrets().note);
  jobs.settings.normalise = false;
  CHECK(jobs.stages().changes.empty());
  jobs.settings.mask = false;
  CHECK(jobs.secrets().note.empty());
  jobs.settings.normalise = true;
  CHECK(jobs.stages().secrets.empty());
  jobs.settings.scope = {{.variables = {"*"}, .protected_refs = true}};
  CHECK(jobs.secrets().note.empty());
}

TEST_CASE("delivery: what is masked and changed has a limit, and a warning says so") {
  Jobs jobs;
  std::string netrc;
  for (int i = 0; i < 900; ++i)
    netrc += "machine m" + std::to_string(i) + ".example.com login me password " +
             std::string(100, static_cast<char>('a' + i % 26)) + std::to_string(i) + "\n";
  jobs.set("NETRC_FILE", netrc);
  const core::JobSecrets secrets = jobs.secrets();
  REQUIRE(secrets.warnings.size() == 1);
  CHECK_THAT(secrets.warnings[0], ContainsSubstring("NETRC_FILE"));
  CHECK(secrets.stages.expose().size() < std::size_t{100} << 10);
  CHECK(secrets.files.size() == 1);
}

TEST_CASE("delivery: directories that scripts decode into") {
  Jobs jobs;
  jobs.set("KUBE_CONFIG", encoded("kubeconfig"));
  const auto links_of = [&](const std::string& path) {
    jobs.expanded.set({.key = "KUBECONFIG", .value = path});
    return jobs.secrets().links;
  };
  CHECK(jobs.secrets().links.empty());
  CHECK(links_of("/root/.kube/config") == std::vector<std::string>{"/root/.kube"});
  CHECK(jobs.secrets().needs_memory());
  for (const char* path : {"config", "/config", "/builds/group/shop/kubeconfig", "/cache/config",
                           "/a/b:/c/d", "/a/../b/c", "/run/berth/credentials/KUBE_CONFIG"})
    CHECK(links_of(path).empty());
  jobs.settings.shield_paths = {"/root/.docker", "/home"};
  CHECK(links_of("/root/.kube/config").size() == 1);
  CHECK(links_of("/home/me/.kube/config").empty());
  CHECK(jobs.secrets().mounts == jobs.settings.shield_paths);
  jobs.settings.shield_kubeconfig = false;
  CHECK(links_of("/root/.kube/config").empty());
}

TEST_CASE("report: one line per credential, and warnings") {
  Jobs jobs;
  jobs.set("KUBE_CONFIG", encoded("kubeconfig with a token"));
  jobs.set("SSH_PRIVATE_KEY", sample("ssh key").text);
  jobs.report();
  REQUIRE(jobs.log.lines.size() == 2);
  CHECK(jobs.log.lines[0].starts_with("credential KUBE_CONFIG: kubeconfig, "));
  CHECK(jobs.log.lines[1].starts_with("credential SSH_PRIVATE_KEY: "));
  for (const auto& one : {"kubeconfig with a token", "ssh key"})
    for (const std::string& secret : sample(one).secrets)
      for (const std::string& line : jobs.log.lines) CHECK(line.find(secret) == std::string::npos);
}

TEST_CASE("report: what ends soon, what has ended, what is cut") {
  const auto config = [](int days) {
    const auto user = make_identity("deployer", days);
    return support::base64_encode(test::kubeconfig_text(user, user.certificate, ""));
  };
  Jobs jobs;
  SECTION("in 13 days") {
    jobs.set("KUBE_CONFIG", config(13));
    jobs.report();
    REQUIRE(jobs.log.warnings.size() == 1);
    CHECK_THAT(jobs.log.warnings[0], ContainsSubstring("it expires in 1"));
  }
  SECTION("in a month") {
    jobs.set("KUBE_CONFIG", config(30));
    jobs.report();
    CHECK(jobs.log.warnings.empty());
    CHECK_THAT(jobs.log.lines.at(0), ContainsSubstring("expires 2026-07-"));
  }
  SECTION("already") {
    jobs.set("KUBE_CONFIG", config(-1));
    jobs.report();
    REQUIRE(jobs.log.warnings.size() == 1);
    CHECK_THAT(jobs.log.warnings[0], ContainsSubstring("it will not work: "));
    jobs.settings.on_invalid = Credentials::OnInvalid::fail;
    CHECK_THAT(tests::message_of<support::JobError>([&] { jobs.report(); }),
               ContainsSubstring("credential KUBE_CONFIG: it will not work: "));
    jobs.settings.scope = {{.variables = {"*"}, .protected_refs = true}};
    CHECK_NOTHROW(jobs.report());
  }
  SECTION("cut") {
    const std::string whole = encoded("service account");
    jobs.set("GCP_SA_KEY", whole.substr(0, whole.size() / 2));
    jobs.report();
    CHECK(jobs.log.lines.empty());
    REQUIRE(jobs.log.warnings.size() == 1);
    CHECK_THAT(jobs.log.warnings[0], ContainsSubstring("credential GCP_SA_KEY: truncated: "));
  }
  SECTION("with a `$` that names nothing, which may be part of a secret") {
    const std::string netrc = "machine example.com login me password Zq5";
    jobs.job.variables.set({.key = "NETRC", .value = netrc + "$Secret9"});
    jobs.expanded.set({.key = "NETRC", .value = netrc});
    jobs.report();
    REQUIRE(jobs.log.warnings.size() == 1);
    CHECK_THAT(jobs.log.warnings[0], ContainsSubstring("credential NETRC: it has a `$`"));
    CHECK_THAT(jobs.log.warnings[0], !ContainsSubstring("Secret9"));
  }
  SECTION("wrapped") {
    jobs.set("KUBE_CONFIG", test::wrapped(config(30), 76));
    jobs.report();
    REQUIRE(jobs.log.lines.size() == 2);
    CHECK_THAT(jobs.log.lines[1], ContainsSubstring("scripts get it in one line"));
  }
}
