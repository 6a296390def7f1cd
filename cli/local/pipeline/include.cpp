#include "cli/local/pipeline/include.hpp"

#include "cli/local/pipeline/merge.hpp"
#include "cli/local/pipeline/pattern.hpp"
#include "cli/local/pipeline/variables.hpp"
#include "cli/local/pipeline/yaml_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace berth::local::pipeline {
namespace {

/// Files of one pipeline, nested ones counted (External::Context::MAX_INCLUDES).
constexpr std::size_t k_max_includes = 150;

constexpr std::array<std::string_view, 1> k_known{"local"};
constexpr std::array<std::string_view, 10> k_unsupported{"remote",   "project",   "file",     "ref",
                                                         "template", "component", "artifact", "job",
                                                         "rules",    "inputs"};

class Includer {
 public:
  Includer(const Context& context, Problems& problems) : m_context(context), m_problems(problems) {
    std::vector<core::Variable> all = context.predefined;
    all.insert(all.end(), context.project.begin(), context.project.end());
    all.insert(all.end(), context.pipeline.begin(), context.pipeline.end());
    m_variables = core::Variables(std::move(all));
  }

  ValuePtr process(const ValuePtr& root, const std::string& file) {
    const Entry* include = root->find("include");
    if (include == nullptr) return root;
    m_path.push_back(file);
    ValuePtr merged = make_map(root->place);
    if (include->value->is(Value::Kind::list)) {
      for (const ValuePtr& item : include->value->items) merged = add(merged, item);
    } else if (!include->value->is(Value::Kind::null)) {
      merged = add(merged, include->value);
    }
    m_path.pop_back();
    merged = deep_merge(merged, root);
    auto out = make_map(root->place);
    for (const Entry& entry : merged->entries) {
      if (entry.key != "include") out->entries.push_back(entry);
    }
    measure(*out);
    if (out->weight > k_max_composed) {
      m_problems.add(root->place, "too large with all its includes");
      m_problems.check();
    }
    return out;
  }

 private:
  ValuePtr add(const ValuePtr& below, const ValuePtr& item) {
    ValuePtr merged = below;
    for (const std::string& path : paths_of(*item)) {
      if (const ValuePtr content = read(path, item->place)) merged = deep_merge(merged, content);
    }
    return merged;
  }

  std::vector<std::string> paths_of(const Value& item) {
    const Value* local = &item;
    if (item.is(Value::Kind::map)) {
      check_keys(item, {"`include`", k_known, k_unsupported}, m_problems);
      const Entry* entry = item.find("local");
      if (entry == nullptr) return {};
      local = entry->value.get();
    }
    if (!local->is(Value::Kind::string)) {
      m_problems.add(
          local->place,
          fmt::format("`include` takes a path or a map with `local`, not {}", kind_name(*local)));
      return {};
    }
    std::string path = expand(local->text, m_variables);
    if (path.rfind("https://", 0) == 0 || path.rfind("http://", 0) == 0) {
      m_problems.add(local->place,
                     "`include` of a URL (`include:remote`) is not supported by berth local yet");
      return {};
    }
    path.erase(0, path.find_first_not_of('/'));
    if (path.find('*') == std::string::npos) return {path};
    return matching(path, local->place);
  }

  std::vector<std::string> matching(const std::string& pattern, const Place& at) {
    std::vector<std::string> found;
    if (m_context.list_files) {
      for (std::string& path : m_context.list_files()) {
        if (wildcard_match(pattern, path)) found.push_back(std::move(path));
      }
    }
    std::sort(found.begin(), found.end());
    if (found.empty()) m_problems.warn(at, fmt::format("no file matches `{}`", pattern));
    return found;
  }

  ValuePtr read(const std::string& path, const Place& at) {
    const auto ends_with = [&](std::string_view end) {
      return path.size() > end.size() &&
             path.compare(path.size() - end.size(), end.size(), end) == 0;
    };
    if (!ends_with(".yml") && !ends_with(".yaml")) {
      m_problems.add(at,
                     fmt::format("included file `{}`: the name must end in .yml or .yaml", path));
      return nullptr;
    }
    if (std::find(m_path.begin(), m_path.end(), path) != m_path.end()) {
      m_problems.add(at, fmt::format("included file `{}` includes itself", path));
      return nullptr;
    }
    if (++m_count > k_max_includes) {
      m_problems.add(at, fmt::format("more than {} files are included", k_max_includes));
      m_problems.check();
    }
    const auto text = m_context.read_file ? m_context.read_file(path) : std::nullopt;
    if (!text) {
      m_problems.add(at, fmt::format("included file `{}` does not exist in the commit", path));
      return nullptr;
    }
    const ValuePtr content = read_yaml(path, *text, m_problems);
    return content ? process(content, path) : nullptr;
  }

  const Context& m_context;
  Problems& m_problems;
  core::Variables m_variables;
  std::vector<std::string> m_path;
  std::size_t m_count = 0;
};

}  // namespace

ValuePtr resolve_includes(const ValuePtr& root, const std::string& file, const Context& context,
                          Problems& problems) {
  return Includer(context, problems).process(root, file);
}

}  // namespace berth::local::pipeline
