#include "executor/credentials/credential.hpp"

#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace berth::credentials {
namespace {

constexpr const char* k_expired = " expired on ";

Recognised recognise(Form form, std::string_view text, std::chrono::sys_seconds now) {
  switch (form) {
    case Form::json:
      return recognise_json(text, now);
    case Form::yaml:
      return recognise_kubeconfig(text, now);
    case Form::pem:
      return recognise_pem(text, now);
    case Form::aws:
      return recognise_aws(text);
    case Form::netrc:
      return recognise_netrc(text);
    case Form::npmrc:
      return recognise_npmrc(text);
    case Form::jwt:
      return recognise_jwt(text, now);
    case Form::unknown:
      break;
  }
  return {};
}

/// Parsers of JSON and YAML throw; what they say may quote the text.
Recognised recognise_safely(Form form, std::string_view text, std::chrono::sys_seconds now) {
  try {
    return recognise(form, text, now);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    return damaged(Verdict::garbage, "it cannot be read");
  }
}

Verdict verdict_of(Decoded::State state) {
  switch (state) {
    case Decoded::State::truncated:
      return Verdict::truncated;
    case Decoded::State::garbage:
      return Verdict::garbage;
    case Decoded::State::ambiguous:
      return Verdict::ambiguous;
    case Decoded::State::unknown:
    case Decoded::State::content:
      break;
  }
  return Verdict::none;
}

}  // namespace

std::string_view name_of(Type type) {
  switch (type) {
    case Type::kubeconfig:
      return "kubeconfig";
    case Type::google_service_account:
      return "service account";
    case Type::google_external_account:
      return "external account";
    case Type::google_authorized_user:
      return "authorized user";
    case Type::docker_config:
      return "Docker configuration";
    case Type::private_key:
      return "private key";
    case Type::certificates:
      return "certificates";
    case Type::ssh_key:
      return "SSH key";
    case Type::aws_credentials:
      return "AWS credentials";
    case Type::netrc:
      return "netrc";
    case Type::npmrc:
      return "npmrc";
    case Type::jwt:
      return "JWT";
  }
  return "credential";
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::none:
      return "not a credential";
    case Verdict::valid:
      return "valid";
    case Verdict::invalid:
      return "invalid";
    case Verdict::truncated:
      return "truncated";
    case Verdict::garbage:
      return "garbage";
    case Verdict::ambiguous:
      return "ambiguous";
  }
  return "unknown";
}

Recognised settled(Credential credential) {
  Recognised result;
  result.verdict = credential.problems.empty() ? Verdict::valid : Verdict::invalid;
  result.credential = std::move(credential);
  return result;
}

Recognised damaged(Verdict verdict, std::string fault) {
  Recognised result;
  result.verdict = verdict;
  result.fault = std::move(fault);
  return result;
}

void note_expiry(Credential& credential, std::string_view what, std::chrono::sys_seconds end,
                 std::chrono::sys_seconds now) {
  if (end <= now)
    credential.problems.push_back(fmt::format("{}{}{}", what, k_expired, shown_date(end)));
  credential.expiry = std::min(credential.expiry.value_or(end), end);
}

bool is_parsable(std::string_view text) {
  // What one node takes in the dearer of both parsers, and what is always allowed.
  constexpr std::size_t k_node = 512;
  constexpr std::size_t k_allowed = std::size_t{1} << 20;
  const auto nodes = static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
    return std::string_view("\n,:[{&*?").find(c) != std::string_view::npos;
  }));
  std::size_t dashes = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    if (text[i] == '-' && is_blank(text[i + 1])) ++dashes;
  return (nodes + dashes) * k_node <= std::max(text.size() * 12, k_allowed);
}

Finding examine(std::string_view value, std::chrono::sys_seconds now) {
  Decoded decoded = decode(value);
  Finding finding;
  finding.layers = std::move(decoded.layers);
  finding.encoding = std::move(decoded.notes);
  finding.decoded_bytes = decoded.content.expose().size();
  finding.final_newline = decoded.final_newline;
  finding.fault = std::move(decoded.fault);
  Recognised recognised = recognise_safely(decoded.form, decoded.content.expose(), now);
  if (decoded.state != Decoded::State::content) {
    // A damaged encoding counts only where a credential is in it, or gzip that names none.
    const bool meant = decoded.form == Form::unknown || recognised.verdict != Verdict::none;
    finding.verdict = meant ? verdict_of(decoded.state) : Verdict::none;
    return finding;
  }
  finding.verdict = recognised.verdict;
  finding.fault = std::move(recognised.fault);
  if (finding.verdict == Verdict::valid || finding.verdict == Verdict::invalid) {
    finding.credential = std::move(recognised.credential);
    if (finding.credential->content.empty())
      finding.credential->content = support::Secret(std::string(decoded.content.expose()) + '\n');
    finding.one_line = std::move(decoded.one_line);
  }
  return finding;
}

std::string Finding::diagnosis() const {
  if (verdict == Verdict::none)
    return std::string(name_of(verdict)) + (fault.empty() ? "" : "; " + fault);
  std::vector<std::string> parts;
  if (!fault.empty()) parts.push_back(fmt::format("{}: {}", name_of(verdict), fault));
  if (!encoding.empty()) parts.push_back(joined(encoding, ", "));
  parts.push_back(grouped(decoded_bytes) + " bytes");
  if (credential) {
    parts.push_back(std::string(name_of(credential->type)) +
                    (credential->subject.empty() ? "" : " " + credential->subject));
    const auto add = [&parts](const std::vector<std::string>& more) {
      for (std::string& part : first_few(more)) parts.push_back(std::move(part));
    };
    add(credential->notes);
    const bool over = std::ranges::any_of(credential->problems, [](const std::string& problem) {
      return problem.find(k_expired) != std::string::npos;
    });
    if (credential->expiry && !over)
      parts.push_back("valid until " + shown_date(*credential->expiry));
    add(credential->problems);
    if (!final_newline && credential->type != Type::jwt) parts.push_back("no trailing newline");
  }
  return joined(parts);
}

}  // namespace berth::credentials
