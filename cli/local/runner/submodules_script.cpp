#include "cli/local/runner/script_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace berth::local::runner {
namespace {

using Tone = ScriptWriter::Tone;

Words joined(Words words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// git with the file that knows the credentials, which submodules do not include yet.
Words with_credentials(const Words& arguments) {
  return joined({"git", "-c", fmt::format("include.path=${}", k_ext_conf_variable)}, arguments);
}

}  // namespace

void write_submodules(ScriptWriter& out, const BuildContext& context) {
  const JobSettings& settings = context.settings();
  if (settings.submodule_strategy == SubmoduleStrategy::invalid) {
    throw std::runtime_error("unknown GIT_SUBMODULE_STRATEGY");
  }
  if (settings.submodule_strategy == SubmoduleStrategy::none) {
    out.say(Tone::notice, "Skipping Git submodules setup");
    return;
  }
  const bool recursive = settings.submodule_strategy == SubmoduleStrategy::recursive;
  const int depth = settings.submodule_depth;
  out.say(Tone::notice,
          fmt::format("Updating/initializing submodules{}{}...", recursive ? " recursively" : "",
                      depth > 0 ? fmt::format(" with git depth set to {}", depth) : ""));
  Words paths;
  if (!settings.submodule_paths.empty()) paths = joined({"--"}, settings.submodule_paths);

  Words sync{"submodule", "sync"};
  Words update{"submodule", "update", "--init"};
  Words each{"submodule", "foreach"};
  for (Words* words : {&sync, &update, &each}) {
    if (recursive) words->emplace_back("--recursive");
  }
  if (depth > 0) update = joined(update, {"--depth", std::to_string(depth)});
  sync = joined({"git"}, joined(sync, paths));
  update = joined(joined(update, settings.submodule_update_flags), paths);
  const auto in_each = [&each](const Words& command) {
    return joined(joined({"git"}, each), command);
  };
  const Words clean =
      joined({"git", "clean"},
             settings.git_clean_flags.empty() ? Words{"-ffdx"} : settings.git_clean_flags);
  const Words reset{"git", "reset", "--hard"};

  out.run({"git", "submodule", "init"});
  out.run(sync);
  out.run(in_each(clean));
  out.run(in_each(reset));
  out.if_succeeds_expanding(
      with_credentials(update),
      [&] {
        out.say(Tone::notice, "Updated submodules");
        out.run(sync);
      },
      [&] {
        out.say(Tone::warning, "Updating submodules failed. Retrying...");
        if (std::ranges::count(settings.submodule_update_flags, "--remote") != 0) {
          out.run_expanding(with_credentials(
              joined(each, {"git", "fetch", "origin", "+refs/heads/*:refs/remotes/origin/*"})));
        }
        out.run(sync);
        out.run_expanding(with_credentials(update));
        out.run(in_each(reset));
      });
  out.run(in_each(clean));

  out.say(Tone::notice, "Configuring submodules to use parent git credentials...");
  Words configure{"git", "submodule", "foreach", "--recursive"};
  out.run_expanding(joined(configure, {"git", "config", "--replace-all", "include.path",
                                       fmt::format("${}", k_ext_conf_variable)}));
  if (!settings.lfs_skip_smudge) {
    out.if_succeeds_quietly({"git", "lfs", "version"}, [&] {
      out.say(Tone::notice, "Pulling LFS files...");
      out.run_expanding(with_credentials(joined(each, {"git", "lfs", "pull"})));
    });
  }
}

}  // namespace berth::local::runner
