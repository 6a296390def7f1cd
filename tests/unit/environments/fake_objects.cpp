#include "tests/unit/environments/fake_objects.hpp"

#include "executor/support/secret.hpp"

namespace berth::tests {
namespace {

using nlohmann::json;

ServerReply refusal(int code, const std::string& reason) {
  return {.status = code,
          .body = json{
              {"kind", "Status"},
              {"apiVersion", "v1"},
              {"status", "Failure"},
              {"message", reason},
              {"reason", reason},
              {"code",
               code}}.dump()};
}

std::string decoded(const std::string& text) {
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

/// "a=b,c=d" of labelSelector in a query.
std::map<std::string, std::string> selector(const std::string& query) {
  std::map<std::string, std::string> labels;
  const std::string key = "labelSelector=";
  const std::size_t begin = query.find(key);
  if (begin == std::string::npos) return labels;
  const std::size_t end = std::min(query.find('&', begin), query.size());
  std::string text = decoded(query.substr(begin + key.size(), end - begin - key.size())) + ",";
  for (std::size_t comma = 0; (comma = text.find(',')) != std::string::npos;) {
    const std::string one = text.substr(0, comma);
    text.erase(0, comma + 1);
    const std::size_t equals = one.find('=');
    labels[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return labels;
}

}  // namespace

FakeObjects::FakeObjects() {
  for (const char* method : {"GET", "POST", "PATCH", "DELETE"}) {
    m_server.on(method, "/*", [this](const ServerRequest& request) { return answer(request); });
  }
}

std::unique_ptr<kubernetes::Client> FakeObjects::client() const {
  kubernetes::Connection connection;
  connection.base_url = m_server.url();
  connection.source = "the test";
  connection.credentials = kubernetes::make_fixed_credentials(
      {.token = support::Secret("t"), .certificate_pem = {}, .key_pem = {}});
  kubernetes::ClientOptions options;
  options.patience = std::chrono::seconds(20);
  options.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(4)};
  return std::make_unique<kubernetes::Client>(std::move(connection), std::move(options));
}

std::map<std::string, json> FakeObjects::all() const {
  const std::scoped_lock lock(m_mutex);
  return m_objects;
}

ServerReply FakeObjects::answer(const ServerRequest& request) {
  const std::size_t question = std::min(request.target.find('?'), request.target.size());
  const std::string path = request.target.substr(0, question);
  if (request.method == "PATCH" && before_patch) before_patch();
  const std::scoped_lock lock(m_mutex);
  if (request.method == "POST") return create(path, json::parse(request.body));
  if (path.ends_with("/leases") || path.ends_with("/secrets")) {
    return list(path + "/", request.target.substr(question));
  }
  const auto found = m_objects.find(path);
  if (found == m_objects.end()) return refusal(404, "NotFound");
  if (request.method == "PATCH") return patch(path, json::parse(request.body));
  if (request.method == "DELETE") {
    m_objects.erase(found);
    return {.body = R"({"kind":"Status","status":"Success"})"};
  }
  return {.body = found->second.dump()};
}

ServerReply FakeObjects::create(const std::string& path, json object) {
  const std::string full = path + "/" + object.at("metadata").at("name").get<std::string>();
  if (m_objects.contains(full)) return refusal(409, "AlreadyExists");
  object["metadata"]["resourceVersion"] = std::to_string(++m_version);
  m_objects[full] = object;
  return {.status = 201, .body = object.dump()};
}

ServerReply FakeObjects::patch(const std::string& path, const json& change) {
  json& object = m_objects.at(path);
  const json& metadata = change.value("metadata", json::object());
  if (metadata.contains("resourceVersion") &&
      metadata.at("resourceVersion") != object.at("metadata").at("resourceVersion")) {
    return refusal(409, "Conflict");
  }
  object.merge_patch(change);
  object["metadata"]["resourceVersion"] = std::to_string(++m_version);
  return {.body = object.dump()};
}

ServerReply FakeObjects::list(const std::string& path, const std::string& query) const {
  json items = json::array();
  for (const auto& [name, object] : m_objects) {
    if (!name.starts_with(path)) continue;
    bool fits = true;
    for (const auto& [key, value] : selector(query)) {
      fits = fits && object.at("metadata").at("labels").value(key, "") == value;
    }
    if (fits) items.push_back(object);
  }
  return {.body = json{{"kind", "List"}, {"metadata", {{"resourceVersion", "1"}}}, {"items", items}}
                      .dump()};
}

}  // namespace berth::tests
