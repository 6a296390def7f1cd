#pragma once

#include "executor/core/backend.hpp"
#include "executor/dind/certificates.hpp"
#include "executor/dind/job_daemons.hpp"
#include "executor/docker/bodies.hpp"
#include "executor/docker/engine/objects.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::docker {

/// A service as Preparation knows it once its image is here.
struct KnownService {
  const core::ServiceSpec* spec = nullptr;
  const ImageInfo* image = nullptr;
  /// What it is started with by the job's own words.
  Environment environment{};
};

/// The Docker daemons among a job's services, and what they change in its
/// containers. Decided once; no I/O.
class Daemons {
 public:
  /// None.
  Daemons() = default;
  /// Throws JobError where one of them may not have the privileges it needs,
  /// OperatorError where that is the settings' own one.
  Daemons(const core::JobSpec& spec, const std::vector<KnownService>& services,
          const core::Variables& expanded, const dind::NetworkNeeds& network);

  /// False: a spare daemon, and the job has brought its own.
  bool starts(std::size_t service) const;
  /// Nothing: it is no daemon.
  const dind::Daemon* find(std::size_t service) const;

  /// What the service is given for it.
  const ServiceExtras& extras(std::size_t service) const { return m_services.at(service).extras; }
  /// In addition to, or in place of, the service's own environment.
  void complete(std::size_t service, Environment& environment) const;

  /// For the build container.
  const std::vector<ExtraMount>& build_mounts() const { return m_build_mounts; }
  void complete_build(Environment& environment) const;

  bool wants_certificates() const { return !m_build_mounts.empty(); }
  /// The first daemon's layers are kept in this volume, unless the settings keep them.
  void keep_layers(const std::string& volume);
  bool any() const;

  /// For the job log.
  const std::vector<std::string>& warnings() const { return m_warnings; }

 private:
  struct Service {
    /// Where it keeps its layers; empty where the settings have mounted something there.
    std::string data_root{};
    ServiceExtras extras;
  };

  void give_extras(const core::JobSpec& spec, const ImageInfo& image, const dind::JobDaemon& daemon,
                   Service& service);
  static void keep_layers_of(Service& daemon, const std::string& volume);

  dind::JobDaemons m_found;
  std::vector<Service> m_services;
  std::vector<ExtraMount> m_build_mounts;
  std::vector<std::string> m_warnings;
};

/// The files of the certificates as one archive for `/` of the daemon's container.
/// `readable`: by other users than root too, for a daemon that does not run as root.
std::string certificate_archive(const dind::Certificates& certificates, std::string_view cert_dir,
                                bool readable);

/// Volumes of the certificates: of the daemons, of the clients. They go with the job.
std::string server_certificates_volume(const core::JobSpec& spec);
std::string client_certificates_volume(const core::JobSpec& spec);

/// Name servers of this machine that other machines can reach too: what an engine
/// gives its containers on the default bridge.
std::vector<std::string> reachable_name_servers();
/// Out of the text of a resolv.conf.
std::vector<std::string> name_servers_of(std::string_view resolv_conf);

}  // namespace berth::docker
