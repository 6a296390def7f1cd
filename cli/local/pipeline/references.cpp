#include "cli/local/pipeline/merge.hpp"

#include <fmt/core.h>

#include <map>
#include <set>
#include <string>
#include <utility>

namespace berth::local::pipeline {
namespace {

std::string words(const Value& reference) {
  std::string text = "!reference [";
  for (std::size_t i = 0; i < reference.items.size(); ++i) {
    text += (i == 0 ? "" : ", ") + reference.items[i]->text;
  }
  return text + "]";
}

class Resolver {
 public:
  Resolver(const Value& root, Problems& problems) : m_root(root), m_problems(problems) {}

  ValuePtr resolve(const ValuePtr& value, int depth) {
    if (!value->refers) return value;
    if (depth > k_max_depth) {
      m_problems.add(value->place, fmt::format("nested deeper than {} levels", k_max_depth));
      m_problems.check();
    }
    if (const auto known = m_done.find(value.get()); known != m_done.end()) return known->second;
    ValuePtr result;
    if (value->is(Value::Kind::reference)) {
      result = dereference(*value, depth);
    } else {
      auto copy = std::make_shared<Value>(*value);
      for (ValuePtr& item : copy->items) item = resolve(item, depth + 1);
      for (Entry& entry : copy->entries) entry.value = resolve(entry.value, depth + 1);
      result = within_limits(std::move(copy));
    }
    m_done.emplace(value.get(), result);
    return result;
  }

 private:
  static ValuePtr nothing(const Value& at) {
    auto value = std::make_shared<Value>();
    value->place = at.place;
    return value;
  }

  ValuePtr within_limits(std::shared_ptr<Value> value) {
    measure(*value);
    if (value->weight > k_max_composed) {
      m_problems.add(value->place, fmt::format("too large: more than {} values with all references",
                                               k_max_composed));
    } else if (value->height > k_max_depth) {
      m_problems.add(value->place, fmt::format("nested deeper than {} levels", k_max_depth));
    } else {
      return value;
    }
    m_problems.check();
    return value;
  }

  ValuePtr dereference(const Value& reference, int depth) {
    if (!m_open.insert(&reference).second) {
      m_problems.add(reference.place, fmt::format("{} refers to itself", words(reference)));
      return nothing(reference);
    }
    ValuePtr result = nothing(reference);
    if (const ValuePtr target = find(reference)) result = resolve(target, depth + 1);
    m_open.erase(&reference);
    return result;
  }

  ValuePtr find(const Value& reference) {
    const Value* here = &m_root;
    ValuePtr found;
    for (std::size_t i = 0; i < reference.items.size(); ++i) {
      const std::string& key = reference.items[i]->text;
      const Entry* entry = here->is(Value::Kind::map) ? here->find(key) : nullptr;
      if (entry == nullptr) {
        report_missing(reference, *here, i);
        return nullptr;
      }
      found = entry->value;
      here = found.get();
    }
    const bool is_false = found->is(Value::Kind::boolean) && !found->is_true();
    if (found->is(Value::Kind::null) || is_false) {
      m_problems.add(reference.place, fmt::format("{} is {}, which GitLab takes for missing",
                                                  words(reference), is_false ? "false" : "null"));
      return nullptr;
    }
    return found;
  }

  void report_missing(const Value& reference, const Value& here, std::size_t index) {
    const Value& word = *reference.items[index];
    std::string text = fmt::format("{} was not found: ", words(reference));
    if (here.is(Value::Kind::map)) {
      text += fmt::format("there is no `{}`", word.text);
      std::vector<std::string_view> candidates;
      for (const Entry& entry : here.entries) candidates.push_back(entry.key);
      if (const auto near = nearest(word.text, candidates); !near.empty()) {
        text += fmt::format("; did you mean `{}`?", near);
      }
    } else {
      text += fmt::format("`{}` is {} and has no keys",
                          reference.items[index == 0 ? 0 : index - 1]->text, kind_name(here));
    }
    m_problems.add(word.place, std::move(text));
  }

  const Value& m_root;
  Problems& m_problems;
  std::map<const Value*, ValuePtr> m_done;
  std::set<const Value*> m_open;
};

}  // namespace

ValuePtr resolve_references(const ValuePtr& root, Problems& problems) {
  return Resolver(*root, problems).resolve(root, 0);
}

}  // namespace berth::local::pipeline
