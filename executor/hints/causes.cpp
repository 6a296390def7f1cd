#include "executor/hints/causes.hpp"

namespace berth::hints {
namespace {

constexpr std::array k_causes = {
    KnownCause{
        "out-of-memory",
        Where::both,
        {"JavaScript heap out of memory", "java.lang.OutOfMemoryError", "runtime: out of memory",
         "Cannot allocate memory", "std::bad_alloc",
         "Container killed on request. Exit code is 137"},
        "the job ran out of memory: let it use less (fewer parallel workers, a smaller heap), or "
        "have the operator raise `memory` (Docker) or `memory_limit` (Kubernetes)",
    },
    KnownCause{
        "disk-full",
        Where::both,
        {"No space left on device", "Disk quota exceeded"},
        "a disk is full: the engine's or node's (`docker system df` there, `berth gc`), or a small "
        "one of the container's own, such as /dev/shm, which `shm_size` makes larger",
    },
    KnownCause{
        "exec-format",
        Where::both,
        {"exec format error", "cannot execute binary file"},
        "a program or an image is made for another processor than this machine has: take the "
        "image of this architecture, or build with `--platform`",
    },
    KnownCause{
        "docker-client-too-old",
        Where::script,
        {"client version * is too old. Minimum supported API version is"},
        "the job's docker client is older than its daemon takes: use an image with a newer client, "
        "or a daemon of the client's age (as `docker:24-dind` beside `docker:24`)",
    },
    KnownCause{
        "docker-client-too-new",
        Where::script,
        {"client version * is too new. Maximum supported API version is"},
        "the job's docker client is newer than its daemon: use a daemon of the client's age, or "
        "set the variable DOCKER_API_VERSION to the version that the message names",
    },
    KnownCause{
        "docker-plain-client",
        Where::script,
        {"Client sent an HTTP request to an HTTPS server",
         "net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x15\\x03"},
        "the docker client speaks plain HTTP to a daemon with TLS: leave DOCKER_HOST out, or set "
        "it to port 2376 with DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH=/certs/client; for a plain "
        "daemon on 2375 set DOCKER_TLS_CERTDIR: \"\"",
    },
    KnownCause{
        "docker-tls-client",
        Where::script,
        {"error during connect*server gave HTTP response to HTTPS client",
         "tls: first record does not look like a TLS handshake"},
        "the docker client speaks TLS to a plain daemon: remove DOCKER_TLS_VERIFY and "
        "DOCKER_CERT_PATH, or remove DOCKER_TLS_CERTDIR: \"\", which made the daemon plain",
    },
    KnownCause{
        "docker-certificates-missing",
        Where::script,
        {"unable to resolve docker endpoint: open *ca.pem: no such file",
         "could not read CA certificate *no such file or directory",
         "failed to retrieve context tls info: ca.pem"},
        "DOCKER_TLS_VERIFY or DOCKER_CERT_PATH asks for certificates that are not there: leave "
        "both out, so that they are set to what the job's daemon has, or set DOCKER_TLS_CERTDIR: "
        "\"\" for a plain daemon",
    },
    KnownCause{
        "docker-daemon-port",
        Where::script,
        {"Cannot connect to the Docker daemon at tcp://",
         "dial tcp*:2375: connect: connection refused",
         "dial tcp*:2376: connect: connection refused", "dial tcp: lookup docker*no such host"},
        "no daemon answers where DOCKER_HOST says: the job needs a service such as `docker:dind`, "
        "which listens on 2376 with TLS, or on 2375 with DOCKER_TLS_CERTDIR: \"\"; without "
        "DOCKER_HOST the right one is found",
    },
    KnownCause{
        "docker-daemon-none",
        Where::script,
        {"Cannot connect to the Docker daemon at unix://",
         "dial unix /var/run/docker.sock: connect: no such file or directory"},
        "this job has no docker daemon: add `services: [docker:dind]`",
    },
    KnownCause{
        "docker-client-missing",
        Where::script,
        {" docker: not found", " docker: command not found", " docker: No such file or directory",
         "exec: \"docker\": executable file not found"},
        "the job's image has no docker client: use one that has (`image: docker`), or install "
        "the client in `before_script`",
    },
    KnownCause{
        "clone-too-shallow",
        Where::script,
        {"ambiguous argument 'HEAD~*unknown revision", "ambiguous argument 'HEAD^*unknown revision",
         "bad revision 'HEAD~", "bad revision 'HEAD^", "invalid upstream 'HEAD~",
         "fatal: Invalid object name 'HEAD~"},
        "the clone does not hold the commit before: set the variable GIT_DEPTH to 2 or more, or "
        "to 0 for the whole history",
    },
    KnownCause{
        "postgres-password",
        Where::service,
        {"superuser password is not specified"},
        "PostgreSQL's images want a password since February 2020: give the job or the service a "
        "POSTGRES_PASSWORD that is not empty; `service_compat: true` in the runner's berth.yaml "
        "lets them start without one as before",
    },
};

}  // namespace

std::span<const KnownCause> known_causes() {
  return k_causes;
}

const KnownCause& out_of_memory() {
  return k_causes.front();
}

}  // namespace berth::hints
