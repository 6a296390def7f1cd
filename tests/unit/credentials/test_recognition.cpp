#include "executor/credentials/recognition.hpp"
#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/credentials/samples.hpp"

using namespace berth;
using namespace berth::credentials;
using credentials::test::k_today;
using credentials::test::sample;
using settings::Credentials;

namespace {

struct Jobs {
  core::Job job;
  core::Variables expanded;
  Credentials settings;

  void set(core::Variable variable) {
    job.variables.set(variable);
    expanded.set(std::move(variable));
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& one : found()) all.push_back(one.name);
    return all;
  }
  std::vector<RecognisedVariable> found() const {
    return recognise_variables(job, expanded, settings, k_today);
  }
};

std::string encoded(std::string_view name) {
  return support::base64_encode(sample(name).text);
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("recognition: well-known names, then what is masked or a file") {
  Jobs jobs;
  jobs.set({.key = "HIDDEN", .value = encoded("service account"), .masked = true});
  jobs.set({.key = "PLAIN", .value = encoded("service account")});
  jobs.set({.key = "A_FILE", .value = sample("private key").text, .file = true});
  jobs.set({.key = "KUBE_CONFIG", .value = encoded("kubeconfig")});
  jobs.set({.key = "WORD", .value = "just-a-password-of-some-length", .masked = true});
  CHECK(jobs.names() == Names{"KUBE_CONFIG", "HIDDEN", "A_FILE"});
  jobs.settings.recognise = Credentials::Recognise::named;
  CHECK(jobs.names() == Names{"KUBE_CONFIG"});
  jobs.settings.names = {"PL*"};
  CHECK(jobs.names() == Names{"PLAIN", "KUBE_CONFIG"});
  jobs.settings.recognise = Credentials::Recognise::off;
  CHECK(jobs.names().empty());
}

TEST_CASE("recognition: values are those that scripts see") {
  Jobs jobs;
  jobs.job.variables.set({.key = "KUBE_CONFIG", .value = "$OTHER"});
  jobs.expanded.set({.key = "KUBE_CONFIG", .value = encoded("kubeconfig")});
  // A secret of `secrets:` is no variable of the payload.
  jobs.job.secret_keys = {"VAULT_KEY"};
  jobs.expanded.set({.key = "VAULT_KEY", .value = sample("ssh key").text});
  const auto found = jobs.found();
  REQUIRE(found.size() == 2);
  CHECK(found[0].value.expose() == encoded("kubeconfig"));
  CHECK(found[1].name == "VAULT_KEY");
  CHECK(found[1].finding.credential->type == Type::ssh_key);
}

TEST_CASE("recognition: GitLab's own variables are left out") {
  Jobs jobs;
  for (const char* key : {"CI_JOB_TOKEN", "CI_JOB_JWT_V2", "CI_REGISTRY_PASSWORD"})
    jobs.set({.key = key, .value = sample("jwt").text, .masked = true});
  CHECK(jobs.names().empty());
  jobs.set({.key = "CI_DEPLOY_KEY", .value = sample("private key").text, .masked = true});
  CHECK(jobs.names() == Names{"CI_DEPLOY_KEY"});
}

TEST_CASE("recognition: a `$` that names no variable is noticed") {
  const std::string begin = "machine example.com login me password ";
  const auto lost = [&](const std::string& sent, const std::string& seen, bool raw = false) {
    Jobs jobs;
    jobs.set({.key = "WORD", .value = "other"});
    jobs.job.variables.set({.key = "NETRC", .value = begin + sent, .raw = raw});
    jobs.expanded.set({.key = "NETRC", .value = begin + seen, .raw = raw});
    const auto found = jobs.found();
    REQUIRE(found.size() == 1);
    return found[0].lost_dollar;
  };
  CHECK(lost("secret$nothing-else", "secret-else"));
  CHECK(lost("secret${nothing}-else", "secret-else"));
  CHECK(lost("secret$1-else", "secret-else"));
  CHECK_FALSE(lost("secret-$WORD", "secret-other"));
  CHECK_FALSE(lost("secret$$else", "secret$else"));
  CHECK_FALSE(lost("secret$nothing", "secret$nothing", true));
  CHECK_FALSE(lost("secret-without", "secret-without"));
}

TEST_CASE("recognition: damage is told of only where a credential is meant") {
  const std::string text = encoded("kubeconfig");
  // Within a group of four: between two, what is there may be a kubeconfig that lacks a part.
  const std::string cut = text.substr(0, text.size() / 8 * 4 + 1);
  Jobs jobs;
  jobs.set({.key = "HIDDEN", .value = cut, .masked = true});
  CHECK(jobs.names().empty());
  jobs.set({.key = "PROD_KUBECONFIG", .value = cut});
  const auto found = jobs.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].finding.verdict == Verdict::truncated);
}

TEST_CASE("recognition: the first rule with the name decides who may have it") {
  Jobs jobs;
  jobs.set({.key = "KUBE_CONFIG_PROD", .value = encoded("kubeconfig")});
  const auto in_scope = [&] { return jobs.found().at(0).in_scope; };
  CHECK(in_scope());
  jobs.settings.scope = {{.variables = {"*_PROD"}, .projects = {"infra/**"}}, {.variables = {"*"}}};
  jobs.job.project_full_path = "shop/web";
  CHECK_FALSE(in_scope());
  jobs.job.project_full_path = "infra/a/b";
  CHECK(in_scope());
  jobs.settings.scope[0].protected_refs = true;
  CHECK_FALSE(in_scope());
  jobs.job.ref_protected = true;
  CHECK(in_scope());
  jobs.settings.scope[0].environments = {"production"};
  CHECK_FALSE(in_scope());
  jobs.job.variables.set({.key = "CI_ENVIRONMENT_NAME", .value = "production"});
  CHECK(in_scope());
  // GitLab's own definition comes first: a job cannot take another's place.
  Jobs other = jobs;
  other.job.variables = core::Variables();
  other.set({.key = "CI_ENVIRONMENT_NAME", .value = "review"});
  other.set({.key = "CI_ENVIRONMENT_NAME", .value = "production"});
  other.job.variables.set(*jobs.job.variables.find("KUBE_CONFIG_PROD"));
  CHECK_FALSE(other.found().at(0).in_scope);
}
