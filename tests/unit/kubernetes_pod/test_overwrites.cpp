#include "executor/kubernetes/pod/overwrites.hpp"
#include "executor/settings/resource_keys.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/core/fixtures.hpp"

using namespace berth;
using namespace berth::kubernetes;
using tests::vars;
using Notes = std::vector<std::string>;

namespace {

std::string refusal(const settings::Kubernetes& settings, const core::Variable& variable) {
  return tests::message_of<support::JobError>(
      [&] { apply_overwrites(settings, vars({variable})); });
}

}  // namespace

TEST_CASE("overwrites: nothing asked, nothing changed") {
  settings::Kubernetes settings;
  settings.namespace_name = "ci";
  // Kubernetes sets these in every pod; they are no overwrites.
  const JobSettings result =
      apply_overwrites(settings, vars({{.key = "KUBERNETES_SERVICE_HOST", .value = "10.0.0.1"},
                                       {.key = "KUBERNETES_PORT", .value = "443"},
                                       {.key = "KUBERNETES_NAMESPACE_OVERWRITE", .value = ""}}));
  CHECK(result.settings == settings);
  CHECK(result.notes.empty());
}

TEST_CASE("overwrites: what is not allowed is left aside and said") {
  settings::Kubernetes settings;
  settings.namespace_name = "ci";
  const JobSettings result =
      apply_overwrites(settings, vars({{.key = "KUBERNETES_NAMESPACE_OVERWRITE", .value = "other"},
                                       {.key = "KUBERNETES_BEARER_TOKEN", .value = "s3cr3t-t0ken"},
                                       {.key = "KUBERNETES_POD_LABELS_1", .value = "a=b"},
                                       {.key = "KUBERNETES_MEMORY_LIMIT", .value = "1Ti"}}));
  CHECK(result.settings == settings);
  CHECK(result.notes ==
        Notes{"KUBERNETES_NAMESPACE_OVERWRITE is left aside: the runner's settings have no "
              "namespace_overwrite_allowed",
              "KUBERNETES_BEARER_TOKEN is left aside: the runner's settings have no "
              "bearer_token_overwrite_allowed",
              "KUBERNETES_POD_LABELS_1 is left aside: the runner's settings have no "
              "pod_labels_overwrite_allowed",
              "KUBERNETES_MEMORY_LIMIT is left aside: the runner's settings have no "
              "memory_limit_overwrite_max_allowed"});
}

TEST_CASE("overwrites: patterns are found anywhere, as in the built-in executor") {
  settings::Kubernetes settings;
  settings.namespace_overwrite_allowed = "team";
  CHECK(apply_overwrites(settings,
                         vars({{.key = "KUBERNETES_NAMESPACE_OVERWRITE", .value = "my-team-ci"}}))
            .settings.namespace_name == "my-team-ci");
  CHECK(refusal(settings, {.key = "KUBERNETES_NAMESPACE_OVERWRITE", .value = "other"}) ==
        "overwrite refused: KUBERNETES_NAMESPACE_OVERWRITE: 'other' does not match "
        "namespace_overwrite_allowed, 'team'");
  // It becomes a part of a path.
  CHECK(refusal(settings, {.key = "KUBERNETES_NAMESPACE_OVERWRITE", .value = "team/../x"}) ==
        "overwrite refused: KUBERNETES_NAMESPACE_OVERWRITE: 'team/../x' is no name of such an "
        "object");
  settings.service_account_overwrite_allowed = ".*";
  CHECK(refusal(settings, {.key = "KUBERNETES_SERVICE_ACCOUNT_OVERWRITE", .value = "A b"}) ==
        "overwrite refused: KUBERNETES_SERVICE_ACCOUNT_OVERWRITE: 'A b' is no name of such an "
        "object");
}

TEST_CASE("overwrites: the token is taken, and never shown") {
  settings::Kubernetes settings;
  settings.bearer_token_overwrite_allowed = true;
  const JobSettings result = apply_overwrites(
      settings, vars({{.key = "KUBERNETES_BEARER_TOKEN", .value = "s3cr3t-t0ken"}}));
  CHECK(result.settings.bearer_token.expose() == "s3cr3t-t0ken");
  for (const std::string& note : result.notes) CHECK(note.find("s3cr3t") == std::string::npos);
}

TEST_CASE("overwrites: all 22 quantities, up to their maximum and no further") {
  for (const settings::ResourceKey& key : settings::resource_keys()) {
    INFO(key.key);
    settings::Kubernetes settings;
    key.value(settings.*key.container) = "1";
    key.maximum(settings.*key.container) = "2Gi";
    JobSettings result =
        apply_overwrites(settings, vars({{.key = key.variable, .value = "2048Mi"}}));
    CHECK(key.value(result.settings.*key.container) == "2048Mi");
    CHECK(result.notes.size() == 1);
    CHECK(refusal(settings, {.key = key.variable, .value = "2049Mi"}) ==
          "overwrite refused: " + key.variable + ": '2049Mi' is more than " + key.key +
              "_overwrite_max_allowed, 2Gi");
    CHECK(refusal(settings, {.key = key.variable, .value = "much"}) ==
          "overwrite refused: " + key.variable + ": 'much' is no quantity");
    CHECK(refusal(settings, {.key = key.variable, .value = "-1"}) ==
          "overwrite refused: " + key.variable + ": '-1' is no quantity");
  }
}

