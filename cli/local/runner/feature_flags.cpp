#include "cli/local/runner/feature_flags.hpp"

namespace berth::local::runner {
namespace {

constexpr bool k_on = true;
constexpr bool k_off = false;
constexpr bool k_not_simulated = false;

constexpr FeatureFlag k_flags[] = {
    {"FF_NETWORK_PER_BUILD", k_off},
    {"FF_USE_LEGACY_KUBERNETES_EXECUTION_STRATEGY", k_off},
    {"FF_USE_DIRECT_DOWNLOAD", k_on},
    {"FF_USE_FASTZIP", k_on},
    {"FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR", k_off},
    {"FF_ENABLE_BASH_EXIT_CODE_CHECK", k_off},
    {"FF_USE_WINDOWS_LEGACY_PROCESS_STRATEGY", k_off},
    {"FF_USE_LEGACY_BASH_EVAL", k_off},
    {"FF_USE_POWERSHELL_PATH_RESOLVER", k_off},
    {"FF_USE_DYNAMIC_TRACE_FORCE_SEND_INTERVAL", k_off},
    {"FF_SCRIPT_SECTIONS", k_off},
    {"FF_ENABLE_JOB_CLEANUP", k_off},
    {"FF_KUBERNETES_HONOR_ENTRYPOINT", k_off},
    {"FF_POSIXLY_CORRECT_ESCAPES", k_off},
    {"FF_RESOLVE_FULL_TLS_CHAIN", k_off},
    {"FF_DISABLE_POWERSHELL_STDIN", k_off},
    {"FF_USE_POD_ACTIVE_DEADLINE_SECONDS", k_on},
    {"FF_USE_ADVANCED_POD_SPEC_CONFIGURATION", k_off},
    {"FF_SECRET_RESOLVING_FAILS_IF_MISSING", k_on},
    {"FF_PRINT_POD_EVENTS", k_off},
    {"FF_USE_GIT_BUNDLE_URIS", k_on},
    {"FF_USE_GIT_NATIVE_CLONE", k_off, k_not_simulated},
    {"FF_USE_DUMB_INIT_WITH_KUBERNETES_EXECUTOR", k_off},
    {"FF_USE_INIT_WITH_DOCKER_EXECUTOR", k_off},
    {"FF_LOG_IMAGES_CONFIGURED_FOR_JOB", k_off},
    {"FF_USE_DOCKER_AUTOSCALER_DIAL_STDIO", k_on},
    {"FF_CLEAN_UP_FAILED_CACHE_EXTRACT", k_off},
    {"FF_USE_WINDOWS_JOB_OBJECT", k_off},
    {"FF_TIMESTAMPS", k_on},
    {"FF_DISABLE_AUTOMATIC_TOKEN_ROTATION", k_off},
    {"FF_USE_LEGACY_GCS_CACHE_ADAPTER", k_off},
    {"FF_DISABLE_UMASK_FOR_KUBERNETES_EXECUTOR", k_off},
    {"FF_USE_LEGACY_S3_CACHE_ADAPTER", k_off},
    {"FF_GIT_URLS_WITHOUT_TOKENS", k_off},
    {"FF_WAIT_FOR_POD_TO_BE_REACHABLE", k_off},
    {"FF_MASK_ALL_DEFAULT_TOKENS", k_on},
    {"FF_EXPORT_HIGH_CARDINALITY_METRICS", k_off},
    {"FF_USE_FLEETING_ACQUIRE_HEARTBEATS", k_off},
    {"FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY", k_on},
    {"FF_USE_ADAPTIVE_REQUEST_CONCURRENCY", k_on},
    {"FF_USE_GITALY_CORRELATION_ID", k_on},
    {"FF_USE_GIT_PROACTIVE_AUTH", k_off, k_not_simulated},
    {"FF_HASH_CACHE_KEYS", k_off},
    {"FF_ENABLE_JOB_INPUTS_INTERPOLATION", k_on},
    {"FF_USE_JOB_ROUTER", k_off},
    {"FF_SCRIPT_TO_STEP_MIGRATION", k_off, k_not_simulated},
    {"FF_USE_PARALLEL_CACHE_TRANSFER", k_off},
    {"FF_USE_PARALLEL_ARTIFACT_TRANSFER", k_off},
    {"FF_CONCRETE", k_off, k_not_simulated},
    {"FF_SUSPENDABLE_ENVIRONMENTS", k_off, k_not_simulated},
    {"FF_USE_NATIVE_CONTAINER_STOP", k_off},
};

}  // namespace

std::span<const FeatureFlag> feature_flags() {
  return k_flags;
}

}  // namespace berth::local::runner
