#pragma once

#include "executor/support/secret.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace berth::masking {

/// What a job may have masked, of each kind: each secret makes many patterns, and every
/// stage makes them anew.
constexpr std::size_t k_max_secrets = 2000;
constexpr std::size_t k_max_secret_bytes = std::size_t{64} << 10U;

/// What a stage has to know of its job's secrets: made by prepare, kept in the memory
/// of the job's agents between the stages, never on disk.
struct StageSecrets {
  /// A variable's value that the stage's script is to have in another form.
  struct Change {
    support::Secret from{};
    support::Secret to{};
    bool operator==(const Change&) const = default;
  };

  /// Parts of credentials, no encoding: Masks::add.
  std::vector<support::Secret> secrets{};
  /// Of `::add-mask::` lines of earlier stages: Masks::add_requested.
  std::vector<support::Secret> requested{};
  std::vector<Change> changes{};

  bool operator==(const StageSecrets&) const = default;
};

support::Secret encode(const StageSecrets& secrets);

/// Nothing where the bytes are not of that form, or hold more than twice what a job may
/// have masked. They come from a container, so they are not trusted.
std::optional<StageSecrets> decode_stage_secrets(std::string_view bytes);

}  // namespace berth::masking
