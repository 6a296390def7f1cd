#pragma once

#include <filesystem>
#include <string>
#include <string_view>

/// The agent's program on this host: which file is for which architecture.
namespace berth::sandbox {

struct AgentProgram {
  std::filesystem::path path{};
  /// Size, modification time and inode: as long as they are the same, so is
  /// the digest.
  std::string stamp{};
};

/// The file for a machine's architecture (in Go's words): berth-agent-<arch>,
/// else berth-agent where it is an ELF program for it.
/// Throws OperatorError when there is none.
AgentProgram find_agent_program(const std::filesystem::path& folder, const std::string& arch);

/// "amd64" for an ELF header with machine 62, and so on; "" for none we know.
std::string elf_architecture(std::string_view header);

/// The first 12 hexadecimal digits of SHA-256.
std::string short_digest(std::string_view bytes);

/// The folder of the program that runs: Berth's programs lie beside each other.
std::filesystem::path own_program_dir();

}  // namespace berth::sandbox
