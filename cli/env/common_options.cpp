#include "cli/env/common_options.hpp"

#include <CLI/CLI.hpp>

namespace berth::cli {

void add_common_options(CLI::App& verb, EnvOptions& options, bool of_one) {
  verb.add_option("--settings", options.settings,
                  "berth.yaml (default: that of the four programs)");
  verb.add_flag("--json", options.json, "Tell it as JSON");
  if (!of_one) return;
  verb.add_option("environment", options.environment, "Its name, as in environment:name")
      ->required();
  verb.add_option("--project", options.project,
                  "Path of the project whose it is, where several have one of that name");
}

}  // namespace berth::cli
