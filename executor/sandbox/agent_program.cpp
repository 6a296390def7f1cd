#include "executor/sandbox/agent_program.hpp"

#include "executor/support/error.hpp"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <sys/stat.h>

namespace berth::sandbox {
namespace {

namespace fs = std::filesystem;

std::string head_of(const fs::path& path) {
  std::array<char, 20> bytes{};
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  return {bytes.data(), static_cast<std::size_t>(file.gcount())};
}

std::string stamp_of(const fs::path& path) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return std::to_string(status.st_size) + ":" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec) + ":" + std::to_string(status.st_ino);
}

}  // namespace

std::string elf_architecture(std::string_view header) {
  if (header.size() < 20 || !header.starts_with("\x7f"
                                                "ELF"))
    return {};
  const bool big = header[5] == 2;
  const auto low = static_cast<unsigned char>(header[big ? 19 : 18]);
  const auto high = static_cast<unsigned char>(header[big ? 18 : 19]);
  // e_machine (System V ABI) in Go's words.
  switch (high << 8 | low) {
    case 3:
      return "386";
    case 21:
      return big ? "ppc64" : "ppc64le";
    case 22:
      return "s390x";
    case 40:
      return "arm";
    case 62:
      return "amd64";
    case 183:
      return "arm64";
    case 243:
      return "riscv64";
    default:
      return {};
  }
}

AgentProgram find_agent_program(const fs::path& folder, const std::string& arch) {
  std::error_code ignored;
  const fs::path own = folder / ("berth-agent-" + arch);
  if (fs::is_regular_file(own, ignored)) return {.path = own, .stamp = stamp_of(own)};
  const fs::path common = folder / "berth-agent";
  if (!fs::is_regular_file(common, ignored)) {
    throw support::OperatorError("agent: '" + common.string() + "': no such file",
                                 "berth-agent must lie beside Berth's other programs");
  }
  const std::string is_for = elf_architecture(head_of(common));
  if (is_for != arch) {
    throw support::OperatorError(
        "agent: '" + common.string() + "': the containers run on " + arch +
            ", the program is for " + (is_for.empty() ? "no known machine" : is_for),
        "build berth-agent for " + arch + " and place it at '" + own.string() + "'");
  }
  return {.path = common, .stamp = stamp_of(common)};
}

std::string short_digest(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    throw support::SystemError("SHA-256 is not available");
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < 6; ++i) {
    text += k_digits[digest[i] >> 4];
    text += k_digits[digest[i] & 15];
  }
  return text;
}

fs::path own_program_dir() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) throw support::SystemError("/proc/self/exe: " + error.message());
  return self.parent_path();
}

}  // namespace berth::sandbox
