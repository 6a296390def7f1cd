// A kubeconfig: whatever stands in it, it is read or refused by an OperatorError
// with the file's name, and merging it with itself changes nothing.

#include "executor/kubernetes/api/kubeconfig.hpp"

#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace berth::kubernetes;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    Kubeconfig config = parse_kubeconfig(text, "/etc/k");
    const std::size_t users = config.users.size();
    merge_kubeconfig(config, Kubeconfig(config));
    if (config.users.size() != users) std::abort();
    for (const auto& [name, context] : config.contexts) {
      try {
        const KubeSelection selection = select_context(config, name, "/etc/k");
        if (selection.where.empty()) std::abort();
      } catch (const berth::support::OperatorError&) {  // leads nowhere
      }
    }
  } catch (const berth::support::OperatorError& error) {
    if (!std::string_view(error.what()).starts_with("/etc/k:")) std::abort();
  }
  return 0;
}
