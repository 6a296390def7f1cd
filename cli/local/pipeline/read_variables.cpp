#include "cli/local/pipeline/entries.hpp"
#include "cli/local/pipeline/fields.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 4> k_global{"value", "description", "expand", "options"};
constexpr std::array<std::string_view, 2> k_job{"value", "expand"};

/// `options` are checked only: they prefill the form of a manual run.
void check_options(const Value& map, const std::string& value, Problems& problems) {
  const auto options = strings_field(map, "options", problems);
  if (!options || options->empty()) return;
  if (std::find(options->begin(), options->end(), value) != options->end()) return;
  problems.add(map.find("options")->value->place, "`value` must be one of `options`");
}

void read_map(const Entry& entry, VariableForm form, core::Variable& variable, Problems& problems) {
  if (form == VariableForm::plain) {
    wrong_type(entry, "a plain value here", problems);
    return;
  }
  const Value& map = *entry.value;
  const bool global = form == VariableForm::global;
  check_keys(map,
             {global ? "a global variable" : "a job's variable",
              global ? std::span<const std::string_view>(k_global)
                     : std::span<const std::string_view>(k_job),
              {}},
             problems);
  if (const Entry* value = present_entry(map, "value")) {
    if (value->value->is_scalar()) {
      variable.value = value->value->text;
    } else {
      wrong_type(*value, "a plain value", problems);
    }
  }
  if (const auto expanded = boolean_field(map, "expand", problems)) variable.raw = !*expanded;
  if (!global) return;
  string_field(map, "description", problems);
  check_options(map, variable.value, problems);
}

}  // namespace

std::vector<core::Variable> read_variables(const Entry& entry, VariableForm form,
                                           Problems& problems) {
  std::vector<core::Variable> variables;
  if (!entry.value->is(Value::Kind::map)) {
    wrong_type(entry, "a map of variables", problems);
    return variables;
  }
  for (const Entry& each : entry.value->entries) {
    core::Variable variable;
    variable.key = each.key;
    variable.is_public = true;
    if (each.key.empty()) problems.add(each.place, "a variable needs a name");
    if (each.value->is_scalar()) {
      variable.value = each.value->text;
    } else if (each.value->is(Value::Kind::map)) {
      read_map(each, form, variable, problems);
    } else {
      problems.add(
          each.value->place,
          fmt::format("the variable `{}` must be a plain value, not {}{}", each.key,
                      kind_name(*each.value),
                      each.value->is(Value::Kind::null) ? "; for an empty one write \"\"" : ""));
    }
    variables.push_back(std::move(variable));
  }
  return variables;
}

}  // namespace berth::local::pipeline
