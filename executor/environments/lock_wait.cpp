#include "executor/environments/lock_wait.hpp"

#include "executor/core/overdue.hpp"
#include "executor/environments/policy.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>

namespace berth::environments {
namespace {

using std::chrono::steady_clock;

/// A waiting job says so again, so that its log and its runner know that it lives.
constexpr std::chrono::seconds k_said_again{60};

std::int64_t now(const LockWait& wait) {
  return std::chrono::duration_cast<std::chrono::seconds>(wait.clock.wall().time_since_epoch())
      .count();
}

std::string by_whom(const LockState& state) {
  if (state.holder) {
    return fmt::format("in use by {}{} since {}", state.holder->who,
                       state.holder->user.empty() ? "" : fmt::format(" ({})", state.holder->user),
                       core::utc_minute(state.holder->since));
  }
  if (state.manual) {
    return fmt::format("locked by {} since {}{}", state.manual->user,
                       core::utc_minute(state.manual->since),
                       state.manual->reason.empty() ? "" : ": " + state.manual->reason);
  }
  return "about to be given to the first in line";
}

Refusal busy(const std::string& environment, const LockAnswer& answer, const std::string& how) {
  return {"lock",
          fmt::format("environment '{}' is {}; {}", environment, by_whom(answer.state), how),
          "retry the job when that one has ended"};
}

class Waiter {
 public:
  Waiter(const LockWait& wait, const settings::LockRule& rule, const Claim& claim,
         const Deployment& deployment)
      : m_wait(wait), m_rule(rule), m_claim(claim), m_deployment(deployment) {}

  void run() {
    const auto end = m_wait.clock.now() + m_rule.wait;
    for (;;) {
      const LockAnswer answer = m_wait.ledger.try_lock(m_deployment.environment, m_claim);
      if (answer.ended) tell_ended(*answer.ended);
      if (answer.held) return;
      if (m_rule.busy == settings::LockRule::Busy::fail) {
        throw busy(m_deployment.environment, answer, "its rule says not to wait");
      }
      if (m_wait.clock.now() >= end) {
        throw busy(
            m_deployment.environment, answer,
            fmt::format("waited {} s, place {} in line", m_rule.wait.count(), answer.position));
      }
      tell_waiting(answer);
      if (!support::sleep_for(m_wait.interval, m_wait.stop)) throw support::Cancelled();
    }
  }

 private:
  void tell_waiting(const LockAnswer& answer) {
    const std::string text =
        fmt::format("environment '{}' is {}; waiting, place {} in line", m_deployment.environment,
                    by_whom(answer.state), answer.position);
    const auto time = m_wait.clock.now();
    if (text == m_said && time < m_said_at + k_said_again) return;
    if (m_said.empty())
      tell({.type = EventType::waiting, .deployment = m_deployment, .text = text});
    m_wait.console.line(text);
    m_said = text;
    m_said_at = time;
  }

  void tell_ended(const Holder& holder) {
    Deployment other;
    other.environment = m_deployment.environment;
    other.id = holder.id;
    other.user = holder.user;
    other.job_url = holder.who;
    const std::string text = fmt::format("the lock of {} was over: its driver is gone", holder.who);
    m_wait.console.line(fmt::format("environment '{}': {}", m_deployment.environment, text));
    tell({.type = EventType::lock_ended, .deployment = std::move(other), .text = text});
  }

  void tell(Event event) {
    event.at = now(m_wait);
    m_wait.events.tell(event);
  }

  const LockWait& m_wait;
  const settings::LockRule& m_rule;
  const Claim& m_claim;
  const Deployment& m_deployment;
  std::string m_said;
  steady_clock::time_point m_said_at{};
};

}  // namespace

void record_lost(const LockWait& wait, const std::string& environment, const std::string& mine) {
  for (Deployment& one : wait.ledger.history(environment, 0)) {
    if (one.result != Result::running || one.id == mine) continue;
    const Conclusion conclusion{.result = Result::lost,
                                .cause = "its driver was gone before anybody saw how it ended"};
    wait.ledger.finish(environment, one.id, conclusion);
    one.result = conclusion.result;
    one.cause = conclusion.cause;
    wait.events.tell(
        {.type = EventType::lost, .at = now(wait), .deployment = one, .text = conclusion.cause});
  }
}

void wait_for_lock(const LockWait& wait, const settings::LockRule& rule, const Claim& claim,
                   const Deployment& deployment) {
  try {
    Waiter(wait, rule, claim, deployment).run();
    record_lost(wait, deployment.environment, claim.id);
  } catch (...) {
    try {
      wait.ledger.leave(deployment.environment, claim.id);
    } catch (const support::Error& error) {
      // Places and locks end by themselves; the first trouble is the one to tell.
      support::log(support::LogLevel::warn, error.what());
    }
    throw;
  }
}

}  // namespace berth::environments
