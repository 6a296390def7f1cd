#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::settings {

/// A Kubernetes quantity: `500m`, `1.5`, `2Gi`, `1e3`, `-1`
/// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
/// Pure.
class Quantity {
 public:
  /// Nothing where the text is none, or beyond what fits (about ±10^27 in
  /// billionths).
  static std::optional<Quantity> parse(std::string_view text);

  std::strong_ordering operator<=>(const Quantity& other) const;
  bool operator==(const Quantity& other) const = default;

 private:
  /// Billionths; a finer fraction is rounded away from zero, as the API does.
  __extension__ typedef __int128 Wide;
  Wide m_nano = 0;
};

}  // namespace berth::settings
