#include "executor/masking/masker.hpp"

#include "executor/masking/forms.hpp"
#include "executor/masking/stage_secrets.hpp"
#include "executor/masking/wire.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace berth::masking {
namespace {

constexpr std::string_view k_command = "::add-mask::";
constexpr std::string_view k_replacement = "[MASKED]";
/// What feed() takes at once: the buffer stays in the cache.
constexpr std::size_t k_block = std::size_t{64} << 10U;
/// Lines that a job may add masks by.
constexpr std::size_t k_max_requested = 1000;

bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}

Prefixes prefixes_of(const Masks& masks) {
  std::vector<std::string> patterns = masks.patterns();
  patterns.emplace_back(k_command);
  return Prefixes(patterns);
}

}  // namespace

Masker::Masker(Masks masks, Sink sink)
    : m_masks(std::move(masks)), m_prefixes(prefixes_of(m_masks)), m_sink(std::move(sink)) {}

void Masker::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view block = bytes.substr(0, k_block);
    m_buffer.append(block);
    bytes.remove_prefix(block.size());
    scan();
    pass_on(decided_bytes());
  }
}

void Masker::flush() {
  if (m_command != std::string::npos) {
    const std::size_t begin = std::exchange(m_command, std::string::npos);
    read_command(begin, true);
    scan();
    // What follows the line may hold another one.
    if (m_command != std::string::npos) return flush();
  }
  m_begun.clear();
  m_scanned = m_buffer.size();
  m_state = Prefixes::root();
  pass_on(m_buffer.size());
  m_last_byte = '\n';
  m_last_masked = false;
}

void Masker::scan() {
  std::erase_if(m_begun, [this](Begun& begun) { return compare(begun); });
  if (m_command != std::string::npos) {
    const std::size_t begin = std::exchange(m_command, std::string::npos);
    if (read_command(begin, false) == Command::open) return;
  }
  while (m_scanned < m_buffer.size() && m_command == std::string::npos) {
    m_scanned = next_prefix_end(m_scanned);
    if (m_prefixes.is_end(m_state) && !is_line_end(m_buffer[m_scanned - 1])) prefix_ended();
  }
}

/// Behind the first prefix that ends, or where the buffer does; m_state is the state there.
std::size_t Masker::next_prefix_end(std::size_t at) {
  const char* const bytes = m_buffer.data();
  const std::size_t size = m_buffer.size();
  const bool command_only = m_masks.empty();
  Prefixes::State state = m_state;
  while (at < size) {
    if (command_only && state == Prefixes::root()) {
      // Most jobs have nothing to mask: look for the first byte of a command alone.
      const void* const found = std::memchr(bytes + at, k_command.front(), size - at);
      if (found == nullptr) {
        at = size;
        break;
      }
      at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes);
    }
    state = m_prefixes.next(state, bytes[at++]);
    if (m_prefixes.is_end(state)) [[unlikely]]
      break;
  }
  m_state = state;
  return at;
}

void Masker::prefix_ended() {
  // The prefix may be broken by line ends: it counts from behind the last of them.
  std::size_t begin = m_scanned;
  std::size_t missing = Prefixes::k_length;
  while (missing > 0 && begin > 0 && !is_line_end(m_buffer[begin - 1])) {
    --begin;
    --missing;
  }
  const auto command = static_cast<std::uint32_t>(m_masks.patterns().size());
  bool is_command = false;
  for (const std::uint32_t pattern : m_prefixes.patterns(m_state)) {
    if (pattern == command) {
      is_command = missing == 0;
      continue;
    }
    Begun begun{.pattern = pattern, .matched = Prefixes::k_length, .begin = begin, .at = m_scanned};
    if (!compare(begun)) m_begun.push_back(begun);
  }
  if (is_command) read_command(begin, false);
}

bool Masker::compare(Begun& begun) {
  const std::string& pattern = m_masks.patterns()[begun.pattern];
  while (begun.matched < pattern.size()) {
    if (begun.at == m_buffer.size()) return false;
    const char byte = m_buffer[begun.at++];
    if (is_line_end(byte)) continue;
    if (byte != pattern[begun.matched++]) return true;
  }
  m_masked.push_back({begun.begin, begun.at});
  return true;
}

Masker::Command Masker::read_command(std::size_t begin, bool at_end) {
  const char before = begin == 0 ? m_last_byte : m_buffer[begin - 1];
  const std::string_view line = std::string_view(m_buffer).substr(begin);
  if (!is_line_end(before) || !line.starts_with(k_command.substr(0, line.size())))
    return Command::none;
  const std::size_t end = std::min(line.find('\n'), line.size());
  if (end == line.size() && !at_end && line.size() <= k_max_command) {
    m_command = begin;
    return Command::open;
  }
  if (end > k_max_command || end < k_command.size()) return Command::none;
  std::string_view value = line.substr(k_command.size(), end - k_command.size());
  while (!value.empty() && (value.back() == ' ' || is_line_end(value.back())))
    value.remove_suffix(1);
  const Span shown{begin + k_command.size(), begin + k_command.size() + value.size()};
  m_masked.push_back(shown);
  m_scanned = begin + end;
  m_state = Prefixes::root();
  const bool usable = value.find('\r') == std::string_view::npos &&
                      m_requested.size() < k_max_requested &&
                      m_requested_bytes + value.size() <= k_max_secret_bytes;
  if (usable && m_masks.add_requested(value)) {
    m_requested_bytes += value.size();
    m_requested.emplace_back(std::string(value));
    m_prefixes = prefixes_of(m_masks);
  }
  return Command::done;
}

