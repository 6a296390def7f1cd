// Stands in for libFuzzer's main where the compiler has none: runs the entry
// point on every file of the folders named, on each of its beginnings, and on
// the file with each byte bent in turn. A property that fails aborts.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

std::size_t run(const Bytes& input) {
  // A copy of the exact size, so that the sanitizer sees a read past the end.
  const Bytes exact(input);
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  return 1;
}

std::size_t replay(const Bytes& input) {
  std::size_t runs = run(input);
  for (std::size_t at = 0; at < input.size(); ++at) {
    runs += run(Bytes(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at)));
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Bytes bent(input);
      bent[at] = static_cast<std::uint8_t>(value);
      runs += run(bent);
    }
  }
  return runs;
}

}  // namespace

int main(int argc, char** argv) try {
  std::size_t files = 0;
  std::size_t runs = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      ++files;
      runs += replay(read_file(entry.path()));
    }
  }
  std::printf("%zu files, %zu runs\n", files, runs);
  return files == 0 ? 1 : 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "replay: %s\n", e.what());
  return 1;
}
