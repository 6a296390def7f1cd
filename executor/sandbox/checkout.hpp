#pragma once

#include "executor/core/backend.hpp"
#include "executor/sandbox/service_wait.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

/// Whose files a checkout's are. The runner's own scripts work as the helper's user;
/// what they make must be the build container's to write. They give it to the owner
/// of <builds_dir>/.gitlab-build-uid-gid, if that file is there when they have fetched
/// sources, caches or artifacts (gitlab-runner, shells/abstract.go,
/// changeFilesOwnership). So nothing has to be writable for everybody, and git finds
/// files of its own user. What cannot be given away is made under umask 0000, as the
/// built-in executors do by default.
namespace berth::sandbox {

inline constexpr std::string_view k_owner_marker = ".gitlab-build-uid-gid";
/// In a builds directory that outlives its jobs: the user id that the last one left
/// its files to.
inline constexpr std::string_view k_owner_record = ".berth-owner";

/// The users of a job's two containers, as their agents say.
struct CheckoutUsers {
  std::uint32_t helper = 0;
  std::uint32_t build = 0;
  std::uint32_t build_group = 0;
};

struct CheckoutRequest {
  CheckoutUsers users{};
  std::string builds_dir{};
  /// The builds directory may hold files of an earlier job.
  bool kept = false;
  /// The job insists: JobSpec::helper_umask_0000.
  bool umask_0000 = false;
  /// The helper's git's system configuration. There, and not only in the environment,
  /// it is told that files of others are in order: a job may have a GIT_CONFIG_COUNT of
  /// its own, and git before 2.38 asks files alone.
  std::string git_config = "/etc/gitconfig";
};

/// What the stages have to know of it.
struct Checkout {
  /// The helper's make files that everybody may write.
  bool umask_0000 = false;
  /// The build container's user is not the one that the files belong to.
  bool foreign_to_build = false;
  bool operator==(const Checkout&) const = default;
};

/// What is to be done, once it is known whose files the directory holds.
struct CheckoutPlan {
  Checkout checkout{};
  /// Write the marker, for the build container's user.
  bool mark = false;
  bool operator==(const CheckoutPlan&) const = default;
};

/// Pure. `last_owner`: what k_owner_record says, if there is one.
CheckoutPlan plan_checkout(const CheckoutRequest& request, std::optional<std::uint32_t> last_owner);

/// Does it, by the helper's agent, which is connected to only where it is needed. A
/// helper that may not give files away (without CAP_CHOWN) leaves umask 0000. Lost
/// connections are made again until `patience` has passed. Throws what `connect`
/// throws, and agentlink::ConnectionLost.
Checkout arrange_checkout(const ConnectHelper& connect, const CheckoutRequest& request,
                          std::chrono::milliseconds patience, std::stop_token stop);

/// Sets what agentlink's make_stage_request() reads: "helper.umask" and
/// "<role>.safe_directory". `helper_has_own_git`, `build_has_own_git`: the image sets
/// GIT_CONFIG_COUNT itself, which must not be replaced.
void note_checkout(const Checkout& checkout, bool helper_has_own_git, bool build_has_own_git,
                   core::Sandbox& sandbox);

}  // namespace berth::sandbox
