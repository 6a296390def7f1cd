#include "executor/net/curl_errors.hpp"
#include "tests/support/catch.hpp"

#include <cerrno>

using namespace berth;
using net::HttpFailure;

TEST_CASE("libcurl's codes become classes a caller can act on") {
  struct Row {
    int code;
    const char* text;
    HttpFailure failure;
  };
  // Codes: curl.h (ABI-stable numbers). Texts: as OpenSSL 3 and libcurl 7.88 write them.
  const Row row = GENERATE(
      Row{6, "Could not resolve host: nowhere", HttpFailure::cannot_resolve},
      Row{7, "Failed to connect", HttpFailure::cannot_connect},
      Row{28, "Connection timed out", HttpFailure::timeout},
      Row{56, "CONNECT tunnel failed, response 407", HttpFailure::proxy},
      Row{56, "CONNECT tunnel failed, response 503", HttpFailure::cannot_connect},
      Row{5, "Could not resolve proxy: nowhere", HttpFailure::cannot_resolve},
      Row{60, "SSL certificate problem: unable to get local issuer certificate",
          HttpFailure::tls_untrusted},
      Row{35, "error:0A00010B:SSL routines::wrong version number", HttpFailure::tls_not_spoken},
      Row{35, "error:0A000412:SSL routines::sslv3 alert bad certificate",
          HttpFailure::tls_rejected},
      Row{35, "OpenSSL SSL_connect: Connection reset by peer", HttpFailure::reset},
      Row{35, "error:0A000152:SSL routines::unsafe legacy renegotiation disabled",
          HttpFailure::tls},
      Row{56,
          "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno "
          "0",
          HttpFailure::tls_rejected},
      Row{56, "Recv failure: Connection reset by peer", HttpFailure::reset},
      Row{55, "Send failure: Broken pipe", HttpFailure::reset},
      Row{52, "Empty reply from server", HttpFailure::reset},
      Row{18, "transfer closed with 5 bytes remaining to read", HttpFailure::reset},
      Row{58, "could not load PEM client certificate", HttpFailure::tls},
      Row{77, "error setting certificate", HttpFailure::tls},
      Row{1, "Received HTTP/0.9 when not allowed", HttpFailure::malformed},
      Row{8, "Weird server reply", HttpFailure::malformed});
  INFO(row.code << ": " << row.text);
  const net::HttpError error = net::classify_curl_error(row.code, row.text, 0);
  CHECK(error.failure() == row.failure);
  CHECK(error.what() == std::string(row.text));
}

TEST_CASE("a failed connect carries the system's reason") {
  const net::HttpError error = net::classify_curl_error(7, "Couldn't connect to server", EACCES);
  CHECK(error.system_error() == EACCES);
  CHECK(error.what() == std::string("Permission denied"));
}
