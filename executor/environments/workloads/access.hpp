#pragma once

#include "executor/core/job.hpp"
#include "executor/kubernetes/api/connection.hpp"
#include "executor/support/error.hpp"
#include "executor/support/secret.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Which cluster a job deploys to, and with which credential Berth may look at it. Pure but
/// for target_of(), which reads the files that an operator's kubeconfig names.
namespace berth::environments::workloads {

/// A kubeconfig's text, and where it comes from.
struct KubeconfigText {
  enum class From {
    operator_,  ///< the settings: may name files and start programs
    variable,   ///< a CI variable, decoded
    file,       ///< left by the job's script: its current-context is the one that was used
  };
  From from = From::variable;
  /// For messages: "variable KUBE_CONFIG".
  std::string where{};
  support::Secret text{};
};

/// The kubeconfig among the job's variables, however encoded: the one that is called
/// KUBECONFIG or KUBE_CONFIG, else one whose name has KUBE in it, else the only one.
std::optional<KubeconfigText> kubeconfig_of(const core::Variables& variables,
                                            std::chrono::sys_seconds now);

/// Where a script may have left one in its container, most likely first: $KUBECONFIG, the
/// home of `uid` by the text of /etc/passwd, $HOME.
std::vector<std::string> kubeconfig_paths(const core::Variables& variables, std::string_view passwd,
                                          std::uint32_t uid);

/// Of an environment's rule: globs; empty: anywhere.
struct Pins {
  std::vector<std::string> contexts{};
  std::vector<std::string> namespaces{};
};

/// A job deploys to where its environment is not.
class WrongTarget : public support::JobError {
 public:
  using support::JobError::JobError;
};

struct Target {
  kubernetes::Connection connection{};
  /// "" where the kubeconfig does not say and is used as kubectl does ("default").
  std::string context{};
  std::string name_space{};
};

/// The context: of a file its current-context; else $KUBECONTEXT or $KUBE_CONTEXT, else the
/// pin where it is one name, else current-context; of an operator's the first of those that
/// it has. The namespace: $KUBE_NAMESPACE (for an operator's kubeconfig only where it is
/// pinned, or the context's own), else the pin where it is one name, else the context's.
///
/// Throws WrongTarget where what comes of it goes against a pin, and JobError where the
/// kubeconfig cannot be used (OperatorError for an operator's). A job's kubeconfig must hold
/// everything itself: it was written by others, so no file is read for it, no program started, no
/// proxy asked, and nothing connected to that is this machine (net/address.hpp).
Target target_of(const KubeconfigText& kubeconfig, const core::Variables& variables,
                 const Pins& pins);

}  // namespace berth::environments::workloads
