#pragma once

#include "executor/core/upkeep.hpp"

#include <string>
#include <vector>

/// How `berth doctor` tells what it has found. Pure.
namespace berth::cli {

/// A line for each finding, `ok`, `warning`, `FAILED` or `skipped` first; its remedy
/// below it; a closing line.
std::string doctor_text(const std::vector<core::Finding>& findings, bool color);

/// {"ok": bool, "findings": [{"check", "status", "text", "remedy"}]}; status is ok,
/// warning, failed or skipped.
std::string doctor_json(const std::vector<core::Finding>& findings);

/// 1 where something failed, else 0.
int doctor_exit_code(const std::vector<core::Finding>& findings);

}  // namespace berth::cli
