#include "executor/docker/engine/stream_demux.hpp"

#include <algorithm>

namespace berth::docker {

void StreamDemux::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    if (m_left == 0) {
      m_header[m_have++] = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (m_have < m_header.size()) continue;
      m_have = 0;
      if (m_header[0] > 3 || m_header[1] != 0 || m_header[2] != 0 || m_header[3] != 0)
        throw DemuxError("the engine's stream is not in frames");
      m_left = std::size_t{m_header[4]} << 24 | std::size_t{m_header[5]} << 16 |
               std::size_t{m_header[6]} << 8 | std::size_t{m_header[7]};
      continue;
    }
    const std::size_t count = std::min(m_left, bytes.size());
    sink(static_cast<OutputStream>(m_header[0]), bytes.substr(0, count));
    bytes.remove_prefix(count);
    m_left -= count;
  }
}

}  // namespace berth::docker
