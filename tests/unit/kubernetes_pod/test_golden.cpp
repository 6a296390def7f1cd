// What each key of the kubernetes section does to the pod: golden/<key>.txt has
// the settings (and, where it matters, the job), and how the pod then differs from
// the one without either. golden/pod.json is that pod, whole.
//
// ACCEPT_GOLDEN=1 writes the differences anew: look at them in `git diff`. A new
// case is a file with the parts "--- settings" and "--- job" alone.

#include "executor/settings/resource_keys.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_pod/pod_fixture.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace berth;
using nlohmann::json;

namespace {

const std::filesystem::path k_folder =
    std::filesystem::path(BERTH_SOURCE_DIR) / "tests/unit/kubernetes_pod/golden";

bool accepting() {
  const char* accept = std::getenv("ACCEPT_GOLDEN");
  return accept != nullptr && std::string_view(accept) == "1";
}

/// Every leaf under a path that names elements of lists where they have names.
void flatten(const json& value, const std::string& path, std::map<std::string, std::string>& all) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, item] : value.items()) flatten(item, path + "." + key, all);
    return;
  }
  if (!value.is_array() || value.empty()) {
    all[path] = value.dump();
    return;
  }
  std::size_t number = 0;
  for (const json& item : value) {
    std::string name = std::to_string(number++);
    // A volume may be mounted in several places.
    for (const char* key : {"mountPath", "name", "ip"}) {
      if (item.is_object() && item.contains(key)) {
        name = item.at(key).get<std::string>();
        break;
      }
    }
    flatten(item, path + "[" + name + "]", all);
  }
}

std::map<std::string, std::string> leaves(tests::PodFixture& fixture) {
  std::map<std::string, std::string> all;
  flatten(fixture.pod(), "", all);
  all["(namespace of the request)"] = fixture.settings.kubernetes.namespace_name;
  for (const std::string& note : fixture.notes) all["(note) " + note] = "";
  return all;
}

std::string difference(const std::map<std::string, std::string>& before,
                       const std::map<std::string, std::string>& after) {
  std::map<std::string, std::string> lines;
  const auto line = [](const auto& leaf) {
    return leaf.first + (leaf.second.empty() ? "" : " = " + leaf.second) + "\n";
  };
  for (const auto& leaf : before) {
    const auto found = after.find(leaf.first);
    if (found == after.end() || found->second != leaf.second) {
      lines[leaf.first] += "- " + line(leaf);
    }
  }
  for (const auto& leaf : after) {
    const auto found = before.find(leaf.first);
    if (found == before.end() || found->second != leaf.second) {
      lines[leaf.first] += "+ " + line(leaf);
    }
  }
  std::string text;
  for (const auto& [path, both] : lines) text += both;
  return text.empty() ? "(the same)\n" : text;
}

struct Case {
  std::string settings;
  std::string job;
  std::string pod;
};

Case read_case(const std::filesystem::path& file) {
  Case parts;
  std::string* part = nullptr;
  std::istringstream lines(support::read_file(file, 100000));
  for (std::string line; std::getline(lines, line);) {
    if (line == "--- settings") {
      part = &parts.settings;
    } else if (line == "--- job") {
      part = &parts.job;
    } else if (line == "--- pod") {
      part = &parts.pod;
    } else if (part != nullptr) {
      *part += line + "\n";
    }
  }
  return parts;
}

/// Lines NAME=value are variables; lower case words set something else.
void set_up_job(tests::PodFixture& fixture, const std::string& job) {
  fixture.service("postgres:15", "db");
  std::istringstream lines(job);
  for (std::string line; std::getline(lines, line);) {
    const std::string key = line.substr(0, line.find('='));
    const std::string value = line.substr(std::min(line.size(), key.size() + 1));
    if (key == "image") {
      fixture.job.image->name = value;
    } else if (key == "user") {
      fixture.job.image->kubernetes_user = value;
    } else if (key == "service_user") {
      fixture.job.services.front().kubernetes_user = value;
    } else if (key == "pull_policy") {
      fixture.job.image->pull_policy = {value};
    } else if (key == "entrypoint") {
      fixture.job.image->entrypoint = std::vector<std::string>{value};
    } else if (key == "service_variable") {
      const std::size_t equals = value.find('=');
      fixture.job.services.front().variables.push_back(
          {.key = value.substr(0, equals), .value = value.substr(equals + 1)});
    } else if (key == "registry_logins") {
      fixture.registry_logins = true;
    } else {
      // Not public: it is not to be seen in the environment too.
      fixture.variable({.key = key, .value = value});
    }
  }
}

std::string pod_of(const Case& parts) {
  tests::PodFixture plain;
  set_up_job(plain, "");
  tests::PodFixture fixture;
  set_up_job(fixture, parts.job);
  fixture.yaml = parts.settings;
  try {
    return difference(leaves(plain), leaves(fixture));
  } catch (const support::Error& error) {
    return std::string("! ") + error.what() + "\n";
  }
}

