#include "tests/support/git_server/git_server.hpp"

#include "cli/local/runner/child.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

namespace berth::tests {
namespace {

/// What `git http-backend` writes: headers, an empty line, the body.
ServerReply parse_cgi(std::string_view text) {
  ServerReply reply;
  for (;;) {
    const auto end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    const auto colon = line.find(": ");
    const std::string name(line.substr(0, colon));
    const std::string value(line.substr(std::min(colon + 2, line.size())));
    if (name == "Status") {
      reply.status = std::atoi(value.c_str());
    } else {
      reply.headers.emplace_back(name, value);
    }
  }
  reply.body = text;
  return reply;
}

}  // namespace

GitServer::GitServer(const Authority& authority, const std::filesystem::path& root,
                     std::string token, const std::string& listen, const std::string& names)
    : m_root(root),
      m_authorization("Basic " + support::base64_encode("gitlab-ci-token:" + token)),
      m_server(
          {.address = listen, .tls = HttpServer::Tls{.certificate = authority.server(names)}}) {
  for (const char* method : {"GET", "POST"}) {
    m_server.on(method, "/*", [this](const ServerRequest& request) { return answer(request); });
  }
}

std::uint16_t GitServer::port() const {
  const std::string url = m_server.url();
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

std::size_t GitServer::served(const std::string& repository) const {
  const auto requests = m_server.requests();
  return static_cast<std::size_t>(std::ranges::count_if(requests, [&](const ServerRequest& one) {
    return one.target.starts_with("/" + repository + "/") &&
           one.header("Authorization") == m_authorization;
  }));
}

ServerReply GitServer::answer(const ServerRequest& request) const {
  if (request.header("Authorization") != m_authorization) {
    return {.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"GitLab\""}}};
  }
  const support::Fd body(::memfd_create("body", MFD_CLOEXEC));
  support::write_all(body.get(), request.body, "the request's body");
  ::lseek(body.get(), 0, SEEK_SET);
  const auto question = std::min(request.target.find('?'), request.target.size());
  const auto query = std::min(question + 1, request.target.size());
  const auto output = local::runner::try_for_output(
      {.arguments = {"git", "http-backend"},
       .environment = {fmt::format("PATH={}", std::getenv("PATH")), "GIT_CONFIG_NOSYSTEM=1",
                       "GIT_HTTP_EXPORT_ALL=1", "GIT_PROJECT_ROOT=" + m_root.string(),
                       "PATH_INFO=" + request.target.substr(0, question),
                       "QUERY_STRING=" + request.target.substr(query),
                       "REQUEST_METHOD=" + request.method,
                       "CONTENT_TYPE=" + request.header("Content-Type"),
                       "CONTENT_LENGTH=" + std::to_string(request.body.size()),
                       "HTTP_CONTENT_ENCODING=" + request.header("Content-Encoding"),
                       "GIT_PROTOCOL=" + request.header("Git-Protocol")},
       .directory = m_root,
       .input = body.get()});
  return output ? parse_cgi(*output) : ServerReply{.status = 500};
}

std::string shell(const std::filesystem::path& directory, const std::string& command) {
  return local::runner::run_for_output(
      {.arguments = {"bash", "-ec", command},
       .environment = {fmt::format("PATH={}", std::getenv("PATH")), "HOME=" + directory.string(),
                       "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example",
                       "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example"},
       .directory = directory});
}

std::string make_nested_projects(const std::filesystem::path& root, const std::string& base) {
  // Submodules by their entries alone: `git submodule add` would clone them.
  shell(root, fmt::format(R"(
make() {{
  git init -q -b main $1.git
  cd $1.git
  printf '%s\n' $1 > $1
  if [ -n "$2" ]; then
    git config -f .gitmodules submodule.$2.path $2
    git config -f .gitmodules submodule.$2.url $3
    git update-index --add --cacheinfo 160000,$(git -C ../$2.git rev-parse HEAD),$2
    git add .gitmodules
  fi
  git add $1
  git commit -q -m $1
  cd ..
}}
mkdir group
cd group
make deep
make lib deep ../deep.git
make app lib {}/group/lib.git
)",
                          base));
  return shell(root, "git -C group/app.git rev-parse HEAD").substr(0, 40);
}

}  // namespace berth::tests
