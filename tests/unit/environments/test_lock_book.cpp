#include "executor/environments/lock_book.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using namespace berth::environments;

namespace {

constexpr std::int64_t k_now = 1000000;

Claim claim(const std::string& id, const std::string& host = "h1") {
  return {.id = id,
          .user = "user-" + id,
          .who = "https://gitlab/" + id,
          .host = host,
          .until = k_now + 3600,
          .heartbeat = "/heartbeats/" + id,
          .silence = std::chrono::seconds(900)};
}

bool nobody_silent(const LockEntry&) {
  return false;
}

}  // namespace

TEST_CASE("lock book: the first has it, the others wait in order") {
  LockBook book;
  CHECK(take(book, claim("a"), k_now));
  CHECK(take(book, claim("a"), k_now));
  CHECK_FALSE(take(book, claim("b"), k_now));
  CHECK_FALSE(take(book, claim("c"), k_now));
  CHECK_FALSE(take(book, claim("b"), k_now));
  CHECK(answer_for(book, "a").held);
  CHECK(answer_for(book, "a").position == 0);
  CHECK(answer_for(book, "b").position == 1);
  CHECK(answer_for(book, "c").position == 2);
  CHECK(answer_for(book, "c").state.holder->who == "https://gitlab/a");

  CHECK(leave(book, "a"));
  // Not to who happens to ask first.
  CHECK_FALSE(take(book, claim("c"), k_now));
  CHECK(take(book, claim("b"), k_now));
  CHECK(leave(book, "b"));
  CHECK(take(book, claim("c"), k_now));
  CHECK(book.waiting.empty());
}

TEST_CASE("lock book: leaving the queue, and leaving nothing") {
  LockBook book;
  take(book, claim("a"), k_now);
  take(book, claim("b"), k_now);
  CHECK(leave(book, "b"));
  CHECK_FALSE(leave(book, "b"));
  CHECK_FALSE(leave(book, "x"));
  CHECK(book.holder->id == "a");
}

TEST_CASE("lock book: a lock ends with the job's time, whoever holds it") {
  LockBook book;
  take(book, claim("a", "elsewhere"), k_now);
  CHECK_FALSE(sweep(book, "h1", k_now + 3599, nobody_silent));
  CHECK(sweep(book, "h1", k_now + 3600, nobody_silent));
  CHECK_FALSE(book.holder.has_value());
}

TEST_CASE("lock book: a silent holder is known on its own host alone") {
  LockBook book;
  take(book, claim("a"), k_now);
  const auto silent = [](const LockEntry& entry) {
    return entry.heartbeat == "/heartbeats/a" && entry.silence_s == 900;
  };
  CHECK_FALSE(sweep(book, "h2", k_now + 1000, silent));
  CHECK_FALSE(sweep(book, "h1", k_now + 1000, nobody_silent));
  CHECK(sweep(book, "h1", k_now + 1000, silent));
}

TEST_CASE("lock book: who no longer asks loses the place") {
  LockBook book;
  take(book, claim("a"), k_now);
  take(book, claim("b"), k_now);
  take(book, claim("c"), k_now);
  take(book, claim("c"), k_now + 20);
  CHECK_FALSE(sweep(book, "h1", k_now + k_place_kept, nobody_silent));
  CHECK(sweep(book, "h1", k_now + k_place_kept + 1, nobody_silent));
  CHECK(answer_for(book, "c").position == 1);
}

TEST_CASE("lock book: asking again is not written each time") {
  LockBook book;
  take(book, claim("a"), k_now);
  take(book, claim("b"), k_now);
  const LockBook before = book;
  take(book, claim("b"), k_now + k_seen_noted - 1);
  CHECK(book == before);
  take(book, claim("b"), k_now + k_seen_noted);
  CHECK_FALSE(book == before);
}

TEST_CASE("lock book: a lock by hand keeps all out, and ends") {
  LockBook book;
  book.manual = ManualLock{.user = "reviewer", .reason = "x", .since = k_now, .until = k_now + 10};
  CHECK_FALSE(take(book, claim("a"), k_now));
  CHECK_FALSE(sweep(book, "h1", k_now + 9, nobody_silent));
  CHECK(sweep(book, "h1", k_now + 10, nobody_silent));
  CHECK(take(book, claim("a"), k_now + 10));
}

TEST_CASE("lock book: approvals of one user do not add up, and do not grow for ever") {
  LockBook book;
  add_approval(book, {.user = "a", .project = "p", .pipeline = 1, .at = 1});
  add_approval(book, {.user = "a", .project = "p", .pipeline = 1, .at = 2});
  REQUIRE(book.approvals.size() == 1);
  CHECK(book.approvals[0].at == 2);
  for (int i = 0; i < 1000; ++i) add_approval(book, {.user = "a", .project = "p", .pipeline = i});
  CHECK(book.approvals.size() == 200);
  CHECK(book.approvals.back().pipeline == 999);
}

TEST_CASE("lock book: as JSON and back") {
  LockBook book;
  CHECK(decode_lock_book(encode(book), "f") == book);
  book.manual = ManualLock{.user = "b\"ob", .reason = "\n", .since = 1, .until = 0};
  book.holder = LockEntry{.id = "a",
                          .who = "w",
                          .host = "h",
                          .heartbeat = "/x",
                          .silence_s = 1,
                          .since = 2,
                          .until = 3,
                          .seen = 4};
  book.waiting = {{.id = "b"}, {.id = "c"}};
  book.approvals = {{.user = "u", .project = "p", .pipeline = 9, .comment = "c", .at = 8}};
  CHECK(decode_lock_book(encode(book), "f") == book);
}

TEST_CASE("lock book: a damaged page is an error, never an empty one") {
  for (const char* text : {"", "{}", "null", "[]", "{\"version\":1}", "{\"version\":2}",
                           "{\"version\":1,\"manual\":3,\"holder\":null,\"waiting\":[],"
                           "\"approvals\":[]}"}) {
    INFO(text);
    CHECK_THROWS_AS(decode_lock_book(text, "f"), support::SystemError);
  }
}
