#include "executor/core/failure_policy.hpp"

namespace berth::core {

Outcome outcome_of(support::Fault fault) {
  return fault == support::Fault::job ? Outcome::build_failure : Outcome::system_failure;
}

std::string to_string(support::Fault fault) {
  switch (fault) {
    case support::Fault::job:
      return "job";
    case support::Fault::operator_:
      return "operator";
    case support::Fault::infrastructure:
      return "system";
  }
  return "system";
}

}  // namespace berth::core
