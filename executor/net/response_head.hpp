#pragma once

#include "executor/net/http.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// Internal to executor/net.
namespace berth::net {

/// Reads the answer to an upgrade request from a byte stream: the header, and,
/// where the server refused, the body as well. What follows the header of a
/// granted upgrade belongs to the stream.
class UpgradeReply {
 public:
  UpgradeReply();
  ~UpgradeReply();

  /// True once the reply is whole. Throws HttpError (malformed).
  bool feed(std::string_view bytes);
  /// The connection ended. True when the reply is whole with that.
  bool end();

  /// Only when whole.
  bool granted() const;
  HttpResponse response() const;
  /// Bytes after the header of a granted upgrade.
  std::string rest() const;

 private:
  class Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace berth::net
