#pragma once

// The questions.

#include <string>
#include <vector>

namespace rotate {

/// Reads a JSONL file, each line an object with a text "prompt"; empty lines are skipped. Throws
/// std::runtime_error with one sentence that names the file, the line and the remedy.
std::vector<std::string> read_prompts(const std::string& path);

}  // namespace rotate
