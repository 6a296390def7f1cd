#include "tests/unit/agentlink/real/cutting_transport.hpp"

#include <algorithm>

namespace berth::tests {
namespace {

using agentlink::Io;

class CutStream final : public agentlink::Stream {
 public:
  CutStream(std::unique_ptr<Stream> inner, CutAt cut, std::shared_ptr<unsigned> cuts)
      : m_inner(std::move(inner)), m_fd(m_inner->fd()), m_cut(cut), m_cuts(std::move(cuts)) {
    cut_when_due();
  }

  int fd() const override { return m_inner ? m_fd : -1; }
  bool buffered() const override { return !m_inner; }  // the cut is to be noticed at once
  Io read(std::span<char> into) override {
    if (!m_inner) return {Io::State::closed, 0, "cut"};
    return count(m_inner->read(into.first(std::min(into.size(), m_cut.up.value_or(into.size())))),
                 m_cut.up);
  }
  Io write(std::string_view bytes) override {
    if (!m_inner) return {Io::State::closed, 0, "cut"};
    return count(m_inner->write(bytes.substr(0, m_cut.down.value_or(bytes.size()))), m_cut.down);
  }

 private:
  Io count(Io io, std::optional<std::size_t>& left) {
    if (io.state == Io::State::moved && left) {
      *left -= io.bytes;
      cut_when_due();
    }
    return io;
  }
  void cut_when_due() {
    if (m_cut.up != std::size_t{0} && m_cut.down != std::size_t{0}) return;
    m_inner.reset();
    ++*m_cuts;
  }

  std::unique_ptr<Stream> m_inner;
  int m_fd;
  CutAt m_cut;
  std::shared_ptr<unsigned> m_cuts;
};

}  // namespace

std::unique_ptr<agentlink::Stream> CuttingTransport::connect(
    std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  const CutAt cut = m_plan(m_connections++);
  return std::make_unique<CutStream>(m_inner.connect(deadline, std::move(stop)), cut, m_cuts);
}

void HastyWaiter::wait(std::span<pollfd> fds, TimePoint until) {
  // Only a pause has no connection to wait for beside the stop request.
  if (fds.size() < 2)
    m_skipped += std::max(until - now(), std::chrono::steady_clock::duration::zero());
  else
    agentlink::system_waiter().wait(fds, until - m_skipped);
}

}  // namespace berth::tests
