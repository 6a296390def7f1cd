#include "executor/docker/names.hpp"

namespace berth::docker {
namespace {

constexpr std::string_view k_project_label = "com.gitlab.gitlab-runner.project.id";

}  // namespace

std::string shared_network_name(int mtu) {
  return mtu > 0 ? "berth-mtu" + std::to_string(mtu) : "berth";
}

std::string helper_name(const core::JobSpec& spec) {
  return spec.resource_name + "-helper";
}
std::string build_name(const core::JobSpec& spec) {
  return spec.resource_name + "-build";
}
std::string service_name(const core::JobSpec& spec, std::size_t index) {
  return spec.resource_name + "-svc-" + std::to_string(index);
}
std::string network_name(const core::JobSpec& spec) {
  return spec.resource_name + "-net";
}
std::string lease_volume_name(const core::JobSpec& spec) {
  return spec.resource_name + "-lease";
}

Labels attempt_labels(const core::JobSpec& spec, std::string_view host, std::string_view type) {
  Labels labels = spec.labels;
  labels[std::string(k_label_managed)] = "true";
  labels[std::string(k_label_type)] = type;
  labels[std::string(k_label_attempt)] = spec.attempt;
  labels[std::string(k_label_host)] = host;
  labels[std::string(k_label_tmpdir)] = spec.tmpdir;
  labels[std::string(k_label_deadline)] = std::to_string(spec.deadline);
  labels[std::string(k_label_version)] = BERTH_VERSION;
  return labels;
}

Labels lasting_labels(const core::JobSpec& spec, std::string_view type) {
  Labels labels;
  labels[std::string(k_label_managed)] = "true";
  labels[std::string(k_label_type)] = type;
  labels[std::string(k_label_version)] = BERTH_VERSION;
  if (type == "cache" && spec.labels.contains(std::string(k_project_label))) {
    labels[std::string(k_project_label)] = spec.labels.at(std::string(k_project_label));
  }
  return labels;
}

}  // namespace berth::docker
