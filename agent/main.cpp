#include "agent/connect.hpp"
#include "agent/dial.hpp"
#include "agent/install.hpp"
#include "agent/options.hpp"
#include "agent/protocol/exit_codes.hpp"
#include "agent/protocol/messages.hpp"
#include "agent/server.hpp"
#include "agent/tunnel.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/stat.h>

namespace {

using namespace berth;

constexpr const char* k_usage =
    "usage: berth-agent [serve]             serve the driver of this container\n"
    "       berth-agent connect [--run DIR] join stdin and stdout to the agent's socket\n"
    "       berth-agent tunnel [--run DIR]  the same, for one connection after another\n"
    "       berth-agent dial ADDRESS PORT SECONDS\n"
    "                                       join them to a TCP port, tried for so long\n"
    "       berth-agent install DIR         copy this program into a directory\n"
    "       berth-agent --version\n";

/// Nothing that is opened later may take the place of a standard stream.
void occupy_standard_streams() {
  int fd = 0;
  while ((fd = ::open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO) {
  }
  if (fd > STDERR_FILENO) ::close(fd);
}

agent::Options read_options() {
  const char* text = std::getenv(agent::k_options_variable);
  return agent::parse_options(text == nullptr ? "" : text);
}

int serve() {
  agent::Inherited inherited;
  inherited.umask = ::umask(022);
  inherited.environment = agent::stage_environment();
  return agent::Server(read_options(), std::move(inherited)).run();
}

int refuse_usage(const char* argument) {
  std::fprintf(stderr, "berth-agent: unexpected argument '%s'\n%s", argument, k_usage);
  return protocol::k_exit_usage;
}

int run(int argc, char** argv) {
  // Without arguments too: an entrypoint of ["sh", "-c"] takes "serve" for itself.
  const std::string_view command = argc > 1 ? argv[1] : "serve";
  if (command == "serve") return argc > 2 ? refuse_usage(argv[2]) : serve();
  if (command == "connect" || command == "tunnel") {
    const auto join = command == "connect" ? agent::connect : agent::tunnel;
    if (argc == 2) return join(read_options().run);
    if (std::string_view(argv[2]) != "--run" || argc < 4) return refuse_usage(argv[2]);
    return argc > 4 ? refuse_usage(argv[4]) : join(argv[3]);
  }
  if (command == "dial") {
    if (argc < 5) return refuse_usage(argv[1]);
    return argc > 5 ? refuse_usage(argv[5]) : agent::dial(argv[2], argv[3], argv[4]);
  }
  if (command == "install") {
    if (argc < 3) return refuse_usage(argv[1]);
    return argc > 3 ? refuse_usage(argv[3]) : agent::install(argv[2]);
  }
  if (command == "--version") {
    std::printf("berth-agent %s protocol %u\n", BERTH_VERSION, unsigned{protocol::k_version});
    return protocol::k_exit_done;
  }
  if (command == "--help") {
    std::fputs(k_usage, stdout);
    return protocol::k_exit_done;
  }
  return refuse_usage(argv[1]);
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
#ifndef __SANITIZE_ADDRESS__
  // No core dump, and nobody of the same user reads this memory: it holds notes, or
  // carries them.
  // (LeakSanitizer looks at its own process in that way.)
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
  try {
    return run(argc, argv);
  } catch (const agent::OptionsError& error) {
    std::fprintf(stderr, "berth-agent: %s\n", error.what());
    return protocol::k_exit_usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "berth-agent: %s\n", error.what());
    return protocol::k_exit_failed;
  }
}
