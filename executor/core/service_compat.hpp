#pragma once

#include "executor/core/job.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::core {

/// Variables that let a service's image of today start as its older ones did, for
/// pipelines that were written for those (`service_compat` of the settings). `own`:
/// what the job gives this service; beside it a service gets the job's public
/// variables. Empty where the service needs none. Pure.
std::map<std::string, std::string> service_compat(std::string_view image,
                                                  const std::vector<Variable>& own, const Job& job,
                                                  const Variables& expanded);

}  // namespace berth::core
