#include "stages/artifact_scan.hpp"

#include "executor/agentlink/refusal.hpp"
#include "executor/agentlink/stage_request.hpp"
#include "executor/core/expand.hpp"
#include "executor/core/image_ref.hpp"
#include "executor/masking/masks.hpp"
#include "executor/masking/stage_secrets.hpp"
#include "executor/support/error.hpp"
#include "executor/support/shell.hpp"

#include <algorithm>
#include <set>

namespace berth::stages {
namespace {

/// What the scan may print: names of files.
constexpr std::size_t k_most_output = std::size_t{1} << 20;
constexpr std::size_t k_most_told = 10;

class Collected final : public core::OutputSink {
 public:
  void write(std::string_view bytes) override {
    m_text.append(bytes.substr(0, k_most_output - std::min(k_most_output, m_text.size())));
  }
  const std::string& text() const noexcept { return m_text; }

 private:
  std::string m_text;
};

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) all.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

bool matches(const std::vector<std::string>& patterns, std::string_view file) {
  return std::ranges::any_of(patterns,
                             [&](const std::string& one) { return core::glob_match(one, file); });
}

/// What stands before the first part of the path that is a pattern.
std::string fixed_part(std::string_view pattern) {
  std::string result;
  while (!pattern.empty()) {
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    const std::string_view part = pattern.substr(0, slash);
    if (part.find_first_of("*?[{\\") != std::string_view::npos) break;
    if (!part.empty() && part != ".") result += (result.empty() ? "" : "/") + std::string(part);
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
  }
  return result.empty() ? "." : result;
}

/// Patterns of the settings' form, with values for their variables, below `directory`.
std::vector<std::string> patterns_of(const core::Sandbox& sandbox, const char* key,
                                     const core::Variables& variables,
                                     const std::string& directory) {
  std::vector<std::string> all;
  const auto found = sandbox.values.find(key);
  if (found == sandbox.values.end()) return all;
  for (const std::string& line : lines(found->second)) {
    std::string pattern = core::expand(line, variables);
    if (pattern.starts_with(directory + "/")) pattern.erase(0, directory.size() + 1);
    while (pattern.starts_with("./")) pattern.erase(0, 2);
    while (pattern.ends_with('/')) pattern.pop_back();
    if (!pattern.empty()) all.push_back(std::move(pattern));
  }
  return all;
}

/// Makes the script of what the note has.
class ScanNote final : public core::StageNote {
 public:
  ScanNote(std::string name, std::string directory, const ArtifactPatterns& patterns)
      : m_name(std::move(name)), m_directory(std::move(directory)), m_patterns(patterns) {}

  const std::string& name() const override { return m_name; }
  bool wanted() const override { return true; }
  void take(std::string_view bytes, std::string& script) override {
    const auto secrets = masking::decode_stage_secrets(bytes);
    if (!secrets) throw support::SystemError("what the agent kept for the job's stages is damaged");
    masking::Masks masks;
    for (const support::Secret& secret : secrets->secrets) masks.add(secret.expose());
    for (const support::Secret& value : secrets->requested) masks.add_requested(value.expose());
    script = scan_script(m_directory, m_patterns, masks.patterns());
  }
  std::optional<support::Secret> changed() override { return std::nullopt; }
  void not_kept(std::string_view) override {}

 private:
  std::string m_name;
  std::string m_directory;
  const ArtifactPatterns& m_patterns;
};

}  // namespace

bool is_uploaded(const ArtifactPatterns& patterns, std::string_view file) {
  if (matches(patterns.exclude, file)) return false;
  for (std::string_view part = file;;) {
    if (matches(patterns.paths, part)) return true;
    const std::size_t slash = part.rfind('/');
    if (slash == std::string_view::npos) return false;
    part = part.substr(0, slash);
  }
}

std::string scan_script(const std::string& directory, const ArtifactPatterns& patterns,
                        const std::vector<std::string>& texts) {
  std::set<std::string> roots;
  for (const std::string& pattern : patterns.paths) roots.insert(fixed_part(pattern));
  if (roots.empty() || texts.empty()) return "exit 0\n";
  std::string script = "cd " + support::shell_quoted(directory) + " || exit 0\n{\n";
  for (const std::string& text : texts)
    script += "printf '%s\\n' " + support::shell_quoted(text) + "\n";
  script += "} | grep -rlsF -f - --";
  if (roots.contains(".")) roots = {"."};
  for (const std::string& root : roots) script += " " + support::shell_quoted(root);
  return script + "\nexit 0\n";
}

void scan_artifacts(const core::Sandbox& sandbox, const core::Script& upload,
                    const gitlab::RunnerEnvironment& environment, const RunScript& run,
                    support::Console& console) {
  const auto mode = sandbox.values.find(agentlink::k_value_scan);
  const auto note = sandbox.values.find(agentlink::k_value_note);
  if (mode == sandbox.values.end() || note == sandbox.values.end() || upload.resume ||
      !upload.stage.name().starts_with("upload_artifacts"))
    return;
  const std::string directory = environment.variable("CI_PROJECT_DIR");
  core::Variables variables;
  for (const auto& [key, value] : environment.variables)
    variables.set({.key = key, .value = value});
  const ArtifactPatterns patterns{
      .paths = patterns_of(sandbox, agentlink::k_value_scan_paths, variables, directory),
      .exclude = patterns_of(sandbox, agentlink::k_value_scan_exclude, variables, directory)};
  ScanNote scan(note->second, directory, patterns);
  Collected output;
  const core::ExitStatus status =
      run({.stage = upload.stage, .text = "exit 1\n", .note = &scan}, output);
  if (!status.success()) {
    console.warning("artifacts could not be looked through for credentials: " +
                    agentlink::printable(output.text()));
    return;
  }
  std::vector<std::string> found;
  for (std::string& file : lines(output.text())) {
    if (file.starts_with("./")) file.erase(0, 2);
    if (is_uploaded(patterns, file)) found.push_back(std::move(file));
  }
  for (std::size_t i = 0; i < std::min(found.size(), k_most_told); ++i)
    console.warning("artifact '" + agentlink::printable(found[i]) +
                    "' has a secret of the job's credentials in it");
  if (found.empty()) return;
  const std::string count =
      found.size() == 1 ? "an artifact has" : std::to_string(found.size()) + " artifacts have";
  if (mode->second == "fail")
    throw support::JobError(
        count + " secrets of the job's credentials in them: nothing is uploaded",
        "leave these files out by `artifacts: exclude:`; this runner's settings say "
        "`scan_artifacts: fail`");
}

}  // namespace berth::stages
