#pragma once

#include "executor/support/secret.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The textual encoding of keys and certificates (RFC 7468, and OpenSSL's older
/// headers). Pure.
namespace berth::credentials {

struct PemBlock {
  /// "RSA PRIVATE KEY"
  std::string label{};
  /// "Proc-Type: 4,ENCRYPTED", one per line; or "".
  std::string headers{};
  support::Secret der{};

  /// As OpenSSL writes it: lines of 64 digits, LF (70 where ssh-keygen does).
  std::string text() const;
  /// Its digits, as text() has them: what a log may not show.
  std::string body() const;
  bool is_private() const { return label.ends_with("PRIVATE KEY"); }
};

struct PemText {
  enum class End { whole, cut, damaged };
  End end = End::whole;
  /// Why it is cut or damaged.
  std::string fault{};
  std::vector<PemBlock> blocks{};
};

/// Reads all blocks; what stands between them is passed over. Line ends may be
/// CRLF, blanks, or "\n" written out.
PemText read_pem(std::string_view text);

}  // namespace berth::credentials
