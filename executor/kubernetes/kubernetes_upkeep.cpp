#include "executor/kubernetes/kubernetes_upkeep.hpp"

#include "executor/kubernetes/connect.hpp"
#include "executor/kubernetes/examination.hpp"
#include "executor/kubernetes/garbage.hpp"
#include "executor/kubernetes/removal.hpp"
#include "executor/state/host_id.hpp"
#include "executor/support/clock.hpp"

#include <cerrno>
#include <iterator>
#include <set>
#include <sys/stat.h>

namespace berth::kubernetes {
namespace {

/// An operator waits, or a CronJob comes again.
constexpr std::chrono::seconds k_patience{30};

class KubernetesUpkeep final : public core::Upkeep {
 public:
  KubernetesUpkeep(BackendOptions options, support::Console& console)
      : m_options(std::move(options)), m_console(console) {}

  std::vector<core::Garbage> collect_garbage(const core::GarbageRequest& request,
                                             std::stop_token stop) override {
    const auto client = connect(m_options.settings, k_patience, m_options.trace_file, m_console);
    for (const std::string& warning : client->connection().warnings) m_console.warning(warning);
    const auto tmpdir_gone = [this](const std::string& host, const std::string& tmpdir) {
      struct stat unused {};
      return state::is_host_of(host, m_options.state_dir, tmpdir) &&
             ::lstat(tmpdir.c_str(), &unused) != 0 && errno == ENOENT;
    };
    std::set<std::string> namespaces(request.namespaces.begin(), request.namespaces.end());
    namespaces.insert(namespace_of(m_options.settings, *client));
    std::vector<core::Garbage> all;
    for (const std::string& name_space : namespaces) {
      auto pods = collect_pods(*client, name_space, deletion_grace(m_options.settings),
                               request.dry_run, support::unix_seconds(), tmpdir_gone, stop);
      std::move(pods.begin(), pods.end(), std::back_inserter(all));
    }
    return all;
  }

  std::vector<core::Finding> examine(std::stop_token stop) override {
    return examine_cluster(m_options, m_console, stop);
  }

 private:
  BackendOptions m_options;
  support::Console& m_console;
};

}  // namespace

std::unique_ptr<core::Upkeep> make_upkeep(BackendOptions options, support::Console& console) {
  return std::make_unique<KubernetesUpkeep>(std::move(options), console);
}

}  // namespace berth::kubernetes
