#include "tests/contract/fake_objects.hpp"

#include "tests/contract/engine_call.hpp"

namespace berth::tests {

using nlohmann::json;

EngineReply FakeObjects::answer(const EngineCall& call) {
  const std::lock_guard lock(m_mutex);
  if (call.method == "POST" && call.path.size() == 2 && call.at(1) == "create") return create(call);
  if (call.path.size() == 1) return list(call);
  std::string name = call.at(1);
  if (m_kind == Kind::network && name.starts_with("id-")) name = name.substr(3);
  const auto found = m_all.find(name);
  if (found == m_all.end()) {
    return refuse(404, (m_kind == Kind::network ? "no such network: " : "no such volume: ") + name);
  }
  if (call.path.size() == 3) return reply(200, json::object());  // connect, disconnect
  if (call.method == "DELETE") {
    m_all.erase(found);
    return reply(204, {});
  }
  return reply(200, describe(name, found->second));
}

void FakeObjects::add(const std::string& name, const json& labels) {
  const std::lock_guard lock(m_mutex);
  m_all.try_emplace(name, json{{"Labels", labels}});
}

std::vector<std::string> FakeObjects::names() {
  const std::lock_guard lock(m_mutex);
  std::vector<std::string> names;
  for (const auto& [name, object] : m_all) names.push_back(name);
  return names;
}

EngineReply FakeObjects::create(const EngineCall& call) {
  const json wanted = json::parse(call.body);
  const std::string name = wanted.value("Name", "");
  const bool is_new = m_all.try_emplace(name, wanted).second;
  // A volume that exists is answered as if it were made.
  if (m_kind == Kind::network && !is_new) {
    return refuse(409, "network with name " + name + " already exists");
  }
  return reply(201, describe(name, m_all[name]));
}

EngineReply FakeObjects::list(const EngineCall& call) {
  const json filters = call.filters();
  json list = json::array();
  for (const auto& [name, object] : m_all) {
    if (filters.contains("name") && filters["name"].dump().find(name) == std::string::npos) {
      continue;
    }
    if (labels_match(object.value("Labels", json::object()), filters)) {
      list.push_back(describe(name, object));
    }
  }
  return reply(200, m_kind == Kind::volume ? json{{"Volumes", list}, {"Warnings", nullptr}} : list);
}

json FakeObjects::describe(const std::string& name, const json& object) const {
  json result = {{"Name", name},
                 {"Labels", object.value("Labels", json::object())},
                 {"Driver", m_kind == Kind::volume ? "local" : "bridge"}};
  if (m_kind == Kind::network) {
    result["Id"] = "id-" + name;
    result["IPAM"] = {{"Config", {{{"Subnet", "127.0.0.0/8"}, {"Gateway", "127.0.0.1"}}}}};
    result["Options"] = object.value("Options", json::object());
    result["Containers"] = json::object();
  } else {
    result["CreatedAt"] = "2026-01-01T00:00:00Z";
    result["Mountpoint"] = "/var/lib/docker/volumes/" + name + "/_data";
  }
  return result;
}

}  // namespace berth::tests
