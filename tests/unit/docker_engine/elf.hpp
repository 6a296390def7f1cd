#pragma once

#include <string>

namespace berth::tests {

/// The first bytes of an ELF program for a machine.
inline std::string elf(unsigned machine, bool big = false) {
  std::string header(20, '\0');
  header.replace(0, 4,
                 "\x7f"
                 "ELF");
  header[4] = 2;
  header[5] = big ? 2 : 1;
  header[big ? 19 : 18] = static_cast<char>(machine & 0xff);
  header[big ? 18 : 19] = static_cast<char>(machine >> 8);
  return header;
}

}  // namespace berth::tests
