#include "executor/kubernetes/api/caller.hpp"

#include "executor/kubernetes/api/failures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::kubernetes {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

bool maybe_carried_out(const net::HttpError& error) {
  return error.failure() == net::HttpFailure::reset || error.failure() == net::HttpFailure::timeout;
}

/// Waiting can help: nobody is there now, or the reply was lost.
bool may_heal(const net::HttpError& error) {
  return maybe_carried_out(error) || error.failure() == net::HttpFailure::cannot_connect ||
         error.failure() == net::HttpFailure::cannot_resolve;
}

std::string in_words(milliseconds time) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(time).count();
  return seconds >= 120 && seconds % 60 == 0 ? fmt::format("{}m", seconds / 60)
                                             : fmt::format("{}s", seconds);
}

}  // namespace

Patience::Patience(const ClientOptions& options)
    : m_options(options), m_start(steady_clock::now()) {}

bool Patience::wait(Trouble trouble, milliseconds at_least, const std::string& words,
                    const std::stop_token& stop) {
  const milliseconds limit = trouble == Trouble::away
                                 ? m_options.patience
                                 : std::min(m_options.patience, m_options.error_patience);
  const milliseconds pause =
      std::max(at_least, support::delay(m_options.backoff, ++m_tries, support::random_unit()));
  if (steady_clock::now() + pause > m_start + limit) return false;
  // A first quick try again is not worth a line.
  if (m_tries > 1 && !m_told && m_options.on_trouble) {
    m_told = true;
    m_options.on_trouble(fmt::format("{}; trying for {}", words, in_words(limit)));
  }
  if (!support::sleep_for(pause, stop)) throw support::Cancelled();
  return true;
}

void Patience::succeeded() {
  m_start = steady_clock::now();
  m_tries = 0;
  m_told = false;
}

Caller::Caller(Connection connection, ClientOptions options)
    : m_connection(std::move(connection)), m_options(std::move(options)) {}

Caller::Session Caller::session(const std::stop_token& stop) {
  // Not under the lock: a credential program may take its time.
  Proof proof = m_connection.credentials ? m_connection.credentials->current(stop) : Proof{};
  Session session;
  if (!proof.token.empty())
    session.headers.push_back(
        {"Authorization", support::Secret("Bearer " + std::string(proof.token.expose()))});
  const std::lock_guard lock(m_mutex);
  const bool other_certificate =
      proof.certificate_pem != m_proof.certificate_pem || !(proof.key_pem == m_proof.key_pem);
  if (!m_http || other_certificate) {
    net::HttpOptions options{.base_url = m_connection.base_url,
                             .unix_socket = {},
                             .tls = m_connection.tls,
                             .connect_timeout = std::chrono::seconds(10),
                             .proxy = m_connection.proxy,
                             .elsewhere = m_connection.elsewhere};
    options.tls.certificate_pem = proof.certificate_pem;
    options.tls.key_pem = proof.key_pem;
    m_http_options = options;
    std::unique_ptr<net::HttpClient> http = net::make_http_client(std::move(options));
    if (m_options.on_call) http = net::make_traced_client(std::move(http), m_options.on_call);
    m_http = std::move(http);
    m_proof = std::move(proof);
  }
  session.http = m_http;
  session.options = m_http_options;
  return session;
}

net::HttpResponse Caller::send(const ApiCall& call, const std::stop_token& stop) {
  Session session = this->session(stop);
  net::HttpRequest request = call.request;
  request.target = m_connection.path_prefix + request.target;
  request.headers.insert(request.headers.end(), m_connection.headers.begin(),
                         m_connection.headers.end());
  for (net::SecretHeader& header : session.headers)
    request.secret_headers.push_back(std::move(header));
  return session.http->send(request, stop);
}

net::HttpResponse Caller::once(const ApiCall& call, const std::stop_token& stop) {
  net::HttpResponse response = send(call, stop);
  if (response.status == 401 && m_connection.credentials && m_connection.credentials->renew())
    response = send(call, stop);
  if (response.status >= 200 && response.status < 300) return response;
  throw refused(m_connection, call.name, read_status(response));
}

ApiAnswer Caller::call(const ApiCall& call, const std::stop_token& stop) {
  Patience patience(m_options);
  bool maybe_done = false;
  while (true) {
    try {
      return {.response = once(call, stop), .maybe_done_before = maybe_done};
    } catch (const ApiError& error) {
      const int code = error.code();
      const bool away = code == 429 || code == 502 || code == 503 || code == 504;
      const bool inner = !away && code >= 500;
      // 504: the server gave up waiting for its own work.
      const bool lost = inner || code == 502 || code == 504;
      const bool again = (away || inner) ? !lost || call.repeat_when_lost
                                         : call.retry_conflict && error.conflict();
      if (!again || !patience.wait(inner ? Patience::Trouble::inner_error : Patience::Trouble::away,
                                   error.status().retry_after.value_or(std::chrono::seconds(0)),
                                   error.what(), stop))
        throw refused(m_connection, call.name, error.status(), maybe_done);
      maybe_done = maybe_done || lost;
    } catch (const net::HttpError& error) {
      const bool again = may_heal(error) && (call.repeat_when_lost || !maybe_carried_out(error));
      const ApiUnreachable words = unreachable(m_connection, call.name, error, again);
      if (!again || !patience.wait(Patience::Trouble::away, milliseconds(0),
                                   unreachable(m_connection, call.name, error, false).what(), stop))
        throw words;
      maybe_done = maybe_done || maybe_carried_out(error);
    }
  }
}

net::WebSocketAnswer Caller::websocket(net::WebSocketRequest request,
                                       steady_clock::time_point deadline,
                                       const std::stop_token& stop) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  request.target = m_connection.path_prefix + request.target;
  request.headers.insert(request.headers.end(), m_connection.headers.begin(),
                         m_connection.headers.end());
  for (bool renewed = false;;) {
    Session session = this->session(stop);
    request.secret_headers = std::move(session.headers);
    const auto start = steady_clock::now();
    const auto tell = [&](int status) {
      if (m_options.on_call)
        m_options.on_call(
            {"GET", m_connection.path_prefix + path, status,
             std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start)});
    };
    net::WebSocketAnswer answer;
    try {
      answer = net::connect_websocket(session.options, request, deadline, stop);
    } catch (...) {
      tell(0);
      throw;
    }
    tell(answer.response.status);
    if (answer.response.status != 401 || renewed || !m_connection.credentials ||
        !m_connection.credentials->renew())
      return answer;
    renewed = true;
  }
}

std::string object_path(const Resource& resource, const std::string& name_space,
                        const std::string& name, const std::string& subresource) {
  std::string path = resource.group.empty() ? "/api/" + resource.version
                                            : "/apis/" + resource.group + "/" + resource.version;
  if (!name_space.empty()) path += "/namespaces/" + net::percent_encode(name_space);
  path += "/" + resource.plural;
  if (!name.empty()) path += "/" + net::percent_encode(name);
  if (!subresource.empty()) path += "/" + subresource;
  return path;
}

std::string query(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) {
    if (value.empty()) continue;
    text += (text.empty() ? "?" : "&") + key + "=" + net::percent_encode(value);
  }
  return text;
}

std::string call_name(const std::string& verb, const Resource& resource,
                      const std::string& name_space, const std::string& name) {
  std::string object = name_space;
  if (!name.empty()) object += (object.empty() ? "" : "/") + name;
  const std::string kind = name.empty() ? resource.plural : resource.singular;
  return object.empty() ? verb + " " + kind : fmt::format("{} {} '{}'", verb, kind, object);
}

}  // namespace berth::kubernetes
