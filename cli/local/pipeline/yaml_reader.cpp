#include "cli/local/pipeline/yaml_reader.hpp"

#include "cli/local/pipeline/yaml_builder.hpp"
#include "executor/settings/second_document.hpp"

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>

namespace berth::local::pipeline {
namespace {

class Handler final : public YAML::EventHandler {
 public:
  explicit Handler(YamlBuilder& builder) : m_builder(builder) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    m_builder.null(at(mark), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    m_builder.alias(at(mark), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    m_builder.scalar(at(mark), tag, anchor, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    m_builder.open_list(at(mark), tag, anchor);
  }
  void OnSequenceEnd() override { m_builder.close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    m_builder.open_map(at(mark), tag, anchor);
  }
  void OnMapEnd() override { m_builder.close(); }

 private:
  Place at(const YAML::Mark& mark) const { return m_builder.place(mark.line, mark.column); }

  YamlBuilder& m_builder;
};

/// yaml-cpp's words for the commonest mistake name its end, not its cause.
std::string explained(const std::string& message) {
  if (message != "end of map not found" && message != "end of sequence not found") return message;
  return "this does not fit the lines above: look at the indentation and the quotes (" + message +
         ")";
}

}  // namespace

ValuePtr read_yaml(const std::string& file, const std::string& text, Problems& problems) {
  YamlBuilder builder(std::make_shared<const std::string>(file), problems);
  const Place top{std::make_shared<const std::string>(file), 1, 1};
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Handler handler(builder);
    parser.HandleNextDocument(handler);
    if (const std::optional<settings::Position> second = settings::second_document(text)) {
      const ValuePtr first = builder.root();
      const bool header = first && first->find("spec") != nullptr;
      problems.add(builder.place(second->line - 1, second->column - 1),
                   header ? "a `spec:` header (inputs) is not supported by berth local yet"
                          : "a second document starts here; GitLab would ignore it");
    }
  } catch (const YAML::Exception& error) {
    problems.add(builder.place(error.mark.line, error.mark.column),
                 fmt::format("not YAML: {}", explained(error.msg)));
    return nullptr;
  }
  ValuePtr root = builder.root();
  if (!root || root->is(Value::Kind::null)) {
    problems.add(top, "the file is empty");
    return nullptr;
  }
  if (!root->is(Value::Kind::map)) {
    problems.add(root->place,
                 fmt::format("the file must hold a map of jobs, not {}", kind_name(*root)));
    return nullptr;
  }
  return root;
}

}  // namespace berth::local::pipeline