/// Keys of [runners.kubernetes] (gitlab-runner 19.4.0, common/config.go), without
/// those of resources, and our own.
const std::set<std::string> k_keys{"affinity",
                                   "agent_image",
                                   "allow_privilege_escalation",
                                   "allowed_groups",
                                   "allowed_images",
                                   "allowed_pull_policies",
                                   "allowed_services",
                                   "allowed_users",
                                   "automount_service_account_token",
                                   "autoscaler",
                                   "bearer_token",
                                   "bearer_token_overwrite_allowed",
                                   "build_container_security_context",
                                   "ca_file",
                                   "cap_add",
                                   "cap_drop",
                                   "cert_file",
                                   "cleanup_grace_period_seconds",
                                   "cleanup_resources_timeout",
                                   "container_lifecycle",
                                   "context",
                                   "dns_config",
                                   "dns_policy",
                                   "helper_container_security_context",
                                   "helper_image",
                                   "helper_image_autoset_arch_and_os",
                                   "helper_image_flavor",
                                   "host",
                                   "host_aliases",
                                   "image",
                                   "image_pull_secrets",
                                   "init_permissions_container_security_context",
                                   "key_file",
                                   "kubeconfig",
                                   "logs_base_dir",
                                   "namespace",
                                   "namespace_overwrite_allowed",
                                   "namespace_per_job",
                                   "node_selector",
                                   "node_selector_overwrite_allowed",
                                   "node_tolerations",
                                   "node_tolerations_overwrite_allowed",
                                   "pod_annotations",
                                   "pod_annotations_overwrite_allowed",
                                   "pod_disruption_budget",
                                   "pod_labels",
                                   "pod_labels_overwrite_allowed",
                                   "pod_security_context",
                                   "pod_spec",
                                   "pod_termination_grace_period_seconds",
                                   "poll_interval",
                                   "poll_timeout",
                                   "print_pod_warning_events",
                                   "priority_class_name",
                                   "privileged",
                                   "pull_policy",
                                   "resource_availability_check_max_attempts",
                                   "retry_backoff_max",
                                   "retry_limit",
                                   "retry_limits",
                                   "runtime_class_name",
                                   "scheduler_name",
                                   "scripts_base_dir",
                                   "service_account",
                                   "service_account_overwrite_allowed",
                                   "service_container_security_context",
                                   "services",
                                   "suspend_pvc_size",
                                   "suspend_pvc_storage_class",
                                   "use_service_account_image_pull_secrets",
                                   "volumes",
                                   "wait_for_services_timeout"};

/// Say how the cluster is spoken to, or how long; nothing of the pod.
const std::set<std::string> k_not_in_the_pod{"bearer_token",
                                             "bearer_token_overwrite_allowed",
                                             "ca_file",
                                             "cert_file",
                                             "cleanup_grace_period_seconds",
                                             "cleanup_resources_timeout",
                                             "context",
                                             "host",
                                             "key_file",
                                             "kubeconfig",
                                             "poll_interval",
                                             "poll_timeout",
                                             "print_pod_warning_events",
                                             "wait_for_services_timeout"};

std::set<std::string> all_keys() {
  std::set<std::string> keys = k_keys;
  for (const settings::ResourceKey& key : settings::resource_keys()) {
    keys.insert(key.key);
    keys.insert(key.key + "_overwrite_max_allowed");
  }
  return keys;
}

bool is_refused(const std::string& key) {
  try {
    settings::parse("kubernetes:\n  " + key + ": x\n", "f");
  } catch (const support::OperatorError& error) {
    return std::string(error.what()) == "f:2:3: '" + key + "' in 'kubernetes' is not yet supported";
  }
  return false;
}

}  // namespace

TEST_CASE("kubernetes golden: the pod without settings") {
  tests::PodFixture fixture;
  set_up_job(fixture, "");
  const std::string text = fixture.pod().dump(2) + "\n";
  if (accepting()) std::ofstream(k_folder / "pod.json") << text;
  CHECK(support::read_file(k_folder / "pod.json", 100000) == text);
}

TEST_CASE("kubernetes golden: what each key changes") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(k_folder)) {
    if (entry.path().extension() != ".txt") continue;
    ++files;
    INFO(entry.path().filename().string());
    const Case parts = read_case(entry.path());
    const std::string pod = pod_of(parts);
    if (accepting()) {
      std::ofstream(entry.path()) << "--- settings\n"
                                  << parts.settings
                                  << (parts.job.empty() ? "" : "--- job\n" + parts.job)
                                  << "--- pod\n"
                                  << pod;
    } else {
      CHECK(parts.pod == pod);
    }
  }
  CHECK(files > 80);
}

TEST_CASE("kubernetes golden: every key is shown, refused, or none of the pod's") {
  // 113 of the runner's, and kubeconfig, agent_image and wait_for_services_timeout.
  CHECK(all_keys().size() == 113 + 3);
  for (const std::string& key : all_keys()) {
    INFO(key);
    const bool shown = std::filesystem::exists(k_folder / (key + ".txt"));
    if (shown) CHECK(read_case(k_folder / (key + ".txt")).settings.find(key) != std::string::npos);
    CHECK(int{shown} + int{is_refused(key)} + int{k_not_in_the_pod.contains(key)} == 1);
  }
}
