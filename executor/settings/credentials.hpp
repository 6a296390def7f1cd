#pragma once

#include <string>
#include <vector>

namespace berth::settings {

/// What becomes of credentials in a job's variables: `credentials:` of berth.yaml.
struct Credentials {
  /// `all`: variables with well-known names, and every masked or file variable.
  enum class Recognise { all, named, off };
  /// `variables`: files, and the variables by which tools find them.
  enum class Deliver { variables, files, off };
  enum class OnInvalid { warn, fail };
  enum class Scan { off, warn, fail };

  /// Which jobs may have some credentials handed out; the first rule with the
  /// variable's name decides, and without one every job may.
  struct Scope {
    /// Globs, as the next two.
    std::vector<std::string> variables{};
    /// Full paths; empty: all.
    std::vector<std::string> projects{};
    /// Names; empty: all, and jobs without one. A job can name one that it does not
    /// deploy to: no boundary unless the ref is protected.
    std::vector<std::string> environments{};
    /// Only jobs of protected branches and tags.
    bool protected_refs = false;
    bool operator==(const Scope&) const = default;
  };

  Recognise recognise = Recognise::all;
  /// Names beside the well-known ones: globs.
  std::vector<std::string> names{};
  Deliver deliver = Deliver::variables;
  OnInvalid on_invalid = OnInvalid::warn;
  bool normalise = true;
  bool mask = true;
  /// Directories that are kept in memory for scripts that decode into them: in every job.
  std::vector<std::string> shield_paths{};
  /// The directory of a job's KUBECONFIG too, where the job has a credential and the image
  /// has nothing there.
  bool shield_kubeconfig = true;
  Scan scan_artifacts = Scan::off;
  std::vector<Scope> scope{};
  bool operator==(const Credentials&) const = default;
};

}  // namespace berth::settings
