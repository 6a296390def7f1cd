#pragma once

#include "cli/local/pipeline/yaml_value.hpp"

#include <string>
#include <string_view>

namespace berth::local::pipeline {

/// What a plain scalar is to Ruby's Psych, GitLab's YAML reader (YAML 1.1 with
/// Psych's own turns: psych/scalar_scanner.rb).
struct Scalar {
  Value::Kind kind = Value::Kind::string;
  /// Ruby's to_s of the value.
  std::string text;
  /// A date or time: GitLab's safe loader refuses those.
  bool date = false;
};

Scalar resolve_scalar(std::string_view text);

/// Ruby's Float#to_s.
std::string ruby_float(double value);

}  // namespace berth::local::pipeline
