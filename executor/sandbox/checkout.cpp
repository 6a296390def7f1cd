#include "executor/sandbox/checkout.hpp"

#include "executor/agentlink/client.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>

#include <charconv>

namespace berth::sandbox {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t k_root = 0;

/// Jobs can write there: anything but a number is no record.
std::optional<std::uint32_t> parse_owner(std::string_view text) {
  std::uint32_t owner = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), owner);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return owner;
}

std::optional<std::uint32_t> read_record(agentlink::AgentClient& helper, const std::string& path,
                                         const std::stop_token& stop) {
  try {
    return parse_owner(helper.get(path, stop));
  } catch (const agentlink::ConnectionLost&) {
    throw;
  } catch (const support::SystemError&) {  // there is none
    return std::nullopt;
  }
}

/// Once per container. Where it cannot be written the environment has to do.
void tell_git(agentlink::AgentClient& helper, const std::string& path,
              const std::stop_token& stop) {
  constexpr std::string_view k_section = "[safe]\n\tdirectory = *\n";
  std::string text;
  try {
    text = helper.get(path, stop);
  } catch (const agentlink::ConnectionLost&) {
    throw;
  } catch (const support::SystemError& error) {
    // One that is there and cannot be read must not be replaced.
    if (std::string_view(error.what()).find("No such file") == std::string_view::npos) return;
  }
  if (text.find(k_section) != std::string::npos) return;
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  try {
    helper.put(path, text.append(k_section), {.mode = 0644}, stop);
  } catch (const agentlink::ConnectionLost&) {
    throw;
  } catch (const support::SystemError& error) {
    support::log(support::LogLevel::info, error.what());
  }
}

/// Only root gives files away, and only a directory that is kept has others'.
bool needs_the_helper(const CheckoutRequest& request) {
  return !request.umask_0000 && request.users.helper == k_root &&
         (request.kept || request.users.build != k_root);
}

Checkout arrange(agentlink::AgentClient& helper, const CheckoutRequest& request,
                 const std::stop_token& stop) {
  const auto path = [&](std::string_view name) {
    return request.builds_dir + "/" + std::string(name);
  };
  std::optional<std::uint32_t> last;
  if (request.kept) last = read_record(helper, path(k_owner_record), stop);
  const CheckoutPlan plan = plan_checkout(request, last);
  try {
    if (plan.mark) {
      helper.put(path(k_owner_marker), "",
                 {.mode = 0644, .uid = request.users.build, .gid = request.users.build_group},
                 stop);
      tell_git(helper, request.git_config, stop);
    }
    // Behind it: nobody must rely on files that could not be given away.
    if (request.kept && last != request.users.build) {
      helper.put(path(k_owner_record), fmt::format("{}\n", request.users.build), {.mode = 0644},
                 stop);
    }
    return plan.checkout;
  } catch (const agentlink::ConnectionLost&) {
    throw;
  } catch (const support::SystemError& error) {
    support::log(support::LogLevel::info,
                 fmt::format("files are made for everybody to write, for they cannot be given to "
                             "user {}: {}",
                             request.users.build, error.what()));
    const bool foreign = request.users.helper != request.users.build;
    return {.umask_0000 = foreign, .foreign_to_build = foreign};
  }
}

}  // namespace

CheckoutPlan plan_checkout(const CheckoutRequest& request,
                           std::optional<std::uint32_t> last_owner) {
  const CheckoutUsers& users = request.users;
  const bool same = users.helper == users.build;
  if (request.umask_0000) return {.checkout = {.umask_0000 = true, .foreign_to_build = !same}};
  if (users.helper != k_root) {
    return {.checkout = {.umask_0000 = !same, .foreign_to_build = !same}};
  }
  const bool anothers = request.kept && last_owner && *last_owner != users.build;
  return {.mark = !same || anothers};
}

Checkout arrange_checkout(const ConnectHelper& connect, const CheckoutRequest& request,
                          std::chrono::milliseconds patience, std::stop_token stop) {
  if (!needs_the_helper(request)) return plan_checkout(request, std::nullopt).checkout;
  const Clock::time_point until = Clock::now() + patience;
  for (;;) {
    try {
      agentlink::AgentClient helper = connect();
      return arrange(helper, request, stop);
    } catch (const agentlink::ConnectionLost&) {
      if (Clock::now() >= until) throw;
    }
  }
}

void note_checkout(const Checkout& checkout, bool helper_has_own_git, bool build_has_own_git,
                   core::Sandbox& sandbox) {
  if (checkout.umask_0000) sandbox.values["helper.umask"] = "0000";
  // A directory that is kept may hold anybody's files.
  if (!helper_has_own_git) sandbox.values["helper.safe_directory"] = "*";
  if (checkout.foreign_to_build && !build_has_own_git) sandbox.values["build.safe_directory"] = "*";
}

}  // namespace berth::sandbox
