#include "executor/environments/kubernetes_ledger.hpp"

#include "executor/environments/deployment_json.hpp"
#include "executor/environments/heartbeat.hpp"
#include "executor/environments/lock_book.hpp"
#include "executor/environments/names.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "executor/support/json.hpp"
#include "executor/support/log.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace berth::environments {
namespace {

using kubernetes::ApiError;
using kubernetes::resources::k_secrets;
using nlohmann::json;

const kubernetes::Resource k_leases{
    .group = "coordination.k8s.io", .version = "v1", .plural = "leases", .singular = "lease"};

constexpr const char* k_page = "berth.page";
constexpr const char* k_name = "berth.environment";
constexpr const char* k_kind = "berth.ledger";
constexpr const char* k_of = "berth.environment-id";
constexpr const char* k_deployment = "berth.deployment";
/// Others change a page a few times a second at most.
constexpr unsigned k_tries = 30;

/// A page, and the version of its object.
struct Page {
  LockBook book{};
  std::string version{};
};

std::string micro_time(std::int64_t time) {
  std::string text = iso_time(time);
  text.insert(text.size() - 1, ".000000");
  return text;
}

json spec_of(const LockBook& book, std::int64_t now) {
  if (!book.holder) {
    return {{"holderIdentity", nullptr},
            {"acquireTime", nullptr},
            {"renewTime", nullptr},
            {"leaseDurationSeconds", nullptr}};
  }
  return {{"holderIdentity", book.holder->who},
          {"acquireTime", micro_time(book.holder->since)},
          {"renewTime", micro_time(now)},
          {"leaseDurationSeconds", std::max<std::int64_t>(book.holder->until - now, 1)}};
}

class KubernetesLedger final : public Ledger {
 public:
  KubernetesLedger(std::unique_ptr<kubernetes::Client> client, KubernetesLedgerOptions options,
                   const support::Clock& clock)
      : m_client(std::move(client)), m_options(std::move(options)), m_clock(clock) {}

