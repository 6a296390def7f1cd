#pragma once

#include <string_view>

/// How Kubernetes spells names
/// (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and
/// .../labels/). Pure.
namespace berth::settings {

/// RFC 1123 label: at most 63 lower case letters, digits and inner dashes.
bool is_dns_label(std::string_view text);
/// RFC 1123 subdomain: labels with dots between, at most 253 characters.
bool is_dns_subdomain(std::string_view text);
/// At most 63 letters, digits, `-`, `_` and `.`, the first and last a letter or
/// digit; or empty.
bool is_label_value(std::string_view text);
/// A label's or annotation's key: [dns.name/]name.
bool is_label_key(std::string_view text);
/// A key of labels and annotations that Berth, or the built-in executor, gives a
/// meaning: nobody else may set it.
bool is_reserved_key(std::string_view key);
/// "", NoSchedule, PreferNoSchedule or NoExecute.
bool is_taint_effect(std::string_view text);

}  // namespace berth::settings
