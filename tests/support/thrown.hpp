#pragma once

#include <stdexcept>
#include <string>

namespace berth::tests {

/// The Error that `call` throws. Where it throws none, a std::logic_error, which
/// fails the test; any other passes through.
template <typename Error>
Error thrown_by(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("no error");
}

/// What the Error says; "no error" where `call` throws none.
template <typename Error>
std::string message_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// "<what> | <hint>" of the support::Error; "no error" where `call` throws none.
template <typename Error>
std::string message_and_hint_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "no error";
}

}  // namespace berth::tests