  std::vector<std::string> environments() override {
    const json all = m_client->list(k_leases, m_options.name_space,
                                    {.label = fmt::format("{}=lock", k_kind)}, {});
    std::vector<std::string> names;
    for (const json& one : all.at("items")) {
      names.push_back(one.at("metadata").at("annotations").at(k_name).get<std::string>());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Deployment begin(Deployment deployment) override {
    // The Lease is what environments() lists.
    read_or_make_page(deployment.environment);
    if (deployment.started == 0) deployment.started = now();
    for (unsigned attempt = 1;; ++attempt) {
      auto all = history(deployment.environment, 0);
      const auto known = std::find_if(
          all.begin(), all.end(), [&](const Deployment& one) { return one.id == deployment.id; });
      if (known != all.end()) return *known;
      deployment.number = all.empty() ? 1 : all.front().number + 1;
      try {
        m_client->create(k_secrets, m_options.name_space, record_of(deployment), {});
        forget_oldest(all);
        return deployment;
      } catch (const ApiError& error) {
        // Another took that number meanwhile.
        if (!error.already_exists() || attempt == k_tries) throw;
      }
    }
  }

  void finish(const std::string& environment, const std::string& id,
              const Conclusion& conclusion) override {
    auto all = history(environment, 0);
    const auto known =
        std::find_if(all.begin(), all.end(), [&](const Deployment& one) { return one.id == id; });
    if (known == all.end()) {
      throw support::SystemError(
          fmt::format("no such deployment of '{}' is on record: '{}'", environment, id));
    }
    conclude(*known, conclusion, now());
    const json record = record_of(*known);
    m_client->patch(k_secrets, m_options.name_space,
                    record.at("metadata").at("name").get<std::string>(),
                    {{"data", record.at("data")}}, {}, {});
  }

  std::vector<Deployment> history(const std::string& environment, std::size_t limit) override {
    const json list = m_client->list(
        k_secrets, m_options.name_space,
        {.label = fmt::format("{}=deployment,{}={}", k_kind, k_of, object_name(environment))}, {});
    std::vector<Deployment> all;
    for (const json& one : list.at("items")) {
      const std::string name = one.at("metadata").at("name").get<std::string>();
      try {
        const auto text =
            support::base64_decode(one.at("data").at("deployment").get_ref<const std::string&>());
        if (!text) throw support::SystemError(fmt::format("'{}': its data is not base64", name));
        Deployment deployment = deployment_of(support::parse_json(*text, name), name);
        if (deployment.environment == environment) all.push_back(std::move(deployment));
      } catch (const json::exception&) {
        support::log(support::LogLevel::warn,
                     fmt::format("a secret that is no record is skipped: '{}'", name));
      } catch (const support::SystemError& error) {
        support::log(support::LogLevel::warn, error.what());
      }
    }
    std::sort(all.begin(), all.end(),
              [](const Deployment& a, const Deployment& b) { return a.number > b.number; });
    if (limit != 0 && all.size() > limit) all.resize(limit);
    return all;
  }

  LockAnswer try_lock(const std::string& environment, const Claim& claim) override {
    std::optional<Holder> ended;
    const LockBook book = change_page(environment, [&](LockBook& page) {
      const LockState before = state_of(page);
      sweep(page, m_options.host, now(), [&](const LockEntry& holder) {
        return end_heartbeat_if_silent(holder.heartbeat, std::chrono::seconds(holder.silence_s),
                                       now());
      });
      ended = page.holder ? std::nullopt : before.holder;
      take(page, claim, now());
    });
    LockAnswer answer = answer_for(book, claim.id);
    answer.ended = std::move(ended);
    return answer;
  }

  void leave(const std::string& environment, const std::string& id) override {
    if (!read_page(environment)) return;
    change_page(environment, [&](LockBook& page) { environments::leave(page, id); });
  }

  LockState lock_state(const std::string& environment) override {
    auto page = read_page(environment);
    if (!page) return {};
    sweep(page->book, m_options.host, now(), [&](const LockEntry& holder) {
      return is_heartbeat_silent(holder.heartbeat, std::chrono::seconds(holder.silence_s), now());
    });
    return state_of(page->book);
  }

  void set_manual_lock(const std::string& environment,
                       const std::optional<ManualLock>& lock) override {
    change_page(environment, [&](LockBook& page) { page.manual = lock; });
  }

  void approve(const std::string& environment, const Approval& approval) override {
    change_page(environment, [&](LockBook& page) { add_approval(page, approval); });
  }

  std::vector<Approval> approvals(const std::string& environment) override {
    const auto page = read_page(environment);
    return page ? page->book.approvals : std::vector<Approval>{};
  }

 private:
  json record_of(const Deployment& deployment) const {
    const auto dump = [](const Deployment& one, bool manifests) {
      return to_json(one, manifests)
          .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    };
    std::string text = dump(deployment, true);
    if (text.size() > m_options.max_record) text = dump(deployment, false);
    if (text.size() > m_options.max_record) {
      Deployment small = deployment;
      small.workloads.clear();
      text = dump(small, false);
    }
    return {{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"type", "Opaque"},
            {"metadata",
             {{"name", record_name(deployment)},
              {"labels",
               {{k_kind, "deployment"},
                {k_of, object_name(deployment.environment)},
                {k_deployment, deployment.id}}},
              {"annotations", {{k_name, deployment.environment}}}}},
            {"data", {{"deployment", support::base64_encode(text)}}}};
  }

  static std::string record_name(const Deployment& deployment) {
    return fmt::format("{}-{}", object_name(deployment.environment), deployment.number);
  }

  /// `all`, newest first, are those before the one just made.
  void forget_oldest(const std::vector<Deployment>& all) {
    for (std::size_t i = std::max<std::size_t>(m_options.keep, 1) - 1; i < all.size(); ++i) {
      m_client->remove(k_secrets, m_options.name_space, record_name(all[i]), {}, {});
    }
  }

  static Page page_of(const json& lease) {
    const json& metadata = lease.at("metadata");
    const std::string name = metadata.at("name").get<std::string>();
    try {
      return {.book = decode_lock_book(
                  metadata.at("annotations").at(k_page).get_ref<const std::string&>(), name),
              .version = metadata.at("resourceVersion").get<std::string>()};
    } catch (const json::exception& error) {
      throw support::json_error(error, name);
    }
  }

  std::optional<Page> read_page(const std::string& environment) {
    const auto lease = m_client->find(k_leases, m_options.name_space, object_name(environment), {});
    if (!lease) return std::nullopt;
    return page_of(*lease);
  }

  Page read_or_make_page(const std::string& environment) {
    for (unsigned attempt = 1;; ++attempt) {
      if (auto page = read_page(environment)) return std::move(*page);
      const json lease{{"apiVersion", "coordination.k8s.io/v1"},
                       {"kind", "Lease"},
                       {"metadata",
                        {{"name", object_name(environment)},
                         {"labels", {{k_kind, "lock"}}},
                         {"annotations", {{k_name, environment}, {k_page, encode({})}}}}},
                       {"spec", json::object()}};
      try {
        return page_of(m_client->create(k_leases, m_options.name_space, lease, {}));
      } catch (const ApiError& error) {
        if (!error.already_exists() || attempt == k_tries) throw;
      }
    }
  }

  /// Changes the page in the version that was read, or reads it again. Gives back what
  /// it is now.
  template <typename Change>
  LockBook change_page(const std::string& environment, const Change& change) {
    for (unsigned attempt = 1;; ++attempt) {
      const Page before = read_or_make_page(environment);
      LockBook book = before.book;
      change(book);
      if (book == before.book) return book;
      const json patch{
          {"metadata",
           {{"resourceVersion", before.version}, {"annotations", {{k_page, encode(book)}}}}},
          {"spec", spec_of(book, now())}};
      try {
        m_client->patch(k_leases, m_options.name_space, object_name(environment), patch, {}, {});
        return book;
      } catch (const ApiError& error) {
        // Also where the reply to our own change was lost: what is there now decides.
        if (!error.conflict() || attempt == k_tries) throw;
        support::sleep_for(support::delay({}, attempt, support::random_unit()), {});
      }
    }
  }

  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(m_clock.wall().time_since_epoch())
        .count();
  }

  std::unique_ptr<kubernetes::Client> m_client;
  KubernetesLedgerOptions m_options;
  const support::Clock& m_clock;
};

}  // namespace

std::unique_ptr<Ledger> make_kubernetes_ledger(std::unique_ptr<kubernetes::Client> client,
                                               KubernetesLedgerOptions options,
                                               const support::Clock& clock) {
  return std::make_unique<KubernetesLedger>(std::move(client), std::move(options), clock);
}

}  // namespace berth::environments
