#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The runner's side of the custom executor protocol, played for `berth local`
/// and for the contract tests. It shares no code with the driver it starts, so
/// that a mistake in the driver's reading of the protocol does not repeat here.
namespace berth::local::runner {

/// One CI variable. `internal` marks what the runner itself adds: such a
/// variable never stands in the response file.
struct Variable {
  std::string key{};
  std::string value{};
  bool is_public = false;
  bool internal = false;
  bool file = false;
  bool masked = false;
  bool raw = false;
  bool operator==(const Variable&) const = default;
};

/// Variables in the runner's order: of a key that stands twice the last wins,
/// but all are exported.
class VariableList {
 public:
  VariableList() = default;
  explicit VariableList(std::vector<Variable> all) : m_all(std::move(all)) {}

  void add(Variable variable) { m_all.push_back(std::move(variable)); }
  /// A public variable of the runner's own.
  void add_internal(std::string key, std::string value);
  void append(const std::vector<Variable>& more);
  /// Replaces the first definition of the key; nothing when there is none
  /// (gitlab-runner does so with CI_JOB_STATUS).
  void overwrite_first(std::string_view key, std::string value);

  const Variable* find(std::string_view key) const;
  /// The value a shell would see: of a file variable the path of its file.
  std::string get(std::string_view key) const;
  /// The content, of file variables too.
  std::string value(std::string_view key) const;
  bool is_true(std::string_view key) const;

  /// References replaced once (not recursively), as Go's os.Expand does:
  /// `$NAME` and `${NAME}`, `$$` is `$`, an unknown name is empty, a broken
  /// `${` vanishes, `$` before any other character stays.
  std::string expand(std::string_view text) const;
  /// All values expanded against this list; raw ones are left alone.
  VariableList expanded() const { return expanded_with(*this); }
  VariableList expanded_with(const VariableList& source) const;

  const std::vector<Variable>& all() const noexcept { return m_all; }

 private:
  std::string lookup(std::string_view name) const;

  std::vector<Variable> m_all;
};

/// "true", "1", "t" and the like, in any case.
bool parse_bool(std::string_view text, bool fallback);

/// Where file variables and the runner's own notes lie in the job.
inline constexpr std::string_view k_temp_dir_key = "RUNNER_TEMP_PROJECT_DIR";

}  // namespace berth::local::runner
