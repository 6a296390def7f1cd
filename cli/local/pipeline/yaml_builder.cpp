#include "cli/local/pipeline/yaml_builder.hpp"

#include "cli/local/pipeline/yaml_scalar.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace berth::local::pipeline {
namespace {

constexpr std::string_view k_core = "tag:yaml.org,2002:";

/// Thrown to stop reading where going on makes no sense; the problem is noted.
[[noreturn]] void stop(Problems& problems, const Place& at, std::string text) {
  problems.add(at, std::move(text));
  problems.check();
  std::abort();  // not reached: check() throws what was just added
}

}  // namespace

void YamlBuilder::scalar(const Place& at, const std::string& tag, unsigned long anchor,
                         const std::string& text) {
  auto value = std::make_shared<Value>();
  value->place = at;
  if (tag == "?" || tag.empty()) {
    Scalar resolved = resolve_scalar(text);
    if (resolved.date) {
      m_problems.add(at, fmt::format("`{}` reads as a date, which GitLab refuses: quote it", text));
    }
    value->kind = resolved.kind;
    value->text = std::move(resolved.text);
  } else if (tag == "!" || tag == std::string(k_core) + "str") {
    value->kind = Value::Kind::string;
    value->text = text;
  } else if (tag == std::string(k_core) + "int" || tag == std::string(k_core) + "float" ||
             tag == std::string(k_core) + "bool" || tag == std::string(k_core) + "null") {
    Scalar resolved = resolve_scalar(text);
    value->kind = resolved.kind;
    value->text = std::move(resolved.text);
  } else if (tag == "!reference") {
    m_problems.add(at, "!reference takes a list: !reference [job, keyword]");
  } else {
    m_problems.add(at, fmt::format("the tag `{}` is not supported", tag));
  }
  add(std::move(value), anchor);
}

void YamlBuilder::null(const Place& at, unsigned long anchor) {
  auto value = std::make_shared<Value>();
  value->place = at;
  add(std::move(value), anchor);
}

void YamlBuilder::alias(const Place& at, unsigned long anchor) {
  const auto known = m_anchors.find(anchor);
  if (known == m_anchors.end()) stop(m_problems, at, "an alias stands inside its own anchor");
  add(known->second, 0);
}

void YamlBuilder::open(Value::Kind kind, const Place& at, unsigned long anchor) {
  if (m_open.size() >= static_cast<std::size_t>(k_max_depth)) {
    stop(m_problems, at, fmt::format("nested deeper than {} levels", k_max_depth));
  }
  Frame frame;
  frame.value = std::make_shared<Value>();
  frame.value->kind = kind;
  frame.value->place = at;
  frame.anchor = anchor;
  m_open.push_back(std::move(frame));
}

void YamlBuilder::open_list(const Place& at, const std::string& tag, unsigned long anchor) {
  open(tag == "!reference" ? Value::Kind::reference : Value::Kind::list, at, anchor);
  if (tag != "!reference" && tag != "?" && tag != "!" && !tag.empty() &&
      tag != std::string(k_core) + "seq") {
    m_problems.add(at, fmt::format("the tag `{}` is not supported", tag));
  }
}

void YamlBuilder::open_map(const Place& at, const std::string& tag, unsigned long anchor) {
  open(Value::Kind::map, at, anchor);
  if (tag == "!reference") {
    m_problems.add(at, "!reference takes a list: !reference [job, keyword]");
  } else if (tag != "?" && tag != "!" && !tag.empty() && tag != std::string(k_core) + "map") {
    m_problems.add(at, fmt::format("the tag `{}` is not supported", tag));
  }
}

void YamlBuilder::close() {
  Frame frame = std::move(m_open.back());
  m_open.pop_back();
  Value& value = *frame.value;
  if (value.is(Value::Kind::reference)) {
    const bool words =
        std::all_of(value.items.begin(), value.items.end(),
                    [](const ValuePtr& item) { return item->is(Value::Kind::string); });
    if (!words || value.items.empty()) {
      m_problems.add(value.place, "!reference takes a list of strings: !reference [job, keyword]");
    }
  }
  measure(value);
  add(std::move(frame.value), frame.anchor);
}

void YamlBuilder::add(ValuePtr value, unsigned long anchor) {
  if (value->weight > k_max_nodes) {
    stop(m_problems, value->place,
         fmt::format("the file is too large: more than {} values with all aliases", k_max_nodes));
  }
  if (value->height > k_max_depth) {
    stop(m_problems, value->place, fmt::format("nested deeper than {} levels", k_max_depth));
  }
  if (anchor != 0) m_anchors[anchor] = value;
  if (m_open.empty()) {
    m_root = std::move(value);
    return;
  }
  Frame& frame = m_open.back();
  if (!frame.value->is(Value::Kind::map)) {
    frame.value->items.push_back(std::move(value));
    return;
  }
  if (!frame.key) {
    add_key(*value);
    return;
  }
  add_entry(frame, std::move(value));
}

void YamlBuilder::add_key(const Value& value) {
  Entry entry;
  entry.place = value.place;
  if (!value.is_scalar() && !value.is(Value::Kind::null)) {
    m_problems.add(value.place, fmt::format("a key must be a word, this is {}", kind_name(value)));
  }
  entry.key = value.text;
  m_open.back().key = std::move(entry);
}

void YamlBuilder::add_entry(Frame& frame, ValuePtr value) {
  Entry entry = std::move(*frame.key);
  frame.key.reset();
  if (entry.key == "<<") {
    merge(*frame.value, entry.place, *value);
    return;
  }
  const Entry* earlier = frame.value->find(entry.key);
  // Keys that came by a merge key are meant to be overridden.
  if (earlier != nullptr &&
      std::find(frame.merged.begin(), frame.merged.end(), entry.key) == frame.merged.end()) {
    m_problems.warn(entry.place,
                    fmt::format("the key `{}` stands twice; line {} is ignored, as GitLab does",
                                entry.key, earlier->place.line));
  }
  entry.value = std::move(value);
  set_entry(*frame.value, std::move(entry));
}

void YamlBuilder::merge(Value& map, const Place& key, const Value& value) {
  const auto take = [&](const Value& from) {
    for (const Entry& entry : from.entries) {
      m_open.back().merged.push_back(entry.key);
      set_entry(map, entry);
    }
  };
  if (value.is(Value::Kind::map)) {
    take(value);
    return;
  }
  const bool maps = value.is(Value::Kind::list) &&
                    std::all_of(value.items.begin(), value.items.end(),
                                [](const ValuePtr& item) { return item->is(Value::Kind::map); });
  if (!maps) {
    m_problems.add(key, fmt::format("a merge key `<<` takes a map or a list of maps, not {}",
                                    value.is(Value::Kind::list) ? "a list of other values"
                                                                : kind_name(value)));
    return;
  }
  for (auto item = value.items.rbegin(); item != value.items.rend(); ++item) take(**item);
}

}  // namespace berth::local::pipeline
