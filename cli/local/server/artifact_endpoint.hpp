#pragma once

#include "cli/local/server/artifact_store.hpp"
#include "cli/local/server/http_server.hpp"

namespace berth::local::server {

/// `/api/v4/jobs/:id/artifacts` as the runner's helper uses it (gitlab-runner,
/// network/gitlab.go): POST of a multipart upload with the job's token, GET of
/// the archive with the token of the job that left it. False when the path is
/// not one of these.
bool serve_artifacts(ArtifactStore& store, const Request& request, Exchange& exchange);

}  // namespace berth::local::server
