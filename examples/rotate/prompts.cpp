#include "prompts.hpp"

#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace rotate {

std::vector<std::string> read_prompts(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error("--prompts: " + path + " cannot be read: check the path and its rights");
  }
  std::vector<std::string> prompts;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    const nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object() || !entry.contains("prompt") || !entry["prompt"].is_string()) {
      throw std::runtime_error("--prompts: line " + std::to_string(number) + " of " + path +
                               " is not a JSON object with a text \"prompt\": mend or remove it");
    }
    prompts.push_back(entry["prompt"]);
  }
  if (prompts.empty()) {
    throw std::runtime_error("--prompts: " + path +
                             " has no prompt: give at least one line {\"prompt\": \"...\"}");
  }
  return prompts;
}

}  // namespace rotate
