#pragma once
// What a person asks the planner.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "counter.hpp"
#include "time.hpp"
#include "tokenpool/quota/limit.hpp"

namespace plan {

struct Options {
  std::vector<tokenpool::Limit> limits{};
  simulator::WindowKind window_kind = simulator::WindowKind::rolling;
  std::size_t tokens = 5;
  std::size_t egresses = 1;
  double calls_per_second = 0;
  std::vector<std::string> policies{};
  bool limits_known = true;
  simulator::Length answers_within{};
  simulator::Length max_wait{};
  simulator::Length length{};
  std::uint64_t seed = 1;
  std::string svg{};  ///< file for the chart
};

/// What the command line asks for: a simulation, or the end with this exit code.
struct CommandLine {
  std::optional<Options> options{};
  int exit_code = 0;
};

/// Prints help or one sentence about the mistake.
CommandLine read_command_line(int count, const char* const* words);

}  // namespace plan
