#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::tests {

/// A request to a fake engine, taken apart.
struct EngineCall {
  std::string method;
  /// "/containers/x/json" is {"containers", "x", "json"}; decoded.
  std::vector<std::string> path{};
  std::map<std::string, std::string> query{};
  std::string body{};

  /// An element of the path, or "".
  std::string at(std::size_t index) const { return index < path.size() ? path[index] : ""; }
  /// Of the query, or an empty object.
  nlohmann::json filters() const;
};

/// What it is answered with.
struct EngineReply {
  unsigned status = 200;
  std::string body{};
  std::map<std::string, std::string> headers{};
};

/// `target`: with the query, without the version prefix.
EngineCall parse_call(std::string method, const std::string& target, std::string body);

EngineReply reply(unsigned status, const nlohmann::json& body);
EngineReply refuse(unsigned status, const std::string& message);

/// One stdout (1) or stderr (2) frame of a stream without a terminal.
std::string stream_frame(char type, std::string_view bytes);

/// Does an object have every label that the filters name, with or without a value?
bool labels_match(const nlohmann::json& labels, const nlohmann::json& filters);

}  // namespace berth::tests
