#pragma once

#include "executor/core/backend.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/settings/kubernetes.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace berth::kubernetes {

/// A client of the cluster that the settings name. trace_file: every call is noted
/// there; empty: nowhere. `console` is told when calls start to be repeated, and
/// must outlive the client. Reads files, connects to nothing. Throws OperatorError.
std::unique_ptr<Client> connect(const settings::Kubernetes& settings,
                                std::chrono::milliseconds patience, const std::string& trace_file,
                                core::Console& console);

/// Where jobs live: the settings' namespace, else the connection's own.
std::string namespace_of(const settings::Kubernetes& settings, const Client& client);

}  // namespace berth::kubernetes
