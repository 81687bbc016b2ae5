#include "options.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace shared_counts {

CommandLine read_command_line(int count, char** words) {
  Options options;
  CLI::App app(
      "Sends as much as a limit allows, and shares its counts with every other process that is given the "
      "same "
      "file, or the same Redis server.");
  const std::map<std::string, std::int64_t> units{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  std::int64_t window = options.window.count();
  std::int64_t length = options.length.count();
  app.add_option("--url", options.url, "base URL of the service")->capture_default_str();
  app.add_option("--tokens", options.tokens, "joined by commas")->envname("TOKENS")->capture_default_str();
  app.add_option("--counts", options.counts, "where counts are shared: a file, or redis://HOST:PORT")
      ->capture_default_str();
  app.add_option("--limit", options.limit, "requests per token and window")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--window", window, "the window, such as 10s")
      ->transform(CLI::AsNumberWithUnit(units))
      ->default_str("10s");
  app.add_option("--for", length, "how long to send, such as 30s")
      ->transform(CLI::AsNumberWithUnit(units))
      ->default_str("30s");
  app.add_option("--threads", options.threads, "calls at the same time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--wait-window", options.fresh_wait,
               "after the counts were emptied wait until all that dead processes may have spent has expired");
  app.add_option(
      "--alone-of", options.alone_of,
      "when the counts are out of reach go on within 1/N of the limits, N being the number of processes");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& end) {
    return {.exit_code = app.exit(end)};
  }
  options.window = std::chrono::milliseconds(window);
  options.length = std::chrono::milliseconds(length);
  return {.options = options};
}

}  // namespace shared_counts