std::size_t Masker::decided_bytes() const {
  // The longest beginning that the stream ends with, from its last line end on.
  std::size_t decided = m_scanned;
  for (std::size_t held = m_prefixes.depth(m_state);
       held > 0 && decided > 0 && !is_line_end(m_buffer[decided - 1]); --held)
    --decided;
  for (const Begun& begun : m_begun) decided = std::min(decided, begun.begin);
  return std::min(decided, m_command);
}

void Masker::pass_on(std::size_t end) {
  std::ranges::sort(m_masked, {}, &Span::begin);
  std::size_t at = 0;
  const auto show = [&](std::size_t until) {
    if (until <= at) return;
    m_sink(std::string_view(m_buffer).substr(at, until - at));
    at = until;
    m_last_masked = false;
  };
  for (const Span& span : m_masked) {
    show(std::min(span.begin, end));
    for (; at < std::min(span.end, end); ++at) {
      if (is_line_end(m_buffer[at])) {
        m_sink(std::string_view(m_buffer).substr(at, 1));
        m_last_masked = false;
      } else if (!std::exchange(m_last_masked, true)) {
        m_sink(k_replacement);
      }
    }
  }
  show(end);
  if (end > 0) m_last_byte = m_buffer[end - 1];
  m_buffer.erase(0, end);
  m_scanned -= std::min(end, m_scanned);
  std::erase_if(m_masked, [end](const Span& span) { return span.end <= end; });
  for (Span& span : m_masked) {
    span.begin -= std::min(end, span.begin);
    span.end -= end;
  }
  for (Begun& begun : m_begun) {
    begun.begin -= end;
    begun.at -= end;
  }
  if (m_command != std::string::npos) m_command -= end;
}

support::Secret Masker::save() const {
  std::string text;
  put_number(text, m_masks.patterns().size());
  put_text(text, m_buffer);
  put_number(text, m_scanned);
  put_number(text, m_state);
  put_number(text, m_begun.size());
  for (const Begun& begun : m_begun)
    for (const std::size_t number :
         {std::size_t{begun.pattern}, begun.matched, begun.begin, begun.at})
      put_number(text, number);
  put_number(text, m_masked.size());
  for (const Span& span : m_masked) {
    put_number(text, span.begin);
    put_number(text, span.end);
  }
  put_number(text, m_command);
  put_number(text, static_cast<unsigned char>(m_last_byte));
  put_number(text, m_last_masked ? 1 : 0);
  return support::Secret(std::move(text));
}

bool Masker::restore(std::string_view saved) {
  bool sound = true;
  // Positions in the buffer and the like: none beyond `limit`.
  const auto number = [&](std::size_t limit) -> std::size_t {
    const auto taken = take_number(saved);
    sound = sound && taken && *taken <= limit;
    return sound ? static_cast<std::size_t>(*taken) : 0;
  };
  const std::size_t patterns = m_masks.patterns().size();
  constexpr std::size_t k_any = std::string::npos;
  sound = number(k_any) == patterns && sound;
  const auto buffer = take_text(saved);
  if (!sound || !buffer) return false;
  const std::size_t size = buffer->size();
  const std::size_t scanned = number(size);
  const std::size_t state = number(m_prefixes.last_state());
  std::vector<Begun> begun(number(saved.size()));
  for (Begun& one : begun) {
    one.pattern = static_cast<std::uint32_t>(number(patterns == 0 ? 0 : patterns - 1));
    one.matched = number(k_any);
    one.begin = number(size);
    one.at = number(size);
    sound = sound && patterns > 0 && one.begin <= one.at &&
            one.matched <= m_masks.patterns()[one.pattern].size();
    if (!sound) return false;
  }
  std::vector<Span> masked(number(saved.size()));
  for (Span& span : masked) {
    span.begin = number(size);
    span.end = number(size);
    sound = sound && span.begin <= span.end;
  }
  const std::size_t command = number(k_any);
  const std::size_t last_byte = number(255);
  const std::size_t last_masked = number(1);
  if (!sound || !saved.empty() || (command > size && command != k_any)) return false;
  m_buffer = *buffer;
  m_scanned = scanned;
  m_state = static_cast<Prefixes::State>(state);
  m_begun = std::move(begun);
  m_masked = std::move(masked);
  m_command = command;
  m_last_byte = static_cast<char>(last_byte);
  m_last_masked = last_masked != 0;
  return true;
}

}  // namespace berth::masking
