#include "executor/kubernetes/tunnels.hpp"

#include "executor/agentlink/socket_transport.hpp"
#include "executor/kubernetes/tunnel_program.hpp"
#include "executor/process/detached.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

namespace berth::kubernetes {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using support::Fd;

constexpr const char* k_program = "berth-tunnel";
constexpr int k_end_limit_ms = 2000;

fs::path folder_in(const fs::path& tmpdir) {
  return tmpdir / "tunnel";
}

Fd listen_in(const fs::path& folder, const char* socket) {
  fs::create_directory(folder);
  return agentlink::listen_at(folder / socket);
}

}  // namespace

std::string to_line(const TunnelPlan& plan) {
  return json{{"settings", plan.settings_file.string()},
              {"namespace", plan.name_space},
              {"pod", plan.pod},
              {"idle_ms", plan.idle.count()}}
             .dump() +
         "\n";
}

TunnelPlan parse_tunnel_plan(std::string_view line) {
  try {
    const json object = json::parse(line);
    return {.settings_file = object.at("settings").get<std::string>(),
            .name_space = object.at("namespace").get<std::string>(),
            .pod = object.at("pod").get<std::string>(),
            .idle = std::chrono::milliseconds(object.at("idle_ms").get<std::int64_t>())};
  } catch (const json::exception& error) {
    throw support::SystemError(std::string("not a tunnel's plan: ") + error.what());
  }
}

Tunnels::Tunnels(const fs::path& tmpdir, const fs::path& program_dir, const TunnelPlan& plan) {
  try {
    const fs::path folder = folder_in(tmpdir);
    fs::create_directory(folder);
    fs::permissions(folder, fs::perms::owner_all);
    // Ours are closed when it has them: a socket that nobody serves must refuse.
    const Fd helper =
        listen_in(tunnel_socket_dir(tmpdir, core::ContainerRole::helper), k_agent_socket);
    const Fd build =
        listen_in(tunnel_socket_dir(tmpdir, core::ContainerRole::build), k_agent_socket);
    const Fd end = listen_in(folder / "end", k_end_socket);
    std::array<int, 2> line{};
    if (::pipe2(line.data(), O_CLOEXEC) != 0)
      throw support::SystemError("pipe: " + support::errno_text(errno));
    const Fd their_line(line[0]);
    m_line = Fd(line[1]);
    support::write_all(m_line.get(), to_line(plan), "a tunnel's plan");
    process::start_detached({(program_dir / k_program).string()},
                            std::array{their_line.get(), helper.get(), build.get(), end.get()});
  } catch (const fs::filesystem_error& error) {
    throw support::SystemError(error.what());
  }
}

fs::path tunnel_socket_dir(const fs::path& tmpdir, core::ContainerRole role) {
  return folder_in(tmpdir) / std::string(core::to_string(role));
}

void Tunnels::keep() {
  support::write_all(m_line.get(), k_keep, "the end of a tunnel's plan");
}

void end_tunnels(const fs::path& tmpdir) noexcept {
  try {
    const auto way =
        agentlink::make_socket_transport(folder_in(tmpdir), fs::path("end") / k_end_socket);
    const auto stream = way->connect({}, {});
    pollfd end{stream->fd(), POLLIN, 0};
    ::poll(&end, 1, k_end_limit_ms);
  } catch (const std::exception&) {  // it is not there
  }
}

}  // namespace berth::kubernetes
