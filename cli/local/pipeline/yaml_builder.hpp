#pragma once

#include "cli/local/pipeline/problems.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::local::pipeline {

/// Puts a document's events together to a Value. Used by read_yaml alone.
class YamlBuilder {
 public:
  YamlBuilder(std::shared_ptr<const std::string> file, Problems& problems)
      : m_file(std::move(file)), m_problems(problems) {}

  Place place(int line, int column) const { return {m_file, line + 1, column + 1}; }

  /// `tag` as yaml-cpp gives it: "?" plain, "!" quoted or block, else written.
  void scalar(const Place& at, const std::string& tag, unsigned long anchor,
              const std::string& text);
  void null(const Place& at, unsigned long anchor);
  void alias(const Place& at, unsigned long anchor);
  void open_list(const Place& at, const std::string& tag, unsigned long anchor);
  void open_map(const Place& at, const std::string& tag, unsigned long anchor);
  void close();

  /// The document's root, or null where it is empty.
  ValuePtr root() const { return m_root; }

 private:
  struct Frame {
    std::shared_ptr<Value> value;
    unsigned long anchor = 0;
    /// A map's key that still waits for its value.
    std::optional<Entry> key;
    /// Keys a merge key has brought: to write them again is no mistake.
    std::vector<std::string> merged;
  };

  void add(ValuePtr value, unsigned long anchor);
  void add_key(const Value& value);
  void add_entry(Frame& frame, ValuePtr value);
  void merge(Value& map, const Place& key, const Value& value);
  void open(Value::Kind kind, const Place& at, unsigned long anchor);

  std::shared_ptr<const std::string> m_file;
  Problems& m_problems;
  std::vector<Frame> m_open;
  std::map<unsigned long, ValuePtr> m_anchors;
  ValuePtr m_root;
};

}  // namespace berth::local::pipeline
