#include "executor/kubernetes/connect.hpp"

#include "executor/kubernetes/api/connection.hpp"

namespace berth::kubernetes {

std::unique_ptr<Client> connect(const settings::Kubernetes& settings,
                                std::chrono::milliseconds patience, const std::string& trace_file,
                                core::Console& console) {
  Connection connection = load_connection({.host = settings.host,
                                           .cert_file = settings.cert_file,
                                           .key_file = settings.key_file,
                                           .ca_file = settings.ca_file,
                                           .bearer_token = settings.bearer_token,
                                           .kubeconfig = settings.kubeconfig,
                                           .context = settings.context});
  ClientOptions options{.patience = patience};
  if (!trace_file.empty()) options.on_call = net::trace_to_file(trace_file);
  options.on_trouble = [&console](const std::string& text) { console.warning(text); };
  return std::make_unique<Client>(std::move(connection), std::move(options));
}

std::string namespace_of(const settings::Kubernetes& settings, const Client& client) {
  return settings.namespace_name.empty() ? client.connection().default_namespace
                                         : settings.namespace_name;
}

}  // namespace berth::kubernetes
