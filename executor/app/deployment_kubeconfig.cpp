#include "executor/app/deployment_kubeconfig.hpp"

#include "executor/app/backends.hpp"
#include "executor/state/plan.hpp"
#include "executor/state/sandbox.hpp"
#include "executor/support/files.hpp"
#include "executor/support/shell.hpp"

namespace berth::app {
namespace {

namespace workloads = environments::workloads;
using workloads::KubeconfigText;

constexpr std::size_t k_max_kubeconfig = std::size_t{1} << 20;

/// Reads a file of the build container: `cat` of the first that is there.
class FileOutput final : public core::OutputSink {
 public:
  void write(std::string_view bytes) override {
    if (m_text.size() + bytes.size() <= k_max_kubeconfig) m_text.append(bytes);
  }
  std::string take() { return std::move(m_text); }

 private:
  std::string m_text;
};

}  // namespace

std::optional<KubeconfigText> operators_kubeconfig(const settings::EnvironmentRule& rule) {
  if (rule.kubeconfig.empty()) return std::nullopt;
  return KubeconfigText{
      .from = KubeconfigText::From::operator_,
      .where = rule.kubeconfig.native(),
      .text = support::Secret(support::read_file(rule.kubeconfig, k_max_kubeconfig))};
}

std::optional<KubeconfigText> kubeconfig_left_by_script(const StageInput& input,
                                                        const settings::Settings& settings,
                                                        const core::Job& job) {
  const auto plan = state::read_plan(input.environment.tmpdir);
  const auto sandbox = state::read_sandbox(input.environment.tmpdir);
  if (!plan || !sandbox) return std::nullopt;
  std::string script = "for f in";
  for (const std::string& path : workloads::kubeconfig_paths(job.variables, {}, 0))
    script += " " + support::shell_quoted(path);
  script +=
      " \"$HOME/.kube/config\"; do if [ -f \"$f\" ] && [ -r \"$f\" ]; then cat \"$f\"; exit; fi; "
      "done\n";
  FileOutput output;
  make_backend(plan->backend, settings)
      ->run(*plan, *sandbox, {.stage = core::ScriptStage("build_script"), .text = script}, output,
            input.console, input.stop);
  std::string text = output.take();
  if (text.empty()) return std::nullopt;
  return KubeconfigText{.from = KubeconfigText::From::file,
                        .where = "the kubeconfig that the script left",
                        .text = support::Secret(std::move(text))};
}

}  // namespace berth::app
