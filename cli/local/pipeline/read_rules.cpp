#include "cli/local/pipeline/entries.hpp"
#include "cli/local/pipeline/expression.hpp"
#include "cli/local/pipeline/fields.hpp"
#include "cli/local/pipeline/pattern.hpp"

#include <fmt/core.h>

#include <array>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 4> k_rule{"if", "when", "allow_failure", "variables"};
constexpr std::array<std::string_view, 6> k_rule_unsupported{
    "changes", "exists", "start_in", "needs", "interruptible", "auto_cancel"};
constexpr std::array<std::string_view, 5> k_when{"on_success", "on_failure", "always", "manual",
                                                 "never"};
constexpr std::array<std::string_view, 1> k_refs{"refs"};
constexpr std::array<std::string_view, 3> k_refs_unsupported{"variables", "changes", "kubernetes"};

void read_condition(const Value& map, Rule& rule, Problems& problems) {
  const auto text = string_field(map, "if", problems);
  if (!text) return;
  const Value& value = *map.find("if")->value;
  try {
    // GitLab too checks an expression by working it out without variables.
    evaluate(*text, core::Variables{});
    rule.condition = Named{*text, value.place};
  } catch (const InvalidExpression& error) {
    problems.add(value.place, fmt::format("`if: {}`: at its character {}: {}", *text,
                                          error.offset() + 1, error.what()));
  }
}

void read_when(const Value& map, Rule& rule, Problems& problems) {
  const Entry* entry = present_entry(map, "when");
  if (entry != nullptr && entry->value->text == "delayed") {
    problems.add(entry->value->place, "`when: delayed` is not supported by berth local yet");
    return;
  }
  rule.when = choice_field(map, "when", k_when, problems).value_or("");
}

}  // namespace

std::vector<Rule> read_rules(const Entry& entry, Problems& problems) {
  std::vector<Rule> rules;
  if (!entry.value->is(Value::Kind::list)) {
    wrong_type(entry, "a list of rules", problems);
    return rules;
  }
  if (entry.value->items.empty()) problems.add(entry.value->place, "`rules` is empty");
  for (const ValuePtr& item : flatten(*entry.value, problems)) {
    if (!item->is(Value::Kind::map)) {
      problems.add(item->place, fmt::format("a rule must be a map, not {}", kind_name(*item)));
      continue;
    }
    if (item->entries.empty()) problems.add(item->place, "a rule is empty");
    check_keys(*item, {"a rule", k_rule, k_rule_unsupported}, problems);
    Rule rule;
    rule.place = item->place;
    read_condition(*item, rule, problems);
    read_when(*item, rule, problems);
    rule.allow_failure = boolean_field(*item, "allow_failure", problems);
    if (const Entry* variables = present_entry(*item, "variables")) {
      rule.variables = read_variables(*variables, VariableForm::plain, problems);
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::vector<Named> read_refs(const Entry& entry, Problems& problems) {
  const Value* list = entry.value.get();
  if (list->is(Value::Kind::map)) {
    check_keys(*list, {fmt::format("`{}`", entry.key), k_refs, k_refs_unsupported}, problems);
    const Entry* refs = present_entry(*list, "refs");
    if (refs == nullptr) {
      if (list->entries.empty()) problems.add(list->place, fmt::format("`{}` is empty", entry.key));
      return {};
    }
    list = refs->value.get();
  }
  if (!list->is(Value::Kind::list)) {
    wrong_type(entry, "a list of refs or a map with `refs`", problems);
    return {};
  }
  std::vector<Named> refs;
  for (const ValuePtr& item : list->items) {
    if (!item->is(Value::Kind::string)) {
      problems.add(item->place,
                   fmt::format("a ref must be a string, not {}: quote it", kind_name(*item)));
      continue;
    }
    std::string error;
    if (looks_like_pattern(item->text) && !Pattern::parse(item->text, error)) {
      problems.add(item->place,
                   fmt::format("`{}` is no regular expression of RE2: {}", item->text, error));
      continue;
    }
    refs.push_back({item->text, item->place});
  }
  return refs;
}

}  // namespace berth::local::pipeline
