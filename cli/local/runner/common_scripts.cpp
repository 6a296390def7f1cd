#include "cli/local/runner/script_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::local::runner {
namespace {

using Tone = ScriptWriter::Tone;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

}  // namespace

void write_exports(ScriptWriter& out, const BuildContext& context, bool files_exist) {
  for (const Variable& variable : context.variables().all()) {
    const std::string path = context.temp_file(variable.key);
    if (!variable.file) {
      out.export_value(variable.key, variable.value);
    } else if (files_exist) {
      out.export_value(variable.key, path);
    } else {
      out.export_file(variable.key, variable.value, path, context.temp_dir());
    }
  }
  const std::string env_file = context.temp_file(k_env_file);
  out.export_value("GITLAB_ENV", env_file);
  out.import_environment(env_file, context.temp_dir());
  if (context.flag("FF_GIT_URLS_WITHOUT_TOKENS")) {
    out.export_value("GIT_CONFIG_GLOBAL", context.temp_file(k_git_global_conf));
  }
}

void write_change_directory(ScriptWriter& out, const BuildContext& context) {
  out.change_directory(context.project_dir());
}

void write_user_lines(ScriptWriter& out, const BuildContext& context, const std::string& section,
                      const std::vector<std::string>& lines) {
  const bool sections = context.flag("FF_SCRIPT_SECTIONS") && context.payload().trace_sections;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view text = trimmed(lines[i]);
    const auto newline = text.find('\n');
    if (text.empty()) {
      out.blank_line();
    } else if (newline == std::string_view::npos) {
      out.say(Tone::notice, fmt::format("$ {}", text));
    } else if (sections) {
      const std::string name = fmt::format("{}_{}", section, i);
      out.section_start(name, fmt::format("$ {}", text), "[hide_duration=true,collapsed=true]");
      out.section_end(name);
    } else {
      out.say(Tone::notice,
              fmt::format("$ {} # collapsed multi-line command", text.substr(0, newline)));
    }
    out.line(text);
    out.check_exit_code();
  }
}

void write_ownership(ScriptWriter& out, const BuildContext& context,
                     const std::vector<std::string>& directories) {
  const std::string marker = context.builds_dir() + "/.gitlab-build-uid-gid";
  out.if_path('e', marker, [&] {
    for (const std::string& directory : directories) {
      if (directory.empty()) continue;
      out.if_path('d', directory, [&] {
        out.line(fmt::format("chown -R \"$(stat -c '%u:%g' {})\" {}", quote_expanding(marker),
                             quote_expanding(directory)));
      });
    }
    out.line(":");
  });
}

void write_guarded(ScriptWriter& out, std::string_view action, const ScriptWriter::Body& body) {
  out.if_succeeds_quietly({std::string(k_runner_command), "--version"}, body, [&] {
    out.say(Tone::warning, fmt::format("Missing {}. {} is disabled.", k_runner_command, action));
  });
}

bool write_step(ScriptWriter& out, const BuildContext& context, std::string_view stage) {
  const auto& steps = context.payload().steps;
  const auto step =
      std::ranges::find_if(steps, [&](const Step& s) { return "step_" + s.name == stage; });
  if (step == steps.end()) return false;
  write_exports(out, context);
  write_change_directory(out, context);
  const RunnerConfig& config = context.config();
  if (!config.pre_build_script.empty()) {
    write_user_lines(out, context, "pre_build_script", {config.pre_build_script});
  }
  std::vector<std::string> lines = step->script;
  if (step->name == "release") {
    // GitLab makes this step's lines of the `release` keyword, with variables in them.
    for (std::string& line : lines) line = context.variables().expand(line);
  }
  write_user_lines(out, context, "script_step", lines);
  if (!config.post_build_script.empty()) {
    write_user_lines(out, context, "post_build_script", {config.post_build_script});
  }
  return true;
}

bool write_after_script(ScriptWriter& out, const BuildContext& context) {
  const auto& steps = context.payload().steps;
  const auto step =
      std::ranges::find_if(steps, [](const Step& s) { return s.name == "after_script"; });
  if (step == steps.end() || step->script.empty()) return false;
  write_exports(out, context);
  write_change_directory(out, context);
  out.say(Tone::notice, "Running after script...");
  write_user_lines(out, context, "after_script_step", step->script);
  return true;
}

}  // namespace berth::local::runner
