#include "cli/local/runner/script_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::local::runner {
namespace {

using Tone = ScriptWriter::Tone;

/// What to put in; empty when the artifact names nothing.
Words content_arguments(const Artifact& artifact) {
  Words words;
  for (const std::string& path : artifact.paths) words.insert(words.end(), {"--path", path});
  for (const std::string& path : artifact.exclude) words.insert(words.end(), {"--exclude", path});
  if (artifact.untracked) words.emplace_back("--untracked");
  return words;
}

Words upload_command(const BuildContext& context, const Artifact& artifact, const Words& content) {
  Words command{std::string(k_runner_command),
                "artifacts-uploader",
                "--url",
                context.config().url,
                "--token",
                context.payload().token,
                "--id",
                std::to_string(context.payload().id),
                "--timeout",
                "1h0m0s",
                "--response-header-timeout",
                "10m0s"};
  command.insert(command.end(), content.begin(), content.end());
  for (const auto& [flag, value] :
       {std::pair<const char*, const std::string&>{"--name", artifact.name},
        {"--expire-in", artifact.expire_in},
        {"--artifact-format", artifact.format},
        {"--artifact-type", artifact.type}}) {
    if (!value.empty()) command.insert(command.end(), {flag, value});
  }
  return command;
}

}  // namespace

bool write_download_artifacts(ScriptWriter& out, const BuildContext& context) {
  std::vector<Dependency> wanted;
  std::ranges::copy_if(context.payload().dependencies, std::back_inserter(wanted),
                       [](const Dependency& dependency) { return !dependency.filename.empty(); });
  if (wanted.empty()) return false;
  write_exports(out, context);
  write_change_directory(out, context);
  write_guarded(out, "Artifacts downloading", [&] {
    for (const Dependency& dependency : wanted) {
      out.say(Tone::notice,
              fmt::format("Downloading artifacts for {} ({})...", dependency.name, dependency.id));
      out.run({std::string(k_runner_command), "artifacts-downloader", "--url", context.config().url,
               "--token", dependency.token, "--id", std::to_string(dependency.id)});
    }
  });
  write_ownership(out, context, {context.cache_dir(), context.builds_dir()});
  return true;
}

bool write_upload_artifacts(ScriptWriter& out, const BuildContext& context, bool job_succeeded) {
  if (context.config().url.empty()) return false;
  write_exports(out, context);
  write_change_directory(out, context);
  bool any = false;
  for (const Artifact& artifact : context.payload().artifacts) {
    const bool wanted =
        artifact.when == "always" || (artifact.when == "on_failure") != job_succeeded;
    const Words content = content_arguments(artifact);
    if (!wanted || content.empty()) continue;
    any = true;
    write_guarded(out, "Uploading artifacts", [&] {
      out.say(Tone::notice, "Uploading artifacts...");
      out.run(upload_command(context, artifact, content));
    });
  }
  return any;
}

void write_cleanup(ScriptWriter& out, const BuildContext& context) {
  write_exports(out, context, true);
  write_credential_reject(out, context);
  for (const std::string_view name :
       {k_env_file, k_masking_db, k_git_ext_conf, k_git_global_conf}) {
    out.remove_file(context.temp_file(name));
  }
  for (const Variable& variable : context.variables().all()) {
    if (variable.file) out.remove_file(context.temp_file(variable.key));
  }
  if (context.flag("FF_ENABLE_JOB_CLEANUP")) {
    const JobSettings& settings = context.settings();
    const Words reset{"git", "reset", "--hard"};
    Words clean{"git", "clean"};
    clean.insert(clean.end(), settings.git_clean_flags.begin(), settings.git_clean_flags.end());
    switch (settings.git_strategy) {
      case GitStrategy::clone:
      case GitStrategy::empty:
        out.remove_directory(context.project_dir());
        break;
      case GitStrategy::none:
        out.say(Tone::notice, "Skipping build directory cleanup step");
        break;
      case GitStrategy::fetch: {
        write_change_directory(out, context);
        const bool flags = !settings.git_clean_flags.empty();
        if (flags) out.run(clean);
        out.run(reset);
        if (settings.submodule_strategy == SubmoduleStrategy::none) break;
        Words each{"git", "submodule", "foreach"};
        if (settings.submodule_strategy == SubmoduleStrategy::recursive)
          each.emplace_back("--recursive");
        const auto in_each = [&](const Words& command) {
          Words words = each;
          words.insert(words.end(), command.begin(), command.end());
          out.run(words);
        };
        if (flags) in_each(clean);
        in_each(reset);
        break;
      }
    }
  }
  write_git_leftovers_removal(out, context);
  out.remove_file(context.builds_dir() + "/.gitlab-build-uid-gid");
}

}  // namespace berth::local::runner
