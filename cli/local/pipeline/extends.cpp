#include "cli/local/pipeline/merge.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace berth::local::pipeline {
namespace {

/// Jobs in a chain that extend another: Extendable::Entry takes ten above the last.
constexpr std::size_t k_max_levels = 11;

class Extender {
 public:
  Extender(const ValuePtr& root, Problems& problems) : m_root(*root), m_problems(problems) {
    for (const Entry& entry : m_root.entries) m_by_name.emplace(entry.key, &entry);
  }

  ValuePtr run() {
    auto out = make_map(m_root.place);
    for (const Entry& entry : m_root.entries) {
      out->entries.push_back({entry.key, entry.place, extended(entry)});
    }
    measure(*out);
    return out;
  }

 private:
  ValuePtr extended(const Entry& entry) {
    if (const auto known = m_done.find(entry.key); known != m_done.end()) return known->second;
    ValuePtr result = entry.value;
    const Entry* extends = entry.value->is(Value::Kind::map) && !is_reserved(entry.key)
                               ? entry.value->find("extends")
                               : nullptr;
    if (extends != nullptr && !extends->value->is(Value::Kind::null)) {
      result = with_bases(entry, *extends);
    }
    m_done.emplace(entry.key, result);
    return result;
  }

  ValuePtr with_bases(const Entry& entry, const Entry& extends) {
    m_path.push_back(entry.key);
    std::size_t levels = 0;
    ValuePtr merged = make_map(entry.value->place);
    for (const ValuePtr& name : names(*extends.value)) {
      const ValuePtr base = base_of(entry, *name);
      if (!base) continue;
      merged = deep_merge(merged, base);
      if (const auto above = m_levels.find(name->text); above != m_levels.end()) {
        levels = std::max(levels, above->second);
      }
    }
    m_path.pop_back();
    m_levels[entry.key] = levels + 1;
    if (levels + 1 > k_max_levels) report_levels(entry, extends.place);
    return deep_merge(merged, entry.value);
  }

  std::vector<ValuePtr> names(const Value& value) {
    if (value.is(Value::Kind::string)) return {std::make_shared<const Value>(value)};
    const bool strings = value.is(Value::Kind::list) &&
                         std::all_of(value.items.begin(), value.items.end(), [](const auto& item) {
                           return item->is(Value::Kind::string);
                         });
    if (strings) return value.items;
    m_problems.add(
        value.place,
        fmt::format("`extends` takes a job's name or a list of names, not {}",
                    value.is(Value::Kind::list) ? "a list of other values" : kind_name(value)));
    return {};
  }

  ValuePtr base_of(const Entry& entry, const Value& name) {
    const auto found = m_by_name.find(name.text);
    if (found == m_by_name.end()) {
      std::vector<std::string_view> candidates;
      for (const Entry& other : m_root.entries) {
        if (!is_reserved(other.key)) candidates.push_back(other.key);
      }
      std::string text =
          fmt::format("`{}` extends `{}`, which does not exist", entry.key, name.text);
      if (const auto near = nearest(name.text, candidates); !near.empty()) {
        text += fmt::format("; did you mean `{}`?", near);
      }
      m_problems.add(name.place, std::move(text));
      return nullptr;
    }
    if (!found->second->value->is(Value::Kind::map)) {
      m_problems.add(name.place, fmt::format("`{}` extends `{}`, which is {} and no map", entry.key,
                                             name.text, kind_name(*found->second->value)));
      return nullptr;
    }
    if (std::find(m_path.begin(), m_path.end(), name.text) != m_path.end()) {
      m_problems.add(name.place,
                     fmt::format("`{}` extends itself by way of `{}`", name.text, m_path.back()));
      return nullptr;
    }
    if (m_path.size() > k_max_levels) {
      report_levels(entry, name.place);
      return nullptr;
    }
    return extended(*found->second);
  }

  void report_levels(const Entry& entry, const Place& place) {
    m_problems.add(place,
                   fmt::format("`{}` extends over more than {} levels", entry.key, k_max_levels));
  }

  const Value& m_root;
  Problems& m_problems;
  std::map<std::string, const Entry*, std::less<>> m_by_name;
  std::map<std::string, ValuePtr> m_done;
  /// Of those that extend: the longest chain below, themselves included.
  std::map<std::string, std::size_t> m_levels;
  std::vector<std::string> m_path;
};

}  // namespace

bool is_reserved(std::string_view key) {
  static constexpr std::array<std::string_view, 11> k_reserved{
      "default",      "include",  "stages", "variables", "workflow", "before_script",
      "after_script", "services", "image",  "cache",     "spec"};
  return std::find(k_reserved.begin(), k_reserved.end(), key) != k_reserved.end();
}

ValuePtr deep_merge(const ValuePtr& base, const ValuePtr& over) {
  if (!base->is(Value::Kind::map) || !over->is(Value::Kind::map)) return over;
  auto merged = make_map(over->place);
  merged->entries = base->entries;
  for (const Entry& entry : over->entries) {
    const Entry* below = base->find(entry.key);
    set_entry(*merged, {entry.key, entry.place,
                        below == nullptr ? entry.value : deep_merge(below->value, entry.value)});
  }
  measure(*merged);
  return merged;
}

ValuePtr resolve_extends(const ValuePtr& root, Problems& problems) {
  return Extender(root, problems).run();
}

}  // namespace berth::local::pipeline
