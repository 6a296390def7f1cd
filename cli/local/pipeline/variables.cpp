#include "cli/local/pipeline/variables.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace berth::local::pipeline {
namespace {

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9');
}

/// What stands at `at`: its length in the text, and the name it refers to.
/// `$$` and `%%` are of length 2 and have no name.
struct Reference {
  std::size_t length = 0;
  std::string_view name;
};

std::optional<Reference> reference_at(std::string_view text, std::size_t at) {
  const char mark = text[at];
  if (at + 1 >= text.size()) return std::nullopt;
  if (text[at + 1] == mark) return Reference{2, {}};
  const bool braces = mark == '$' && text[at + 1] == '{';
  const std::size_t start = at + (braces ? 2 : 1);
  if (start >= text.size() || !starts_name(text[start])) return std::nullopt;
  std::size_t end = start + 1;
  while (end < text.size() && in_name(text[end])) ++end;
  const std::string_view name = text.substr(start, end - start);
  if (mark == '$' && !braces) return Reference{end - at, name};
  const char closing = braces ? '}' : '%';
  if (end >= text.size() || text[end] != closing) return std::nullopt;
  return Reference{end + 1 - at, name};
}

using Replace = std::function<std::string(std::string_view name, std::string_view written)>;

std::string replace_references(std::string_view text, const Replace& replace) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto found = text[i] == '$' || text[i] == '%' ? reference_at(text, i) : std::nullopt;
    if (!found) {
      out += text[i++];
      continue;
    }
    const std::string_view written = text.substr(i, found->length);
    out += found->name.empty() ? std::string(written) : replace(found->name, written);
    i += found->length;
  }
  return out;
}

using ByKey = std::map<std::string, std::vector<std::size_t>, std::less<>>;

/// Tarjan's strongly connected components, without recursion: how deep variables
/// refer to each other is the user's choice. Each component comes after those it
/// depends on, as from Ruby's TSort.
class Sorter {
 public:
  explicit Sorter(const std::vector<core::Variable>& variables)
      : m_children(variables.size()), m_nodes(variables.size()) {
    ByKey by_key;
    for (std::size_t i = 0; i < variables.size(); ++i) by_key[variables[i].key].push_back(i);
    for (std::size_t i = 0; i < variables.size(); ++i) {
      if (variables[i].raw) continue;
      replace_references(variables[i].value, [&](std::string_view name, std::string_view) {
        if (const auto found = by_key.find(name); found != by_key.end()) {
          m_children[i].insert(m_children[i].end(), found->second.begin(), found->second.end());
        }
        return std::string{};
      });
    }
  }

  std::vector<std::vector<std::size_t>> components() {
    for (std::size_t i = 0; i < m_nodes.size(); ++i) {
      if (m_nodes[i].index == 0) visit(i);
    }
    return std::move(m_components);
  }

 private:
  struct Node {
    std::size_t index = 0;
    std::size_t lowest = 0;
    std::size_t next_child = 0;
    bool on_stack = false;
  };

  void enter(std::size_t i) {
    m_nodes[i].index = m_nodes[i].lowest = ++m_count;
    m_nodes[i].on_stack = true;
    m_stack.push_back(i);
    m_calls.push_back(i);
  }

  void visit(std::size_t root) {
    enter(root);
    while (!m_calls.empty()) {
      const std::size_t here = m_calls.back();
      Node& node = m_nodes[here];
      if (node.next_child < m_children[here].size()) {
        const std::size_t child = m_children[here][node.next_child++];
        if (m_nodes[child].index == 0) {
          enter(child);
        } else if (m_nodes[child].on_stack) {
          node.lowest = std::min(node.lowest, m_nodes[child].index);
        }
        continue;
      }
      m_calls.pop_back();
      if (!m_calls.empty()) {
        Node& parent = m_nodes[m_calls.back()];
        parent.lowest = std::min(parent.lowest, node.lowest);
      }
      if (node.lowest == node.index) close(here);
    }
  }

  void close(std::size_t root) {
    std::vector<std::size_t> component;
    std::size_t top = 0;
    do {
      top = m_stack.back();
      m_stack.pop_back();
      m_nodes[top].on_stack = false;
      component.push_back(top);
    } while (top != root);
    m_components.push_back(std::move(component));
  }

  std::vector<std::vector<std::size_t>> m_children;
  std::vector<Node> m_nodes;
  std::vector<std::size_t> m_stack;
  std::vector<std::size_t> m_calls;
  std::vector<std::vector<std::size_t>> m_components;
  std::size_t m_count = 0;
};

/// References to references double a value each time: no variable may be longer.
constexpr std::size_t k_max_value = 1U << 20U;

Expanded expand_all(std::vector<core::Variable> variables, bool for_runner) {
  const auto components = Sorter(variables).components();
  Expanded result;
  for (const auto& component : components) {
    if (component.size() < 2) continue;
    for (const std::size_t i : component) result.circle.push_back(variables[i].key);
  }
  if (!result.circle.empty()) {
    result.variables = std::move(variables);
    return result;
  }
  std::map<std::string, std::size_t, std::less<>> done;
  for (const auto& component : components) {
    core::Variable variable = variables[component.front()];
    if (!variable.raw) {
      std::string value =
          replace_references(variable.value, [&](std::string_view name, std::string_view written) {
            const auto found = done.find(name);
            if (found == done.end()) return std::string(for_runner ? written : std::string_view{});
            const core::Variable& target = result.variables[found->second];
            const bool keep = for_runner && (target.raw || target.file);
            return keep ? std::string(written) : target.value;
          });
      if (value.size() <= k_max_value) {
        variable.value = std::move(value);
      } else {
        result.too_long = variable.key;
      }
    }
    done.insert_or_assign(variable.key, result.variables.size());
    result.variables.push_back(std::move(variable));
  }
  return result;
}

}  // namespace

Expanded sort_and_expand(std::vector<core::Variable> variables) {
  return expand_all(std::move(variables), true);
}

Expanded sort_and_expand_here(std::vector<core::Variable> variables) {
  return expand_all(std::move(variables), false);
}

std::string expand(std::string_view text, const core::Variables& variables) {
  return replace_references(text, [&](std::string_view name, std::string_view) {
    const core::Variable* variable = variables.find(name);
    return variable == nullptr ? std::string{} : variable->value;
  });
}

std::vector<core::Variable> merge_variables(std::vector<core::Variable> base,
                                            const std::vector<core::Variable>& over) {
  for (const core::Variable& variable : over) {
    const auto found = std::find_if(base.begin(), base.end(), [&](const core::Variable& old) {
      return old.key == variable.key;
    });
    if (found == base.end()) {
      base.push_back(variable);
    } else {
      *found = variable;
    }
  }
  return base;
}

}  // namespace berth::local::pipeline
