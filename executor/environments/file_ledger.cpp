#include "executor/environments/file_ledger.hpp"

#include "executor/environments/durable_file.hpp"
#include "executor/environments/heartbeat.hpp"
#include "executor/environments/journal.hpp"
#include "executor/environments/lock_book.hpp"
#include "executor/environments/names.hpp"
#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <sys/file.h>

namespace berth::environments {
namespace {

constexpr std::size_t k_max_page = std::size_t{4} << 20;
constexpr std::size_t k_max_name = 4096;

[[noreturn]] void refuse(std::string_view what, const std::filesystem::path& path, int error) {
  throw support::OperatorError(
      fmt::format("cannot {}: '{}': {}", what, path.native(), support::errno_text(error)),
      "make it writable for the runner's user, or set environments.store in berth.yaml");
}

class FileLedger final : public Ledger {
 public:
  FileLedger(FileLedgerOptions options, const support::Clock& clock)
      : m_options(std::move(options)), m_clock(clock) {}

  std::vector<std::string> environments() override {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(m_options.root, error)) {
      auto name = support::read_file_if_exists(entry.path() / "name", k_max_name);
      if (!name || name->empty()) continue;
      if (name->back() == '\n') name->pop_back();
      names.push_back(std::move(*name));
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      refuse("read", m_options.root, error.value());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Deployment begin(Deployment deployment) override {
    const Guard guard(*this, deployment.environment);
    auto all = read_journal(guard.file("journal"));
    const auto known = find(all, deployment.id);
    if (known != all.end()) return *known;
    deployment.number = all.empty() ? 1 : all.front().number + 1;
    if (deployment.started == 0) deployment.started = now();
    if (all.size() >= 2 * m_options.keep) {
      all.resize(m_options.keep);
      all.insert(all.begin(), deployment);
      rewrite_journal(guard.file("journal"), all);
    } else {
      append_to_journal(guard.file("journal"), deployment);
    }
    return deployment;
  }

  void finish(const std::string& environment, const std::string& id,
              const Conclusion& conclusion) override {
    const Guard guard(*this, environment);
    auto all = read_journal(guard.file("journal"));
    const auto known = find(all, id);
    if (known == all.end()) {
      throw support::SystemError(
          fmt::format("no such deployment of '{}' is on record: '{}'", environment, id));
    }
    Deployment deployment = *known;
    conclude(deployment, conclusion, now());
    append_to_journal(guard.file("journal"), deployment);
  }

  std::vector<Deployment> history(const std::string& environment, std::size_t limit) override {
    auto all = read_journal(directory(environment) / "journal");
    if (limit != 0 && all.size() > limit) all.resize(limit);
    return all;
  }

  LockAnswer try_lock(const std::string& environment, const Claim& claim) override {
    const Guard guard(*this, environment);
    const LockBook before = read_page(environment);
    LockBook page = before;
    sweep(page, m_options.host, now(), [&](const LockEntry& holder) {
      return end_heartbeat_if_silent(holder.heartbeat, std::chrono::seconds(holder.silence_s),
                                     now());
    });
    std::optional<Holder> ended;
    if (before.holder && !page.holder) ended = state_of(before).holder;
    take(page, claim, now());
    if (!(page == before)) write_durably(guard.file("lock.json"), encode(page));
    LockAnswer answer = answer_for(page, claim.id);
    answer.ended = std::move(ended);
    return answer;
  }

  void leave(const std::string& environment, const std::string& id) override {
    std::error_code none;
    if (!std::filesystem::exists(directory(environment), none)) return;
    change_page(environment, [&](LockBook& page) { environments::leave(page, id); });
  }

  LockState lock_state(const std::string& environment) override {
    LockBook page = read_page(environment);
    sweep(page, m_options.host, now(), [&](const LockEntry& holder) {
      return is_heartbeat_silent(holder.heartbeat, std::chrono::seconds(holder.silence_s), now());
    });
    return state_of(page);
  }

  void set_manual_lock(const std::string& environment,
                       const std::optional<ManualLock>& lock) override {
    change_page(environment, [&](LockBook& page) { page.manual = lock; });
  }

  void approve(const std::string& environment, const Approval& approval) override {
    change_page(environment, [&](LockBook& page) { add_approval(page, approval); });
  }

  std::vector<Approval> approvals(const std::string& environment) override {
    return read_page(environment).approvals;
  }

 private:
  /// One process at a time changes an environment; the kernel gives the lock back
  /// whenever and however the process ends.
  class Guard {
   public:
    Guard(const FileLedger& ledger, const std::string& environment)
        : m_directory(ledger.directory(environment)) {
      make_directory(ledger.m_options.root, environment);
      const auto file = m_directory / "guard";
      m_fd = support::Fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!m_fd) refuse("open", file, errno);
      while (::flock(m_fd.get(), LOCK_EX) != 0) {
        if (errno != EINTR) refuse("lock", file, errno);
      }
    }

    std::filesystem::path file(std::string_view name) const { return m_directory / name; }

   private:
    void make_directory(const std::filesystem::path& root, const std::string& environment) const {
      std::error_code error;
      if (std::filesystem::exists(m_directory / "name", error)) return;
      std::filesystem::create_directories(m_directory, error);
      if (error) refuse("make the ledger's folder", m_directory, error.value());
      // By a rename, so that several may do it at once.
      support::write_file_atomically(m_directory / "name", environment + "\n");
      sync_directory(m_directory);
      sync_directory(root);
    }

    std::filesystem::path m_directory;
    support::Fd m_fd;
  };

  static std::vector<Deployment>::iterator find(std::vector<Deployment>& all,
                                                const std::string& id) {
    return std::find_if(all.begin(), all.end(),
                        [&](const Deployment& one) { return one.id == id; });
  }

  std::filesystem::path directory(const std::string& environment) const {
    return m_options.root / directory_name(environment);
  }

  LockBook read_page(const std::string& environment) const {
    const auto file = directory(environment) / "lock.json";
    const auto text = support::read_file_if_exists(file, k_max_page);
    return text ? decode_lock_book(*text, file.native()) : LockBook{};
  }

  template <typename Change>
  void change_page(const std::string& environment, const Change& change) {
    const Guard guard(*this, environment);
    const LockBook before = read_page(environment);
    LockBook page = before;
    change(page);
    if (!(page == before)) write_durably(guard.file("lock.json"), encode(page));
  }

  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(m_clock.wall().time_since_epoch())
        .count();
  }

  FileLedgerOptions m_options;
  const support::Clock& m_clock;
};

}  // namespace

std::unique_ptr<Ledger> make_file_ledger(FileLedgerOptions options, const support::Clock& clock) {
  return std::make_unique<FileLedger>(std::move(options), clock);
}

}  // namespace berth::environments
