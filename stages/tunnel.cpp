#include "executor/app/tunnel.hpp"

#include "executor/support/core_dump.hpp"
#include "executor/support/log.hpp"
#include "executor/support/version.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

/// berth-tunnel: not a stage, but what prepare leaves running for the job's stages.
int main(int argc, char** argv) {
  berth::support::forbid_core_dumps();
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::printf("berth-tunnel %s\n", std::string(berth::support::version()).c_str());
    return EXIT_SUCCESS;
  }
  if (argc > 1) {
    std::fputs("berth-tunnel is started by berth-prepare and takes no arguments\n", stderr);
    return EXIT_FAILURE;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    berth::app::tunnel();
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    berth::support::log(berth::support::LogLevel::warn, error.what());
    return EXIT_FAILURE;
  }
}
