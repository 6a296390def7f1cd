#pragma once

#include "cli/local/pipeline/problems.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Readers of single keywords: from a Value to the types of pipeline.hpp. What is
/// wrong goes to `problems`; the result then holds what could be read.
namespace berth::local::pipeline {

/// A name and where it stands.
struct Named {
  std::string name;
  Place place;
};

/// Which keys a variable that is a map may have.
enum class VariableForm {
  global,  ///< value, description, expand, options
  job,     ///< value, expand
  plain    ///< none: rules and services take plain values only
};

std::vector<core::Variable> read_variables(const Entry& entry, VariableForm form,
                                           Problems& problems);

std::optional<core::Image> read_image(const Entry& entry, Problems& problems);
std::vector<core::Image> read_services(const Entry& entry, Problems& problems);
std::optional<Artifacts> read_artifacts(const Entry& entry, Problems& problems);
/// Works keys of files out with the context, and adds the suffix of the ref.
std::vector<Cache> read_caches(const Entry& entry, const Context& context, Problems& problems);
Retry read_retry(const Entry& entry, Problems& problems);
std::optional<Environment> read_environment(const Entry& entry, Problems& problems);

struct AllowFailure {
  bool allowed = false;
  std::vector<int> exit_codes;
};
std::optional<AllowFailure> read_allow_failure(const Entry& entry, Problems& problems);

struct NeedEntry {
  Need need;
  Place place;
};
std::vector<NeedEntry> read_needs(const Entry& entry, Problems& problems);

/// One of `rules`.
struct Rule {
  Place place;
  /// The expression and where it stands; absent: matches always.
  std::optional<Named> condition;
  /// on_success, on_failure, always, manual, never; empty: the job's own.
  std::string when;
  std::optional<bool> allow_failure;
  std::vector<core::Variable> variables;
};
std::vector<Rule> read_rules(const Entry& entry, Problems& problems);

/// `only` and `except`: names, /patterns/ and keywords of refs.
std::vector<Named> read_refs(const Entry& entry, Problems& problems);

/// Nothing where the word is no `when` of a job.
std::optional<When> when_of(const std::string& word);

}  // namespace berth::local::pipeline
