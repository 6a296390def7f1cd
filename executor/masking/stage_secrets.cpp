#include "executor/masking/stage_secrets.hpp"

#include "executor/masking/wire.hpp"

namespace berth::masking {
namespace {

constexpr std::string_view k_magic = "berth-1\n";
constexpr char k_secret = 's';
constexpr char k_requested = 'r';
constexpr char k_from = 'f';
constexpr char k_to = 't';

bool is_too_much(const std::vector<support::Secret>& secrets) {
  std::size_t bytes = 0;
  for (const auto& secret : secrets) bytes += secret.expose().size();
  return secrets.size() > 2 * k_max_secrets || bytes > 2 * k_max_secret_bytes;
}

}  // namespace

support::Secret encode(const StageSecrets& secrets) {
  std::string text(k_magic);
  const auto add = [&text](char kind, const support::Secret& secret) {
    text += kind;
    put_text(text, secret.expose());
  };
  for (const auto& secret : secrets.secrets) add(k_secret, secret);
  for (const auto& secret : secrets.requested) add(k_requested, secret);
  for (const auto& change : secrets.changes) {
    add(k_from, change.from);
    add(k_to, change.to);
  }
  return support::Secret(std::move(text));
}

std::optional<StageSecrets> decode_stage_secrets(std::string_view bytes) {
  if (!bytes.starts_with(k_magic)) return std::nullopt;
  bytes.remove_prefix(k_magic.size());
  StageSecrets result;
  bool open = false;
  while (!bytes.empty()) {
    const char kind = bytes.front();
    bytes.remove_prefix(1);
    const auto text = take_text(bytes);
    if (!text || open != (kind == k_to)) return std::nullopt;
    support::Secret secret{std::string(*text)};
    open = false;
    if (kind == k_secret) {
      result.secrets.push_back(std::move(secret));
    } else if (kind == k_requested) {
      result.requested.push_back(std::move(secret));
    } else if (kind == k_from) {
      result.changes.push_back({.from = std::move(secret), .to = {}});
      open = true;
    } else if (kind == k_to) {
      result.changes.back().to = std::move(secret);
    } else {
      return std::nullopt;
    }
  }
  if (open || is_too_much(result.secrets) || is_too_much(result.requested)) return std::nullopt;
  return result;
}

}  // namespace berth::masking
