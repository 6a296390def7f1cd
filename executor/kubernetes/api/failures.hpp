#pragma once

#include "executor/kubernetes/api/api_error.hpp"
#include "executor/kubernetes/api/connection.hpp"
#include "executor/net/http.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

/// From what came (or did not) to errors with words an operator can use. Pure.
namespace berth::kubernetes {

/// A meta/v1 Status object, as a body, a watch's ERROR event or exec's error
/// channel. Fields of another type are taken as missing.
ApiStatus read_status(int code, const nlohmann::json& status);
/// Of an answer of 400 and above; a body that is no Status (a proxy's page) gives
/// its text. Retry-After counts in both.
ApiStatus read_status(const net::HttpResponse& response);

/// `kubernetes at <host>: <call>: <text>`. `namespace` is in the hint about rights.
ApiError refused(const Connection& connection, const std::string& call, ApiStatus status,
                 bool repeated = false);

/// `waited`: it was tried for as long as the client's patience lasts.
ApiUnreachable unreachable(const Connection& connection, const std::string& call,
                           const net::HttpError& error, bool waited);

}  // namespace berth::kubernetes
