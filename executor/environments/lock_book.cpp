#include "executor/environments/lock_book.hpp"

#include "executor/support/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::environments {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int k_version = 1;
constexpr std::size_t k_max_approvals = 200;

auto by_id(std::string_view id) {
  return [id](const LockEntry& entry) { return entry.id == id; };
}

LockEntry entry_of(const Claim& claim, std::int64_t now) {
  return {.id = claim.id,
          .user = claim.user,
          .who = claim.who,
          .host = claim.host,
          .heartbeat = claim.heartbeat,
          .silence_s = claim.silence.count(),
          .since = now,
          .until = claim.until,
          .seen = now};
}

Holder holder_of(const LockEntry& entry) {
  return {.id = entry.id,
          .user = entry.user,
          .who = entry.who,
          .since = entry.since,
          .expires = entry.until};
}

// Fields of each type, listed once for both ways.

template <typename Archive, typename Entry>
void entry_fields(Archive& archive, Entry& entry) {
  archive("id", entry.id);
  archive("user", entry.user);
  archive("who", entry.who);
  archive("host", entry.host);
  archive("heartbeat", entry.heartbeat);
  archive("silence_s", entry.silence_s);
  archive("since", entry.since);
  archive("until", entry.until);
  archive("seen", entry.seen);
}

template <typename Archive, typename Lock>
void manual_fields(Archive& archive, Lock& lock) {
  archive("user", lock.user);
  archive("reason", lock.reason);
  archive("since", lock.since);
  archive("until", lock.until);
}

template <typename Archive, typename One>
void approval_fields(Archive& archive, One& one) {
  archive("user", one.user);
  archive("project", one.project);
  archive("pipeline", one.pipeline);
  archive("comment", one.comment);
  archive("at", one.at);
}

struct Writer {
  ordered_json object = ordered_json::object();
  template <typename T>
  void operator()(const char* key, const T& value) {
    object[key] = value;
  }
};

struct Reader {
  const json& object;
  template <typename T>
  void operator()(const char* key, T& value) {
    object.at(key).get_to(value);
  }
};

ordered_json encode_entry(const LockEntry& entry) {
  Writer writer;
  entry_fields(writer, entry);
  return std::move(writer.object);
}

LockEntry decode_entry(const json& object) {
  LockEntry entry;
  Reader reader{object};
  entry_fields(reader, entry);
  return entry;
}

}  // namespace

bool sweep(LockBook& book, const std::string& host, std::int64_t now, const IsSilent& silent) {
  const LockBook before = book;
  if (book.manual && book.manual->until != 0 && book.manual->until <= now) book.manual.reset();
  if (book.holder) {
    const LockEntry& holder = *book.holder;
    const bool seen_here = holder.host == host && !holder.heartbeat.empty();
    if (holder.until <= now || (seen_here && silent(holder))) book.holder.reset();
  }
  book.waiting.erase(std::remove_if(book.waiting.begin(), book.waiting.end(),
                                    [&](const LockEntry& one) {
                                      return one.until <= now || one.seen + k_place_kept < now;
                                    }),
                     book.waiting.end());
  return !(book == before);
}

bool take(LockBook& book, const Claim& claim, std::int64_t now) {
  if (book.holder && book.holder->id == claim.id) return true;
  auto place = std::find_if(book.waiting.begin(), book.waiting.end(), by_id(claim.id));
  if (place == book.waiting.end()) {
    book.waiting.push_back(entry_of(claim, now));
    place = std::prev(book.waiting.end());
  } else if (place->seen + k_seen_noted <= now) {
    place->seen = now;
  }
  if (book.holder || book.manual || place != book.waiting.begin()) return false;
  book.waiting.erase(place);
  book.holder = entry_of(claim, now);
  return true;
}

bool leave(LockBook& book, std::string_view id) {
  const auto places = book.waiting.size();
  book.waiting.erase(std::remove_if(book.waiting.begin(), book.waiting.end(), by_id(id)),
                     book.waiting.end());
  const bool held = book.holder && book.holder->id == id;
  if (held) book.holder.reset();
  return held || book.waiting.size() != places;
}

LockState state_of(const LockBook& book) {
  LockState state;
  state.manual = book.manual;
  if (book.holder) state.holder = holder_of(*book.holder);
  for (const LockEntry& one : book.waiting) state.waiting.push_back(holder_of(one));
  return state;
}

LockAnswer answer_for(const LockBook& book, std::string_view id) {
  LockAnswer answer;
  answer.held = book.holder && book.holder->id == id;
  answer.state = state_of(book);
  const auto place = std::find_if(book.waiting.begin(), book.waiting.end(), by_id(id));
  if (place != book.waiting.end()) {
    answer.position = static_cast<std::size_t>(place - book.waiting.begin()) + 1;
  }
  return answer;
}

void add_approval(LockBook& book, const Approval& approval) {
  auto& all = book.approvals;
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const Approval& one) {
                             return one.user == approval.user && one.project == approval.project &&
                                    one.pipeline == approval.pipeline;
                           }),
            all.end());
  all.push_back(approval);
  if (all.size() > k_max_approvals) all.erase(all.begin());
}

std::string encode(const LockBook& book) {
  ordered_json root{{"version", k_version}, {"manual", nullptr}, {"holder", nullptr}};
  if (book.manual) {
    Writer writer;
    manual_fields(writer, *book.manual);
    root["manual"] = std::move(writer.object);
  }
  if (book.holder) root["holder"] = encode_entry(*book.holder);
  root["waiting"] = ordered_json::array();
  for (const LockEntry& one : book.waiting) root["waiting"].push_back(encode_entry(one));
  root["approvals"] = ordered_json::array();
  for (const Approval& one : book.approvals) {
    Writer writer;
    approval_fields(writer, one);
    root["approvals"].push_back(std::move(writer.object));
  }
  return root.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

LockBook decode_lock_book(std::string_view text, std::string_view name) {
  const json root = support::parse_json(text, name);
  try {
    if (root.at("version") != k_version) {
      throw support::SystemError(
          fmt::format("lock of another version of Berth: '{}': it has version {}, not {}", name,
                      root.at("version").dump(), k_version));
    }
    LockBook book;
    if (const json& manual = root.at("manual"); !manual.is_null()) {
      Reader reader{manual};
      manual_fields(reader, book.manual.emplace());
    }
    if (const json& holder = root.at("holder"); !holder.is_null()) {
      book.holder = decode_entry(holder);
    }
    for (const json& one : root.at("waiting").get_ref<const json::array_t&>()) {
      book.waiting.push_back(decode_entry(one));
    }
    for (const json& one : root.at("approvals").get_ref<const json::array_t&>()) {
      Reader reader{one};
      approval_fields(reader, book.approvals.emplace_back());
    }
    return book;
  } catch (const json::exception& error) {
    throw support::json_error(error, name);
  }
}

}  // namespace berth::environments
