#include "executor/docker/engine/tar.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>

using namespace berth;

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("tar(1) unpacks what was packed") {
  std::string binary(70001, '\0');
  for (std::size_t i = 0; i < binary.size(); ++i) binary[i] = static_cast<char>(i * 7);
  docker::TarWriter writer;
  writer.add({.name = "dir/", .mode = 0750, .mtime = 1700000000});
  writer.add({.name = "dir/program", .content = binary, .mode = 0755, .mtime = 1700000000});
  writer.add({.name = std::string(100, 'n'), .content = std::string(512, 'x'), .mode = 0444});
  writer.add({.name = "empty"});
  const std::string bytes = writer.finish();
  CHECK(bytes.size() % 512 == 0);

  const tests::TempDir dir;
  std::ofstream(dir.path() / "a.tar", std::ios::binary) << bytes;
  const std::string command =
      "cd '" + dir.path().string() + "' && tar --same-permissions -xf a.tar";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(content_of(dir.path() / "dir/program") == binary);
  CHECK(content_of(dir.path() / std::string(100, 'n')) == std::string(512, 'x'));
  struct ::stat status {};
  REQUIRE(::stat((dir.path() / "dir/program").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0755);
  CHECK(status.st_mtim.tv_sec == 1700000000);
  REQUIRE(::stat((dir.path() / "empty").c_str(), &status) == 0);
  CHECK(status.st_size == 0);
}

TEST_CASE("names that lead elsewhere are not packed") {
  docker::TarWriter writer;
  for (const char* name : {"", "/etc/passwd", "../x", "a/../../x", ".."})
    CHECK_THROWS_AS(writer.add({.name = name}), std::invalid_argument);
  CHECK_THROWS_AS(writer.add({.name = std::string(101, 'n')}), std::invalid_argument);
}

TEST_CASE("the first file comes out again, also behind directories, and from tar(1)") {
  docker::TarWriter writer;
  writer.add({.name = "d/"});
  writer.add({.name = "marker", .content = "0123456789ab"});
  const std::string bytes = writer.finish();
  CHECK(docker::first_file(bytes) == "0123456789ab");

  const tests::TempDir dir;
  std::ofstream(dir.path() / "marker") << "by tar";
  REQUIRE(std::system(("cd '" + dir.path().string() + "' && tar -cf a.tar marker").c_str()) == 0);
  CHECK(docker::first_file(content_of(dir.path() / "a.tar")) == "by tar");

  for (std::size_t cut = 0; cut < 1024 + 12; ++cut)
    CHECK_FALSE(docker::first_file(bytes.substr(0, cut)).has_value());
  std::string bent = bytes;
  bent[512 + 3] ^= 1;
  CHECK_FALSE(docker::first_file(bent).has_value());
  CHECK_FALSE(docker::first_file(docker::TarWriter().finish()).has_value());
}
