#include "executor/sandbox/helper_tools.hpp"

#include "executor/agentlink/session.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

namespace berth::sandbox {
namespace {

constexpr int k_neither = 41;
constexpr int k_no_link = 42;

// For any POSIX shell. Where the root is read-only, or not the user's to write in,
// the agent's own directory is both the user's and writable.
constexpr const char* k_script = R"(
command -v gitlab-runner >/dev/null 2>&1 && exit 0
helper=$(command -v gitlab-runner-helper 2>/dev/null) || exit 41
ln -s "$helper" "${helper%/*}/gitlab-runner" 2>/dev/null && exit 0
tools=/.berth/run/tools
mkdir -p "$tools" && ln -sf "$helper" "$tools/gitlab-runner" || exit 42
printf %s "$tools:$PATH"
)";

class Collected final : public core::OutputSink {
 public:
  void write(std::string_view bytes) override {
    m_text.append(bytes.substr(0, k_most - std::min(k_most, m_text.size())));
  }
  const std::string& text() const noexcept { return m_text; }

 private:
  static constexpr std::size_t k_most = 4096;
  std::string m_text;
};

}  // namespace

std::string ensure_gitlab_runner(agentlink::Transport& helper, const std::string& image,
                                 std::chrono::milliseconds patience, std::stop_token stop) {
  agentlink::StageRequest request;
  request.start.id = agentlink::make_stage_id();
  request.start.script = k_script;
  request.where = fmt::format("helper container of image '{}'", image);
  Collected output;
  core::ExitStatus status;
  try {
    status = agentlink::run_stage(helper, request, output, {.connection_timeout = patience}, stop);
  } catch (const support::JobError& error) {
    throw support::OperatorError(
        fmt::format("helper image '{}' cannot run scripts: {}", image, error.what()),
        "set `helper_image` to gitlab-runner-helper of the runner's version");
  }
  if (status.success()) return output.text();
  const auto* exited = std::get_if<core::Exited>(&status.how);
  if (exited != nullptr && exited->code == k_neither) {
    throw support::OperatorError(
        fmt::format("helper image '{}' has neither gitlab-runner nor gitlab-runner-helper in its "
                    "PATH: artifacts and cache would silently be left out",
                    image),
        "set `helper_image` to gitlab-runner-helper of the runner's version");
  }
  const bool no_link = exited != nullptr && exited->code == k_no_link;
  throw support::OperatorError(
      fmt::format("helper image '{}': {}: {}", image,
                  no_link ? "cannot link gitlab-runner to gitlab-runner-helper"
                          : "looking for gitlab-runner failed",
                  output.text().empty() ? core::explain(status) : output.text()),
      "set `helper_image` to gitlab-runner-helper of the runner's version");
}

}  // namespace berth::sandbox
