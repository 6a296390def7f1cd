#pragma once

#include "cli/local/pipeline/pipeline.hpp"

#include <map>
#include <string>
#include <vector>

namespace berth::tests {

/// A commit without git: path -> content. Blob ids are git's.
using Files = std::map<std::string, std::string>;

local::pipeline::Context context_of(Files files = {});

/// Loads `text` as .gitlab-ci.yml of branch main.
local::pipeline::Pipeline load_text(const std::string& text, Files files = {});

/// The lines of the error, or "" where there is none.
std::string problems_of(const std::string& text, Files files = {});

const local::pipeline::Job& job_of(const local::pipeline::Pipeline& pipeline,
                                   const std::string& name);

std::vector<std::string> names_of(const local::pipeline::Pipeline& pipeline);

/// A variable's value in a list; "<none>" where it is not there.
std::string value_in(const std::vector<core::Variable>& variables, const std::string& key);

core::Variable variable(std::string key, std::string value);

}  // namespace berth::tests
