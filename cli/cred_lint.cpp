#include "cli/cred_lint.hpp"

#include "cli/cred_command.hpp"
#include "cli/local/pipeline/pattern.hpp"
#include "cli/local/pipeline/yaml_reader.hpp"
#include "executor/credentials/credential.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace berth::cli {
namespace {

using local::pipeline::Entry;
using local::pipeline::Problems;
using local::pipeline::search;
using local::pipeline::Value;
using local::pipeline::ValuePtr;

constexpr std::size_t k_max_file = std::size_t{2} << 20;

constexpr std::string_view k_trace = R"(\bset\s+(-\w*x|-o\s+xtrace))";
constexpr std::string_view k_decodes = R"(base64\s+(-d|--decode|-D))";

struct Rule {
  std::string_view pattern;
  const char* text;
  const char* remedy;
};

constexpr std::array<Rule, 8> k_rules = {{
    {R"((^|[;&|(\s])echo\s+(-n\s+)?\$\{?\w+\}?\s*\|\s*(openssl\s+)?base64\s+(-\w*[dD]|--decode))",
     "a variable without quotes is decoded: its line ends become blanks, which GNU base64 "
     "refuses and BusyBox takes",
     "write \"$NAME\", and keep the value in one line: `berth cred encode`"},
    {R"(base64\s+-D(\s|$))", "only base64 of macOS knows -D", "write -d"},
    {R"(base64\s+(-d|--decode|-di|-d -i)\s*>+\s*"?(\./)?[\w.-][\w./-]*"?)",
     "what is decoded lies in the checkout: artifacts, caches and images may take it along",
     "write it below a directory outside of it, or use the file that Berth hands out"},
    {R"(base64\s+(-d|--decode)\s*$)", "what is decoded is printed into the job's log",
     "redirect it to a file, or use the file that Berth hands out"},
    {R"((docker|podman|buildah|skopeo|helm|crane)\s+(\w+\s+)*login\s.*(-p|--password)[\s=])",
     "a password among the arguments stands in the list of processes",
     "give it by `--password-stdin`"},
    {R"((kubectl|oc|helm)\s.*--(kube-)?token[\s=]"?\$)",
     "a token among the arguments stands in the list of processes",
     "use a kubeconfig, which Berth hands out as $KUBECONFIG"},
    {R"(curl\s.*(-u|--user)[\s=]?"?[^\s"]*\$)",
     "a login among the arguments stands in the list of processes",
     "use `--netrc-file` or `--config -`"},
    {R"(-----BEGIN [A-Z ]*PRIVATE KEY-----)", "a private key stands in the pipeline",
     "replace the key, and keep the new one in a variable of type file"},
}};

class Lint {
 public:
  explicit Lint(std::chrono::sys_seconds now) : m_now(now) {}

  void look_at(const Value& root) {
    look_at_scripts(root, "");
    if (const Entry* entry = root.find("variables")) look_at_variables(*entry->value, "variables");
    for (const Entry& job : root.entries) {
      if (!job.value->is(Value::Kind::map) || job.key == "variables") continue;
      look_at_scripts(*job.value, job.key + ": ");
      if (const Entry* entry = job.value->find("variables"))
        look_at_variables(*entry->value, job.key + ": variables");
      if (const Entry* hooks = job.value->find("hooks"))
        if (hooks->value->is(Value::Kind::map))
          for (const Entry& hook : hooks->value->entries)
            look_at_script(*hook.value, job.key + ": " + hook.key);
    }
  }
  std::vector<LintFinding> take() { return std::move(m_findings); }

 private:
  void add(const Value& at, const std::string& where, std::string text, std::string remedy) {
    const auto position = at.place.position();
    m_findings.push_back({.file = position.file,
                          .line = position.line,
                          .where = where,
                          .text = std::move(text),
                          .remedy = std::move(remedy)});
  }

  void look_at_scripts(const Value& map, const std::string& where) {
    for (const char* key : {"before_script", "script", "after_script"})
      if (const Entry* entry = map.find(key)) {
        m_traced = false;
        look_at_script(*entry->value, where + key);
      }
  }

  /// A command, or a list of them, in lists again where references stand.
  void look_at_script(const Value& value, const std::string& where) {
    for (const ValuePtr& item : value.items) look_at_script(*item, where);
    if (!value.is(Value::Kind::string)) return;
    for (std::size_t at = 0; at < value.text.size();) {
      const std::size_t end = std::min(value.text.find('\n', at), value.text.size());
      look_at_command(value, value.text.substr(at, end - at), where);
      at = end + 1;
    }
  }

  void look_at_command(const Value& value, const std::string& command, const std::string& where) {
    for (const Rule& rule : k_rules)
      if (search(rule.pattern, command)) add(value, where, rule.text, rule.remedy);
    m_traced = m_traced || search(k_trace, command);
    if (m_traced && search(k_decodes, command))
      add(value, where, "with `set -x` what is decoded may be printed into the job's log",
          "decode before it, or `set +x` around it");
  }

  void look_at_variables(const Value& map, const std::string& where) {
    for (const Entry& variable : map.entries) {
      const Value* value = variable.value.get();
      if (const Entry* inner = value->find("value")) value = inner->value.get();
      if (!value->is(Value::Kind::string)) continue;
      const auto finding = credentials::examine(value->text, m_now);
      if (finding.verdict == credentials::Verdict::none) continue;
      const bool certificates =
          finding.credential && finding.credential->type == credentials::Type::certificates;
      if (certificates) continue;
      add(*value, where + ": " + variable.key,
          fmt::format("a credential stands in the pipeline: {}", finding.diagnosis()),
          "replace it, and keep the new one in the project's variables");
    }
  }

  std::chrono::sys_seconds m_now;
  /// The script at hand prints its commands.
  bool m_traced = false;
  std::vector<LintFinding> m_findings;
};

}  // namespace

std::vector<LintFinding> lint_credentials(const std::string& file, const std::string& text,
                                          std::chrono::sys_seconds now) {
  Problems problems;
  const ValuePtr root = local::pipeline::read_yaml(file, text, problems);
  problems.check();
  Lint lint(now);
  lint.look_at(*root);
  return lint.take();
}

int run_cred_lint(const CredLintOptions& options) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto findings =
      lint_credentials(options.file, support::read_file(options.file, k_max_file), now);
  nlohmann::json all = nlohmann::json::array();
  for (const LintFinding& one : findings) {
    all.push_back({{"file", one.file},
                   {"line", one.line},
                   {"where", one.where},
                   {"text", one.text},
                   {"remedy", one.remedy}});
    if (!options.json)
      fmt::print("{}:{}: {}: {}\n  {}\n", one.file, one.line, one.where, one.text, one.remedy);
  }
  if (options.json)
    fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  else if (findings.empty())
    fmt::print("{}: nothing found\n", options.file);
  return findings.empty() ? k_cred_good : k_cred_bad;
}

}  // namespace berth::cli
