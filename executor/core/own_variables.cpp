#include "executor/core/backend.hpp"
#include "executor/core/planner.hpp"

namespace berth::core {

std::vector<Variable> own_variables(const PrepareInput& input, const ServiceSpec& service) {
  std::vector<Variable> own;
  if (service.job_index >= 0) {
    own = input.job.services.at(static_cast<std::size_t>(service.job_index)).variables;
  } else if (service.settings_index >= 0 && input.default_services != nullptr) {
    own = input.default_services->at(static_cast<std::size_t>(service.settings_index)).variables;
  }
  for (const auto& [key, value] : service.added)
    own.push_back({.key = key, .value = value, .raw = true});
  return own;
}

}  // namespace berth::core
