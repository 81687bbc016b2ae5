// Sends the prompts of a file over a pool of tokens and writes the answers, in order and resumable.

#include <exception>
#include <iostream>

#include "run.hpp"
#include "settings.hpp"

int main(int count, char** words) {
  const rotate::CommandLine command_line = rotate::read_command_line(count, words);
  if (!command_line.settings) {
    return command_line.exit_code;
  }
  try {
    return static_cast<int>(rotate::run(*command_line.settings));
  } catch (const std::exception& mistake) {
    std::cerr << "rotate: " << mistake.what() << '\n';
    return 2;
  }
}
