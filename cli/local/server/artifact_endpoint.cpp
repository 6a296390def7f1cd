#include "cli/local/server/artifact_endpoint.hpp"

#include "cli/local/server/multipart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fstream>
#include <stdexcept>

namespace berth::local::server {
namespace {

constexpr std::size_t k_piece = 65536;

std::optional<std::int64_t> job_of(std::string_view path) {
  constexpr std::string_view prefix = "/api/v4/jobs/";
  constexpr std::string_view suffix = "/artifacts";
  if (!path.starts_with(prefix) || !path.ends_with(suffix)) return std::nullopt;
  path = path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), id);
  if (error != std::errc() || end != path.data() + path.size()) return std::nullopt;
  return id;
}

void reply_json(Exchange& exchange, unsigned status, std::string_view message) {
  exchange.reply(status, {{"Content-Type", "application/json"}},
                 fmt::format("{{\"message\":\"{}\"}}\n", message));
}

/// Words as GitLab's artifact types are: they become file names.
bool is_type(std::string_view type) {
  return !type.empty() && std::ranges::all_of(type, [](unsigned char c) {
    return std::islower(c) != 0 || c == '_';
  });
}

void upload(ArtifactStore& store, std::int64_t id, const Request& request, Exchange& exchange) {
  std::string type = request.parameter("artifact_type");
  if (type.empty()) type = "archive";
  if (!is_type(type)) return reply_json(exchange, 400, "artifact_type does not have a valid value");
  const std::filesystem::path path = store.begin_upload(id, type);
  std::ofstream file(path, std::ios::binary);
  std::string name;
  try {
    MultipartFile multipart(request.header("content-type"), [&file](std::string_view bytes) {
      file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    });
    std::array<char, k_piece> buffer{};
    while (const std::size_t got = exchange.read(buffer)) multipart.feed({buffer.data(), got});
    multipart.finish();
    file.close();
    if (!file) throw std::runtime_error("the disk of this machine took no more");
    name = multipart.filename();
  } catch (const std::exception& error) {
    std::filesystem::remove(path);
    return reply_json(exchange, 400, error.what());
  }
  store.commit(id, type, name.empty() ? type : name, path);
  reply_json(exchange, 201, "201 Created");
}

void download(const ArtifactStore& store, std::int64_t id, Exchange& exchange) {
  const auto archive = store.find(id, "archive");
  std::ifstream file;
  if (archive) file.open(archive->path, std::ios::binary);
  if (!archive || !file) return reply_json(exchange, 404, "404 Not found");
  exchange.begin(
      200, {{"Content-Type", "application/octet-stream"},
            {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", archive->name)}});
  std::array<char, k_piece> buffer{};
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
    exchange.write({buffer.data(), static_cast<std::size_t>(file.gcount())});
  }
  exchange.end();
}

}  // namespace

bool serve_artifacts(ArtifactStore& store, const Request& request, Exchange& exchange) {
  const auto id = job_of(request.path);
  if (!id) return false;
  if (!store.token_opens(*id, request.header("job-token"))) {
    reply_json(exchange, 403, "403 Forbidden");
  } else if (request.method == "POST") {
    upload(store, *id, request, exchange);
  } else if (request.method == "GET") {
    download(store, *id, exchange);
  } else {
    reply_json(exchange, 405, "405 Not Allowed");
  }
  return true;
}

}  // namespace berth::local::server
