#include "tests/bench/docker_bench.hpp"
#include "tests/bench/kubernetes_bench.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <string_view>
#include <unistd.h>

/// berth-bench docker|kubernetes BIN_DIR OUTPUT.json [RUNS] [--dind]
int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  using namespace berth::bench;
  const std::string_view backend = argc > 1 ? argv[1] : "";
  if (argc < 4 || (backend != "docker" && backend != "kubernetes")) {
    fmt::print(stderr,
               "usage: berth-bench docker|kubernetes BIN_DIR OUTPUT.json [RUNS] [--dind]\n");
    return 2;
  }
  try {
    const fs::path folder = fs::temp_directory_path() / fmt::format("berth-bench-{}", ::getpid());
    fs::create_directories(folder);
    const bool daemons = std::string_view(argv[argc - 1]) == "--dind";
    const int runs = argc - (daemons ? 1 : 0) > 4 ? std::atoi(argv[4]) : 15;
    const auto measure = backend == "docker"
                             ? (daemons ? measure_docker_daemons : measure_docker)
                             : (daemons ? measure_kubernetes_daemons : measure_kubernetes);
    report(measure(argv[2], folder, runs), argv[3]);
    fs::remove_all(folder);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "berth-bench: {}\n", error.what());
    return 1;
  }
}
