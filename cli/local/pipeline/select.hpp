#pragma once

#include "cli/local/pipeline/read_job.hpp"

namespace berth::local::pipeline {

/// Decides by `rules` (or `only` and `except`) whether a job takes part, and sets
/// what they decide: when, allow_failure, variables. `global` are the variables of
/// the top level. False where it does not take part.
bool select(JobWords& words, const std::vector<core::Variable>& global, const Context& context,
            Problems& problems);

/// Does a pipeline of this ref and source stand under that word of only/except:
/// branches, tags, a source (`pushes`, `web`), a name, a /pattern/, each with
/// `@group/project` behind it or not (Policy::Refs)?
bool ref_matches(const std::string& word, const Context& context);

}  // namespace berth::local::pipeline
