#include "executor/core/image_ref.hpp"
#include "tests/support/catch.hpp"

using namespace berth::core;

TEST_CASE("glob: matches") {
  const std::vector<std::pair<std::string, std::string>> matching{
      {"abc", "abc"},
      {"", ""},
      {"*", "abc"},
      {"*", ""},
      {"ruby:*", "ruby:3.2"},
      {"a*b?c*x", "abxbbxdbxebxczzx"},
      {"a*b*c*d*e*/f", "axbxcxdxexxx/f"},
      {"[a-c]x[^0-9]", "bxz"},
      {"[!a]", "b"},
      {"[\\]a]", "]"},
      {"[\\-x]", "-"},
      {"a\\*b", "a*b"},
      {"registry.example.com/**", "registry.example.com/a/b:1"},
      {"registry.example.com:5000/**", "registry.example.com:5000/x"},
      {"**", "a/b/c"},
      {"**", ""},
      {"**/c", "c"},
      {"**/c", "a/b/c"},
      {"a/**/b", "a/b"},
      {"a/**/d", "a/b/c/d"},
      {"a/**/d/**/f", "a/b/d/d/e/f"},
      {"a/**", "a"},
      {"a/**/", "a"},
      {"a/**", "a/"},
      {"abc**", "abcdef"},
      {"**abc", "abc"},
      {"{ruby,python}:*", "python:3"},
      {"r/{a,b/{c,d}}:1", "r/b/d:1"},
      {"{,x}a", "a"},
      {"{a,**}/b", "x/y/b"},
      {"my.registry/*:{1,2}", "my.registry/app:2"},
  };
  for (const auto& [pattern, text] : matching) {
    INFO(pattern << " and " << text);
    CHECK(glob_match(pattern, text));
    CHECK(glob_valid(pattern));
  }
}

TEST_CASE("glob: does not match") {
  const std::vector<std::pair<std::string, std::string>> others{
      {"abc", "abcd"},
      {"a*", "ab/c"},
      {"a*/b", "a/c/b"},
      {"a?b", "a/b"},
      {"ab[^b-d]", "abc"},
      {"a\\*b", "ab"},
      {"registry.example.com/*", "registry.example.com/a/b"},
      {"registry.example.com/**", "registry.example.com.evil.org/a"},
      {"registry.example.com/**", "registry.example.comx"},
      {"**/c", "abc"},
      {"**/c", "a/b"},
      {"a/**/b", "axb"},
      {"a/**/b", "a/xb"},
      {"abc**", "abc/d"},
      {"a\\/\\**", "a/b/c"},
      {"{a,b}", "c"},
      {"ruby", "docker.io/library/ruby"},
  };
  for (const auto& [pattern, text] : others) {
    INFO(pattern << " and " << text);
    CHECK_FALSE(glob_match(pattern, text));
  }
}

TEST_CASE("glob: a malformed pattern matches nothing and is known as such") {
  for (const char* pattern : {"[", "[]", "a[b", "{a", "{a,{b}", "a\\", "[a\\"}) {
    INFO(pattern);
    CHECK_FALSE(glob_valid(pattern));
    CHECK_FALSE(glob_match(pattern, pattern));
  }
}

TEST_CASE("glob: no pattern is slow") {
  // Exponential for a matcher that backtracks; too many alternatives are refused.
  CHECK_FALSE(glob_match("**/a*/**/a*/**/a*/**/a*/**/a*/**/a*/**/b", []() {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "aaaa/";
    return text;
  }()));
  std::string many;
  for (int i = 0; i < 40; ++i) many += "{a,b}";
  CHECK_FALSE(glob_valid(many));
}
