#include "executor/app/ledgers.hpp"

#include "executor/app/backend_options.hpp"
#include "executor/environments/file_ledger.hpp"
#include "executor/environments/kubernetes_ledger.hpp"
#include "executor/environments/project_ledger.hpp"
#include "executor/kubernetes/connect.hpp"
#include "executor/state/host_id.hpp"
#include "executor/support/error.hpp"

namespace berth::app {

std::string ledger_host(const settings::Settings& settings) {
  return state::host_id(settings.state_dir, {});
}

std::filesystem::path heartbeat_file(const settings::Settings& settings, const std::string& id) {
  return settings.state_dir / "deployments" / id;
}

namespace {

std::unique_ptr<environments::Ledger> make_shared_ledger(const settings::Settings& settings,
                                                         support::Console& console) {
  if (!settings.environments) {
    throw support::OperatorError("the settings have no section 'environments'",
                                 "add `environments: {}` to berth.yaml to record deployments");
  }
  const settings::LedgerStore& store = settings.environments->store;
  if (store.kind == settings::LedgerStore::Kind::kubernetes) {
    return environments::make_kubernetes_ledger(
        kubernetes::connect(settings.kubernetes, settings.policy.connection_timeout,
                            kubernetes_options(settings).trace_file, console),
        {.name_space = store.name_space, .keep = store.keep, .host = ledger_host(settings)});
  }
  return environments::make_file_ledger(
      {.root = store.path.empty() ? settings.state_dir / "environments" : store.path,
       .keep = store.keep,
       .host = ledger_host(settings)});
}

}  // namespace

std::shared_ptr<environments::Ledger> make_ledger(const settings::Settings& settings,
                                                  support::Console& console,
                                                  const std::string& project) {
  return environments::of_project(make_shared_ledger(settings, console), project);
}

}  // namespace berth::app
