#pragma once

#include "cli/local/pipeline/entries.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace berth::local::pipeline {

/// `default:` and the global forms of its keywords (`image:` at the top level).
using Defaults = std::map<std::string, Entry, std::less<>>;

/// One job's words, read and checked, before it is known whether it takes part.
struct JobWords {
  /// What needs no decision: script, image, artifacts, ... Its variables are the
  /// job's own.
  Job job;
  std::optional<std::vector<Rule>> rules;
  std::optional<std::vector<Named>> only;
  std::vector<Named> except;
  std::optional<When> when;
  std::optional<AllowFailure> allow_failure;
  std::optional<std::vector<NeedEntry>> needs;
  std::optional<std::vector<Named>> dependencies;
  Place place;
  Place stage_place;
  Place environment_place;
};

/// A map's top-level entry without a leading dot that is no keyword.
bool is_visible_job(const Entry& entry);

Defaults read_defaults(const Value& root, Problems& problems);

JobWords read_job(const Entry& entry, const Defaults& defaults, const Context& context,
                  Problems& problems);

}  // namespace berth::local::pipeline
