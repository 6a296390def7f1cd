// Google's credential files: keys of service accounts, workload identity
// federation, a user's own login (google.aip.dev/auth/4112, 4117, 4113).

#include "executor/credentials/pem.hpp"
#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"
#include "executor/credentials/x509.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace berth::credentials {
namespace {

using Json = nlohmann::json;

class Reader {
 public:
  explicit Reader(const Json& json) : m_json(json) {}

  /// The text of a key; a problem where it is missing or none.
  std::string text(const char* key) {
    const auto found = m_json.find(key);
    if (found == m_json.end() || found->is_null()) {
      problem(fmt::format("no {}", key));
    } else if (!found->is_string() || found->get_ref<const std::string&>().empty()) {
      problem(fmt::format("{} is not a text", key));
    } else {
      return found->get<std::string>();
    }
    return {};
  }

  void secret(const char* key) {
    const auto found = m_json.find(key);
    if (found != m_json.end() && found->is_string())
      credential.secrets.emplace_back(found->get<std::string>());
  }

  void problem(std::string text) { credential.problems.push_back(std::move(text)); }

  Credential credential{};

 private:
  const Json& m_json;
};

void read_service_account(Reader& reader) {
  reader.credential.type = Type::google_service_account;
  reader.credential.subject = shown(reader.text("client_email"));
  const std::string id = reader.text("private_key_id");
  // The id is public; its end tells keys apart.
  constexpr std::size_t k_end = 4;
  if (id.size() > 2 * k_end)
    reader.credential.notes.push_back("key id ..." + shown(id.substr(id.size() - k_end)));
  reader.text("token_uri");
  const support::Secret key(reader.text("private_key"));
  if (key.empty()) return;
  const PemText pem = read_pem(key.expose());
  if (pem.end != PemText::End::whole || pem.blocks.size() != 1 || !pem.blocks[0].is_private()) {
    reader.credential.secrets.push_back(key);
    return reader.problem("private_key is not one whole PEM key");
  }
  reader.credential.secrets.emplace_back(pem.blocks[0].body());
  if (!PrivateKey::parse(pem.blocks[0].der.expose())) reader.problem("private_key cannot be read");
}

void read_external_account(Reader& reader, const Json& json) {
  reader.credential.type = Type::google_external_account;
  reader.credential.subject = shown(reader.text("audience"));
  reader.text("subject_token_type");
  reader.text("token_url");
  const auto source = json.find("credential_source");
  if (source == json.end() || !source->is_object()) {
    reader.problem("no credential_source");
  } else if (const auto file = source->find("file"); file != source->end() && file->is_string()) {
    reader.credential.notes.push_back(
        fmt::format("needs the token file '{}'", shown(file->get<std::string>())));
  }
  reader.secret("client_secret");
}

}  // namespace

Recognised recognise_google(const Json& json) {
  const auto found = json.find("type");
  const std::string type =
      found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  Reader reader(json);
  if (type == "service_account") {
    read_service_account(reader);
  } else if (type == "external_account") {
    read_external_account(reader, json);
  } else if (type == "authorized_user") {
    reader.credential.type = Type::google_authorized_user;
    reader.credential.subject = shown(reader.text("client_id"));
    reader.text("refresh_token");
    reader.secret("refresh_token");
    reader.secret("client_secret");
  } else if (json.contains("private_key") && json.contains("client_email")) {
    read_service_account(reader);
    reader.problem("no type");
  } else {
    return {};
  }
  return settled(std::move(reader.credential));
}

}  // namespace berth::credentials
