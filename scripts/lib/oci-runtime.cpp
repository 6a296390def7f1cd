// An OCI runtime for machines whose root lacks CAP_SYS_RESOURCE: takes out of the process
// specification what only that capability allows, then becomes runc. Where the capability exists it
// changes nothing.
//
// The container engine calls it with runc's command line. Two commands carry a process
// specification (OCI runtime specification, config.md):
//
//   create|run --bundle DIR: the member "process" of DIR/config.json
//   exec --process FILE: the whole of FILE
//
// Built static by scripts/lib/dev.sh; the same binary also serves engines inside containers.
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <linux/capability.h>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace {
using nlohmann::json;

struct RlimitName {
  std::string_view name;
  __rlimit_resource resource;
};

constexpr std::array k_rlimit_names{
    RlimitName{"RLIMIT_AS", RLIMIT_AS},
    RlimitName{"RLIMIT_CORE", RLIMIT_CORE},
    RlimitName{"RLIMIT_CPU", RLIMIT_CPU},
    RlimitName{"RLIMIT_DATA", RLIMIT_DATA},
    RlimitName{"RLIMIT_FSIZE", RLIMIT_FSIZE},
    RlimitName{"RLIMIT_LOCKS", RLIMIT_LOCKS},
    RlimitName{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    RlimitName{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    RlimitName{"RLIMIT_NICE", RLIMIT_NICE},
    RlimitName{"RLIMIT_NOFILE", RLIMIT_NOFILE},
    RlimitName{"RLIMIT_NPROC", RLIMIT_NPROC},
    RlimitName{"RLIMIT_RSS", RLIMIT_RSS},
    RlimitName{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    RlimitName{"RLIMIT_RTTIME", RLIMIT_RTTIME},
    RlimitName{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    RlimitName{"RLIMIT_STACK", RLIMIT_STACK},
};

// Where the process specification of this call lies: the file, and the object in it ("" = the whole
// document).
struct Specification {
  std::string file;
  json::json_pointer process;
};

Specification find_specification(std::span<char* const> arguments) {
  std::string_view command;
  std::string bundle = ".";
  std::string process;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const auto value_of = [&](std::string_view name, std::string_view letter, std::string& into) {
      if ((argument == name || argument == letter) && i + 1 < arguments.size()) {
        into = arguments[++i];
        return true;
      }
      if (argument.size() > name.size() && argument.starts_with(name) &&
          argument[name.size()] == '=') {
        into = argument.substr(name.size() + 1);
        return true;
      }
      return false;
    };
    if (command.empty()) {
      if (argument == "create" || argument == "run" || argument == "exec") command = argument;
    } else if (command == "exec" ? value_of("--process", "-p", process)
                                 : value_of("--bundle", "-b", bundle)) {
      continue;
    } else if (argument == "--") {
      break;
    }
  }
  if (command == "create" || command == "run")
    return {bundle + "/config.json", json::json_pointer("/process")};
  return {process, json::json_pointer("")};
}

// A hard limit above our own cannot be set without the capability: lowered to ours.
void lower_rlimits(json& process) {
  const auto limits = process.find("rlimits");
  if (limits == process.end() || !limits->is_array()) return;
  for (auto& limit : *limits) {
    const auto name = limit.at("type").get<std::string>();
    for (const auto& known : k_rlimit_names) {
      rlimit own{};
      if (known.name != name || getrlimit(known.resource, &own) != 0) continue;
      for (const auto* field : {"hard", "soft"}) {
        if (limit.at(field).get<rlim_t>() > own.rlim_max) limit[field] = own.rlim_max;
      }
    }
  }
}

void take_out(json& process) {
  if (!process.is_object()) return;
  if (const auto sets = process.find("capabilities"); sets != process.end() && sets->is_object()) {
    for (auto& set : *sets) {
      if (set.is_array()) std::erase(set.get_ref<json::array_t&>(), json("CAP_SYS_RESOURCE"));
    }
  }
  if (const auto score = process.find("oomScoreAdj");
      score != process.end() && score->get<int>() < 0)
    *score = 0;
  lower_rlimits(process);
}

void rewrite(const Specification& where) {
  std::ifstream in(where.file);
  if (!in) throw std::system_error(errno, std::generic_category(), where.file);
  auto document = json::parse(in);
  if (!document.contains(where.process)) return;
  take_out(document.at(where.process));

  // Beside the file and renamed over it, so that nobody reads half of it; for root alone, since
  // the environment in it may hold secrets.
  const auto mask = umask(077);
  const auto part = where.file + ".part";
  std::ofstream out(part, std::ios::trunc);
  out << document;
  out.close();
  umask(mask);
  if (!out || std::rename(part.c_str(), where.file.c_str()) != 0)
    throw std::system_error(errno, std::generic_category(), part);
}

// The first runc on PATH that is not this program, which may be installed under that name.
std::string find_runc() {
  struct stat self {};
  if (stat("/proc/self/exe", &self) != 0)
    throw std::system_error(errno, std::generic_category(), "/proc/self/exe");
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto file = folder + "/runc";
    struct stat found {};
    if (stat(file.c_str(), &found) != 0 || access(file.c_str(), X_OK) != 0) continue;
    if (found.st_dev != self.st_dev || found.st_ino != self.st_ino) return file;
  }
  throw std::runtime_error("no runc on PATH: install the package runc");
}
}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  try {
    if (prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE, 0, 0, 0) != 1) {
      if (const auto where = find_specification(arguments); !where.file.empty()) rewrite(where);
    }
    auto runc = find_runc();
    argv[0] = runc.data();
    execv(runc.c_str(), argv);
    throw std::system_error(errno, std::generic_category(), runc);
  } catch (const std::exception& error) {
    std::cerr << "oci-runtime: " << error.what() << '\n';
    return 1;
  }
}
