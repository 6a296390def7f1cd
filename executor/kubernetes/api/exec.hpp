#pragma once

#include "executor/kubernetes/api/client.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace berth::kubernetes {

struct ExecRequest {
  std::string name_space{};
  std::string pod{};
  std::string container{};
  /// Never secrets: it stands in the URL and in audit logs.
  std::vector<std::string> command{};
  bool with_stdin = true;
};

/// How the program ended, as the error channel says.
struct ExecResult {
  /// Nothing: it did not run (or not to its end): `message` says why.
  std::optional<int> exit_code{};
  /// The server's words; "" after success.
  std::string message{};
  /// Status::code where the server gave one ("unable to upgrade connection:
  /// container not found" comes as 500 or 404).
  int code = 0;
};

/// The streams of one program in a container, over a WebSocket. Used by one
/// thread; nothing blocks. Closed by the destructor, which ends what the program
/// reads, not the program.
class ExecStream {
 public:
  enum class State {
    moved,        ///< `bytes` > 0
    would_block,  ///< poll fd() for poll_events()
    closed,       ///< see result(); `why` where the connection ended without one
  };
  struct Io {
    State state = State::would_block;
    std::size_t bytes = 0;
    std::string why{};
  };

  virtual ~ExecStream() = default;
  ExecStream(const ExecStream&) = delete;
  ExecStream& operator=(const ExecStream&) = delete;

  virtual int fd() const = 0;
  virtual short poll_events(bool wants_write) const = 0;
  virtual bool buffered() const = 0;
  /// Standard output. Standard error is kept, see errors().
  virtual Io read(std::span<char> into) = 0;
  /// Standard input.
  virtual Io write(std::string_view bytes) = 0;
  /// Ends the program's standard input after what was written. False: the server
  /// speaks only v4, which cannot.
  virtual bool close_input() = 0;
  /// Once the program has ended.
  virtual const std::optional<ExecResult>& result() const = 0;
  /// The first 4 KiB of standard error so far.
  virtual const std::string& errors() const = 0;
  /// "v5.channel.k8s.io"
  virtual const std::string& protocol() const = 0;

 protected:
  ExecStream() = default;
};

/// One connection, one program; never repeated, since it might run twice. Throws
/// ApiError (the server's words), ApiUnreachable, support::Cancelled.
/// Needs the rights get and create on pods/exec.
std::unique_ptr<ExecStream> open_exec(Client& client, const ExecRequest& request,
                                      std::chrono::steady_clock::time_point deadline,
                                      std::stop_token stop);

/// What a program that ran to its end left.
struct ExecOutput {
  ExecResult result{};
  std::string output{};
  std::string errors{};
};

/// Runs a program with this input, to its end or the deadline (then without
/// exit_code). More than max_output bytes of output are dropped.
ExecOutput run_exec(Client& client, const ExecRequest& request, std::string_view input,
                    std::size_t max_output, std::chrono::steady_clock::time_point deadline,
                    std::stop_token stop);

}  // namespace berth::kubernetes
