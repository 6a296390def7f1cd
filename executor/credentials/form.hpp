#pragma once

#include <string_view>

namespace berth::credentials {

/// What a text begins like. A guess from a few words of it, not a judgement: a
/// damaged text is still of its form.
enum class Form {
  unknown,
  json,
  /// A kubeconfig's keys at the start of lines.
  yaml,
  pem,
  /// Keys of the AWS credentials file.
  aws,
  netrc,
  npmrc,
  jwt,
};

/// Pure; looks at each byte a bounded number of times. Binary is unknown.
Form form_of(std::string_view text);

}  // namespace berth::credentials
