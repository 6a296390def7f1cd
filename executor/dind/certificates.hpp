#pragma once

#include "executor/support/secret.hpp"

#include <string>
#include <vector>

/// The certificates of one job's Docker daemons.
namespace berth::dind {

struct KeyPair {
  /// PEM
  std::string certificate{};
  support::Secret key{};
};

/// An authority of which nothing but the certificate is left, and what it has signed:
/// P-256 keys, valid from an hour ago for a hundred days.
struct Certificates {
  std::string authority{};
  KeyPair server{};
  KeyPair client{};
};

/// `names`: host names and IP addresses the daemon answers to. Takes some
/// milliseconds. Throws SystemError where OpenSSL fails.
Certificates make_certificates(const std::vector<std::string>& names);

/// A file of the certificates' directory, as the client and dockerd-entrypoint.sh
/// know them. With the authority's certificate and without its key, the
/// entrypoint makes none itself.
struct CertificateFile {
  /// "server/key.pem", under DOCKER_TLS_CERTDIR.
  std::string path{};
  support::Secret content{};
  bool is_key = false;
};
std::vector<CertificateFile> certificate_files(const Certificates& certificates);

}  // namespace berth::dind
