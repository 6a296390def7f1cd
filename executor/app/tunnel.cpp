#include "executor/app/tunnel.hpp"

#include "executor/app/backend_options.hpp"
#include "executor/kubernetes/tunnel_program.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/error.hpp"

#include <cerrno>
#include <string>
#include <unistd.h>

namespace berth::app {
namespace {

/// Byte by byte: what follows the line is read by others, later.
std::string read_line() {
  std::string line;
  char one = 0;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, &one, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw support::SystemError("no plan on standard input");
    if (one == '\n') return line;
    line += one;
  }
}

}  // namespace

void tunnel() {
  const kubernetes::TunnelPlan plan = kubernetes::parse_tunnel_plan(read_line());
  const settings::Settings settings =
      settings::load(plan.settings_file.empty() ? std::nullopt : std::optional(plan.settings_file));
  kubernetes::serve_tunnels(kubernetes_options(settings), plan);
}

}  // namespace berth::app
