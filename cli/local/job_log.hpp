#pragma once

#include "cli/local/masker.hpp"
#include "cli/local/pattern_masker.hpp"
#include "cli/local/runner/play.hpp"
#include "cli/local/terminal.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace berth::local {

/// One job's log: all of it in a file, and live on the terminal; secrets masked
/// in both. In the file bytes are kept as they are; a line that a stage leaves
/// unended is ended.
class JobLog final : public runner::Observer {
 public:
  /// `label` stands before each line on the terminal; empty for none. Of a log
  /// that reaches `limit` bytes (0: none) the rest is dropped, file and terminal
  /// alike, and said so. Throws support::SystemError when the file cannot be made.
  JobLog(std::filesystem::path file, const std::vector<std::string>& secrets, Terminal& terminal,
         std::string label, std::uint64_t limit = 0);

  void section_begin(std::string_view stage, std::string_view title) override;
  void section_end(std::string_view stage) override;
  void output(runner::Program program, std::string_view stage, runner::Stream stream,
              std::string_view bytes) override;
  void note(runner::NoteLevel level, std::string_view text) override;
  void call_ended(const runner::CallRecord& call) override;

  const std::filesystem::path& file() const noexcept { return m_path; }

 private:
  /// What the job may not show is taken out before it is written.
  class Stream {
   public:
    Stream(std::vector<std::string> secrets, Masker::Sink sink)
        : m_patterns(std::move(sink)),
          m_values(std::move(secrets), [this](std::string_view bytes) { m_patterns.feed(bytes); }) {
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    void feed(std::string_view bytes) { m_values.feed(bytes); }
    void flush() {
      m_values.flush();
      m_patterns.flush();
    }

   private:
    PatternMasker m_patterns;
    Masker m_values;
  };

  void write(std::string_view bytes);
  void put(std::string_view bytes);
  void show_line(std::string_view line);
  void finish_line();

  std::filesystem::path m_path;
  std::ofstream m_file;
  Terminal& m_terminal;
  std::string m_label;
  Stream m_out;
  Stream m_err;
  std::uint64_t m_limit;
  std::uint64_t m_written = 0;
  /// The line that has not ended yet.
  std::string m_line;
};

}  // namespace berth::local
