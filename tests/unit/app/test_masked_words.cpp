#include "executor/app/masked_words.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using app::MaskedConsole;
using app::MaskedWords;

namespace {

core::Variables variables() {
  core::Variables all;
  all.set({.key = "DB_PASSWORD", .value = "Tr0ub4dor&3-x", .masked = true});
  all.set({.key = "KUBE_NAMESPACE", .value = "shopping-cart"});
  return all;
}

class Lines final : public support::Console {
 public:
  void line(std::string_view text) override { said += "line " + std::string(text) + "\n"; }
  void warning(std::string_view text) override { said += "warning " + std::string(text) + "\n"; }
  void hint(std::string_view text) override { said += "hint " + std::string(text) + "\n"; }
  std::string said{};
};

}  // namespace

TEST_CASE("What GitLab masks is taken out of a cluster's words, and nothing else") {
  const MaskedWords words(variables());
  CHECK(words("last words: postgres://app:Tr0ub4dor&3-x@db in shopping-cart") ==
        "last words: postgres://app:[MASKED]@db in shopping-cart");
  // As a Secret's data has it.
  CHECK(words("password: VHIwdWI0ZG9yJjMteA==").find("VHIwdWI0") == std::string::npos);
  CHECK(words("Tr0ub4dor&3-") == "Tr0ub4dor&3-");
  CHECK(words("").empty());
  CHECK(MaskedWords(core::Variables{})("Tr0ub4dor&3-x") == "Tr0ub4dor&3-x");
}

TEST_CASE("A masked console says nothing unmasked, in none of its ways") {
  const MaskedWords words(variables());
  Lines lines;
  MaskedConsole console(lines, words);
  console.line("a Tr0ub4dor&3-x");
  console.warning("b Tr0ub4dor&3-x");
  console.hint("c Tr0ub4dor&3-x");
  CHECK(lines.said == "line a [MASKED]\nwarning b [MASKED]\nhint c [MASKED]\n");
}