TEST_CASE("overwrites: maps take on entries") {
  settings::Kubernetes settings;
  settings.node_selector = {{"pool", "ci"}, {"disk", "ssd"}};
  settings.node_selector_overwrite_allowed = ".*";
  settings.node_tolerations = {{"a", "NoSchedule"}};
  settings.node_tolerations_overwrite_allowed = ".*";
  settings.pod_annotations_overwrite_allowed = ".*";
  const JobSettings result = apply_overwrites(
      settings, vars({{.key = "KUBERNETES_NODE_SELECTOR_1", .value = "pool=big"},
                      {.key = "KUBERNETES_NODE_SELECTOR_2", .value = "zone="},
                      {.key = "KUBERNETES_NODE_TOLERATIONS_1", .value = "b=c:NoExecute"},
                      {.key = "KUBERNETES_NODE_TOLERATIONS_2", .value = "a"},
                      {.key = "KUBERNETES_POD_ANNOTATIONS_X", .value = "k=a=b:c d"}}));
  using Map = std::map<std::string, std::string>;
  CHECK(result.settings.node_selector == Map{{"pool", "big"}, {"disk", "ssd"}, {"zone", ""}});
  CHECK(result.settings.node_tolerations == Map{{"a", ""}, {"b=c", "NoExecute"}});
  CHECK(result.settings.pod_annotations == Map{{"k", "a=b:c d"}});
}

TEST_CASE("overwrites: entries that make no sense are refused") {
  settings::Kubernetes settings;
  settings.node_selector_overwrite_allowed = ".*";
  settings.node_tolerations_overwrite_allowed = ".*";
  settings.pod_labels_overwrite_allowed = "^team=";
  const auto refused = [&](const char* key, const char* value) {
    return refusal(settings, {.key = key, .value = value}) != "no error";
  };
  CHECK(refused("KUBERNETES_NODE_SELECTOR_1", "no separator"));
  CHECK(refused("KUBERNETES_NODE_SELECTOR_1", "=x"));
  CHECK(refused("KUBERNETES_NODE_SELECTOR_1", "a=b c"));
  CHECK(refused("KUBERNETES_NODE_TOLERATIONS_1", "a:Whenever"));
  CHECK(refused("KUBERNETES_NODE_TOLERATIONS_1", "a b:NoSchedule"));
  CHECK(refused("KUBERNETES_POD_LABELS_1", "other=x"));
  CHECK_FALSE(refused("KUBERNETES_POD_LABELS_1", "team=x"));
  CHECK_FALSE(refused("KUBERNETES_NODE_TOLERATIONS_1", ":NoSchedule"));
  settings.pod_labels_overwrite_allowed = ".*";
  CHECK(refused("KUBERNETES_POD_LABELS_1", "berth.attempt=x"));
  CHECK(refused("KUBERNETES_POD_LABELS_1", "project.runner.gitlab.com/id=1"));
  const std::string masked = refusal(
      settings, {.key = "KUBERNETES_POD_LABELS_1", .value = "a=hunter2hunter2", .masked = true});
  CHECK(masked.find("masked") != std::string::npos);
  CHECK(masked.find("hunter2") == std::string::npos);
}

TEST_CASE("overwrites: one service's own come before the job's") {
  settings::Kubernetes settings;
  settings.service.limits.cpu = "1";
  settings.service.max_limits.cpu = "4";
  settings.service.requests.memory = "1Gi";
  Notes notes;
  const settings::Resources resources =
      service_resources(settings,
                        {{.key = "KUBERNETES_SERVICE_CPU_LIMIT", .value = "3"},
                         {.key = "KUBERNETES_SERVICE_MEMORY_REQUEST", .value = "2Gi"},
                         {.key = "KUBERNETES_CPU_LIMIT", .value = "9"}},
                        "db", notes);
  CHECK(resources.limits.cpu == "3");
  CHECK(resources.requests.memory == "1Gi");
  CHECK(notes == Notes{"KUBERNETES_SERVICE_CPU_LIMIT of service 'db' is '3'",
                       "KUBERNETES_SERVICE_MEMORY_REQUEST of service 'db' is left aside: the "
                       "runner's settings have no service_memory_request_overwrite_max_allowed"});
  CHECK_THROWS_AS(
      service_resources(settings, {{.key = "KUBERNETES_SERVICE_CPU_LIMIT", .value = "5"}}, "db",
                        notes),
      support::JobError);
}
