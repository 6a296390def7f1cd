#include "cli/local/job_log.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>

namespace berth::local {
namespace {

using runner::NoteLevel;

constexpr std::string_view k_reset = "\033[0;m";
/// A line longer than this is shown in parts.
constexpr std::size_t k_longest_line = 65536;

std::string_view colour_of(NoteLevel level) {
  switch (level) {
    case NoteLevel::plain:
      return "";
    case NoteLevel::info:
      return "\033[32;1m";
    case NoteLevel::warning:
      return "\033[0;33m";
    case NoteLevel::error:
      return "\033[31;1m";
  }
  return "";
}

/// The line without a section's mark, which GitLab's page folds by and which a
/// terminal would overwrite, the job's name before it included.
std::string_view without_section(std::string_view line) {
  constexpr std::string_view end_of_mark = "\r\033[0K";
  if (!line.starts_with("section_start:") && !line.starts_with("section_end:")) return line;
  const auto end = line.find(end_of_mark);
  return end == std::string_view::npos ? line : line.substr(end + end_of_mark.size());
}

/// Without the beginning of a UTF-8 character whose end was cut off.
std::string_view whole_characters(std::string_view text) {
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  };
  std::size_t tail = 0;  // continuation bytes at the end: three at most
  while (tail < 3 && tail < text.size() && is_continuation(text[text.size() - tail - 1])) ++tail;
  if (tail == text.size()) return text;
  const auto lead = static_cast<unsigned char>(text[text.size() - tail - 1]);
  const std::size_t wanted = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (wanted > tail) text.remove_suffix(tail + 1);
  return text;
}

std::string_view prefix_of(NoteLevel level) {
  switch (level) {
    case NoteLevel::warning:
      return "WARNING: ";
    case NoteLevel::error:
      return "ERROR: ";
    default:
      return "";
  }
}

}  // namespace

JobLog::JobLog(std::filesystem::path file, const std::vector<std::string>& secrets,
               Terminal& terminal, std::string label, std::uint64_t limit)
    : m_path(std::move(file)),
      m_file(m_path, std::ios::binary),
      m_terminal(terminal),
      m_label(std::move(label)),
      m_out(secrets, [this](std::string_view bytes) { write(bytes); }),
      m_err(secrets, [this](std::string_view bytes) { write(bytes); }),
      m_limit(limit) {
  if (!m_file)
    throw support::SystemError(fmt::format("cannot write a job's log: \"{}\"", m_path.string()));
}

void JobLog::section_begin(std::string_view, std::string_view title) {
  finish_line();
  write(fmt::format("\033[36;1m{}{}\n", title, k_reset));
}

void JobLog::section_end(std::string_view) {
  finish_line();
}

void JobLog::output(runner::Program, std::string_view, runner::Stream stream,
                    std::string_view bytes) {
  (stream == runner::Stream::out ? m_out : m_err).feed(bytes);
}

void JobLog::note(NoteLevel level, std::string_view text) {
  // Every job of a custom executor gets this one; it tells its reader nothing.
  if (text.starts_with("Starting with version 17.0 the 'build_script' stage")) return;
  finish_line();
  const std::string_view colour = colour_of(level);
  m_out.feed(
      fmt::format("{}{}{}{}\n", colour, prefix_of(level), text, colour.empty() ? "" : k_reset));
  m_out.flush();
}

void JobLog::call_ended(const runner::CallRecord&) {
  finish_line();
}

void JobLog::write(std::string_view bytes) {
  if (m_limit == 0 || bytes.size() < m_limit - m_written) {
    m_written += bytes.size();
    return put(bytes);
  }
  if (m_written == m_limit) return;
  put(whole_characters(bytes.substr(0, m_limit - m_written)));
  m_written = m_limit;
  put(
      fmt::format("\n\033[33;1mJob's log exceeded limit of {} bytes.\n"
                  "Job execution will continue but no more output will be collected.{}\n",
                  m_limit, k_reset));
}

void JobLog::put(std::string_view bytes) {
  m_file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  m_file.flush();
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    m_line.append(bytes.substr(0, newline));
    if (newline == std::string_view::npos && m_line.size() < k_longest_line) return;
    show_line(m_line);
    m_line.clear();
    if (newline == std::string_view::npos) return;
    bytes.remove_prefix(newline + 1);
  }
}

void JobLog::show_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::string_view shown = without_section(line);
  if (shown.empty() && !line.empty()) return;
  line = shown;
  m_terminal.print(fmt::format(
      "{}{}\n", m_label, m_terminal.colours() ? std::string(line) + "\033[0m" : plain_line(line)));
}

void JobLog::finish_line() {
  m_out.flush();
  m_err.flush();
  if (!m_line.empty()) write("\n");
}

}  // namespace berth::local
