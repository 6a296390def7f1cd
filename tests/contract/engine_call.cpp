#include "tests/contract/engine_call.hpp"

#include <cstdint>
#include <sstream>

namespace berth::tests {
namespace {

using nlohmann::json;

std::string percent_decode(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

json EngineCall::filters() const {
  const auto found = query.find("filters");
  return found == query.end() ? json::object() : json::parse(found->second);
}

EngineCall parse_call(std::string method, const std::string& target, std::string body) {
  EngineCall call{.method = std::move(method), .body = std::move(body)};
  const auto question = target.find('?');
  std::stringstream parts(target.substr(0, question));
  for (std::string part; std::getline(parts, part, '/');) {
    if (!part.empty()) call.path.push_back(percent_decode(part));
  }
  if (question != std::string::npos) {
    std::stringstream pairs(target.substr(question + 1));
    for (std::string pair; std::getline(pairs, pair, '&');) {
      const auto equals = pair.find('=');
      call.query[pair.substr(0, equals)] =
          equals == std::string::npos ? "" : percent_decode(pair.substr(equals + 1));
    }
  }
  return call;
}

EngineReply reply(unsigned status, const json& body) {
  if (status == 204 || status == 304) return {.status = status};
  return {.status = status, .body = body.dump(), .headers = {{"Content-Type", "application/json"}}};
}

EngineReply refuse(unsigned status, const std::string& message) {
  return reply(status, {{"message", message}});
}

std::string stream_frame(char type, std::string_view bytes) {
  std::string frame(8, '\0');
  frame[0] = type;
  const auto size = static_cast<std::uint32_t>(bytes.size());
  for (unsigned i = 0; i < 4; ++i) frame[4 + i] = static_cast<char>(size >> (24 - 8 * i));
  return frame.append(bytes);
}

bool labels_match(const json& labels, const json& filters) {
  for (const auto& wanted : filters.value("label", json::array())) {
    const std::string text = wanted.get<std::string>();
    const auto equals = text.find('=');
    const std::string key = text.substr(0, equals);
    if (!labels.is_object() || !labels.contains(key)) return false;
    if (equals != std::string::npos && labels[key] != text.substr(equals + 1)) return false;
  }
  return true;
}

}  // namespace berth::tests
