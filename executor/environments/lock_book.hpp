#pragma once

#include "executor/environments/ledger.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The page of one environment's lock: who has it, who waits, who approved. Pure rules,
/// the same for every store; a store's part is to change a page as one step.
namespace berth::environments {

struct LockEntry {
  std::string id{};
  std::string user{};
  std::string who{};
  std::string host{};
  std::string heartbeat{};
  std::int64_t silence_s = 0;
  std::int64_t since = 0;
  std::int64_t until = 0;
  /// Of a place in the queue: when it was last asked for.
  std::int64_t seen = 0;
  bool operator==(const LockEntry&) const = default;
};

struct LockBook {
  std::optional<ManualLock> manual{};
  std::optional<LockEntry> holder{};
  std::vector<LockEntry> waiting{};
  std::vector<Approval> approvals{};
  bool operator==(const LockBook&) const = default;
};

/// A place in the queue whose owner has not come back for so long is given up.
inline constexpr std::int64_t k_place_kept = 30;
/// A page is not written again only to say "seen" more often than that.
inline constexpr std::int64_t k_seen_noted = 5;

/// Whether a holder's programs are known to be silent for too long. Asked only about
/// entries of this host; may remove the file that says so.
using IsSilent = std::function<bool(const LockEntry&)>;

/// Takes away what is over: the lock, places, manual lock. True: something was.
bool sweep(LockBook& book, const std::string& host, std::int64_t now, const IsSilent& silent);

/// On a swept page: the lock, or a place at the end of the queue, or what it has already.
/// Only the first of the queue is given the lock, and a manual lock keeps it from all.
/// True: it has the lock now.
bool take(LockBook& book, const Claim& claim, std::int64_t now);

/// Takes its lock or place away. True: it had one.
bool leave(LockBook& book, std::string_view id);

/// As others see it.
LockState state_of(const LockBook& book);
/// What try_lock() answers for that claim.
LockAnswer answer_for(const LockBook& book, std::string_view id);

/// Adds it in place of an older one of the same user for the same pipeline, and forgets
/// the oldest beyond what a page holds.
void add_approval(LockBook& book, const Approval& approval);

/// A page as JSON, and back. decode throws SystemError; `name` stands in it.
std::string encode(const LockBook& book);
LockBook decode_lock_book(std::string_view json, std::string_view name);

}  // namespace berth::environments
