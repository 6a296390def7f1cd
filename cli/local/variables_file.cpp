#include "cli/local/variables_file.hpp"

#include "executor/settings/document.hpp"
#include "executor/settings/reader.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fnmatch.h>

namespace berth::local {
namespace {

using settings::Reader;
using settings::Value;

constexpr std::size_t k_max_file = std::size_t{1} << 20;

bool is_key(std::string_view key) {
  return !key.empty() &&
         key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") ==
             std::string_view::npos;
}

class Parser {
 public:
  Parser(std::string_view name, const std::filesystem::path& directory)
      : m_reader(name), m_directory(directory) {}

  std::vector<ProjectVariable> parse(const Value& document) const {
    std::vector<ProjectVariable> result;
    if (document.kind == Value::Kind::list) {
      for (const Value& item : document.items) result.push_back(read(item, std::string{}, true));
    } else if (document.kind == Value::Kind::map) {
      for (const Value::Entry& entry : document.entries) {
        if (!is_key(entry.key))
          m_reader.fail(entry.position, fmt::format("'{}' is not a variable's name", entry.key));
        result.push_back(entry.value.kind == Value::Kind::map ? read(entry.value, entry.key, false)
                                                              : plain(entry));
      }
    } else if (document.kind != Value::Kind::null) {
      m_reader.fail(document.position,
                    "variables are a map of names, or a list as GitLab's API gives it");
    }
    return result;
  }

 private:
  ProjectVariable plain(const Value::Entry& entry) const {
    ProjectVariable result;
    result.variable.key = entry.key;
    result.variable.value = content(entry.value, entry.key);
    return result;
  }

  /// A number, a word, nothing: what stands there is the value.
  std::string content(const Value& value, std::string_view key) const {
    if (value.kind == Value::Kind::null) return {};
    if (value.kind != Value::Kind::scalar) m_reader.wrong_type(value, key, "a text");
    return value.scalar;
  }

  ProjectVariable read(const Value& map, const std::string& name, bool of_list) const {
    ProjectVariable result;
    core::Variable& variable = result.variable;
    variable.key = name;
    const auto flag = [this](bool& target, const char* key) {
      return [this, &target, key](const Value& value) { target = m_reader.boolean(value, key); };
    };
    Reader::Handlers handlers{
        {"value", [&](const Value& value) { variable.value = content(value, "value"); }},
        {"masked", flag(variable.masked, "masked")},
        {"raw", flag(variable.raw, "raw")},
        {"protected", flag(result.is_protected, "protected")},
        {"environment_scope",
         [&](const Value& value) {
           result.environment_scope = m_reader.text(value, "environment_scope");
         }},
    };
    bool hidden = false;
    if (of_list) {
      handlers["key"] = [&](const Value& value) { variable.key = m_reader.text(value, "key"); };
      handlers["variable_type"] = [&](const Value& value) {
        const std::string type = m_reader.text(value, "variable_type");
        if (type != "env_var" && type != "file")
          m_reader.bad_value(value, "variable_type", "env_var or file");
        variable.file = type == "file";
      };
      handlers["hidden"] = flag(hidden, "hidden");
      handlers["description"] = [](const Value&) {};
    } else {
      handlers["file"] = flag(variable.file, "file");
      handlers["from_file"] = [&](const Value& value) {
        variable.value =
            support::read_file(m_directory / m_reader.text(value, "from_file"), k_max_file);
      };
    }
    m_reader.map(map, name.empty() ? "variable" : name, handlers);
    if (!is_key(variable.key))
      m_reader.fail(map.position, "a variable needs a name of letters, digits and _");
    return result;
  }

  Reader m_reader;
  const std::filesystem::path& m_directory;
};

}  // namespace

std::vector<ProjectVariable> parse_variables_file(std::string_view text, std::string_view name,
                                                  const std::filesystem::path& directory) {
  return Parser(name, directory).parse(settings::read_document(text, name));
}

std::vector<core::Variable> visible(const std::vector<ProjectVariable>& all, bool ref_protected,
                                    const std::string& environment) {
  std::vector<core::Variable> result;
  for (const ProjectVariable& candidate : all) {
    if (candidate.is_protected && !ref_protected) continue;
    const bool in_scope = candidate.environment_scope == "*" ||
                          (!environment.empty() && ::fnmatch(candidate.environment_scope.c_str(),
                                                             environment.c_str(), 0) == 0);
    if (in_scope) result.push_back(candidate.variable);
  }
  return result;
}

}  // namespace berth::local
