// The Docker engine's answers, by the call that the first byte names: any bytes are
// a value or a SystemError.

#include "executor/docker/engine/failures.hpp"
#include "executor/docker/engine/parse.hpp"
#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace berth;

namespace {

void parse(char call, std::string_view body) {
  switch (call) {
    case 'v':
      docker::parse_version(body);
      break;
    case 'i':
      docker::parse_info(body);
      break;
    case 'I':
      docker::parse_image(body);
      break;
    case 'c':
      docker::parse_container(body);
      break;
    case 'C':
      for (const auto& container : docker::parse_container_list(body)) {
        for (const std::string& name : container.names) {
          if (name.starts_with("/") && !name.starts_with("//") && body.find("//") == body.npos &&
              body.find('\\') == body.npos) {
            std::abort();
          }
        }
      }
      break;
    case 'n':
      docker::parse_network(body);
      break;
    case 'N':
      docker::parse_network_list(body);
      break;
    case 'o':
      docker::parse_volume(body);
      break;
    case 'O':
      docker::parse_volume_list(body);
      break;
    case 'e':
      docker::parse_exec(body);
      break;
    case 'd':
      docker::parse_id(body);
      break;
    case 'w':
      docker::parse_wait(body);
      break;
    default:
      docker::parse_path_stat(body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    parse(static_cast<char>(data[0]), body);
  } catch (const support::SystemError& error) {
    if (std::string_view(error.what()).find("engine's answer") == std::string_view::npos) {
      std::abort();
    }
  }
  for (const int status : {404, 500}) {
    const docker::Complaint complaint = docker::read_complaint(status, body);
    if (complaint.text.empty() || complaint.text.find_first_of("\r\n") != std::string::npos) {
      std::abort();
    }
    docker::classify_pull_failure(complaint.status, complaint.text);
  }
  return 0;
}
