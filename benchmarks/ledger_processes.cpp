// Leases from a shared ledger as processes join: 1 to 16 of them, each with a connection of its own, beside
// bare transactions of SQLite and bare trips to Redis by as many.   ledger_processes_benchmark [SECONDS
// ROUNDS]

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bare.hpp"
#include "ledger_work.hpp"
#include "on_threads.hpp"
#include "redis_work.hpp"
#include "rounds.hpp"
#include "sqlite_work.hpp"
#include "support/redis_server.hpp"
#include "tokenpool/ledger/redis.hpp"

namespace {

using namespace benchmarks;
using Clock = std::chrono::steady_clock;

double seconds = 0.5;

/// The two ends of a pipe.
struct Pipe {
  Pipe() {
    int both[2];
    need(pipe(both) == 0, "no pipe");
    output = both[0];
    input = both[1];
  }

  int output = -1;
  int input = -1;
};

/// What a process does: a first step, then as many as it can from the moment at which nobody holds `start`
/// open. It tells `told` of the first, and in the end how many it took a second.
[[noreturn]] void work(const MakeStep& make_step, const Pipe& start, const Pipe& told) {
  close(start.input);
  const std::function<void()> step = make_step();
  step();
  double rate = 0;
  bool well = write(told.input, &rate, sizeof rate) == sizeof rate && read(start.output, &rate, 1) == 0;
  const auto began = Clock::now();
  const auto end =
      began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::uint64_t steps = 0;
  for (; Clock::now() < end; ++steps) {
    step();
  }
  rate = static_cast<double>(steps) / std::chrono::duration<double>(Clock::now() - began).count();
  well = well && write(told.input, &rate, sizeof rate) == sizeof rate;
  _exit(well ? 0 : 1);
}

/// Steps a second of all processes together.
double rate(int processes, const MakeStep& make_step) {
  const Pipe start;
  const Pipe told;
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      work(make_step, start, told);
    }
    children.push_back(child);
  }
  close(start.output);
  close(told.input);
  double one = 0;
  double all = 0;
  for (int i = 0; i < processes; ++i) {
    need(read(told.output, &one, sizeof one) == sizeof one, "a process failed");
  }
  close(start.input);
  while (read(told.output, &one, sizeof one) == sizeof one) {
    all += one;
  }
  close(told.output);
  for (const pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    need(status == 0, "a process failed");
  }
  return all;
}

}  // namespace

int main(int count, char** words) {
  if (count > 1) {
    seconds = std::stod(words[1]);
  }
  const std::size_t rounds = count > 2 ? std::stoul(words[2]) : 5;
  std::string folder = std::filesystem::temp_directory_path().string() + "/ledger-XXXXXX";
  need(mkdtemp(folder.data()) != nullptr, "no folder");
  const test::RedisServer server;
  std::vector<Case> cases;
  for (const int processes : {1, 2, 4, 8, 16}) {
    const std::string path = folder + "/" + std::to_string(processes);
    const auto add = [&](const std::string& name, MakeStep make_step) {
      cases.push_back({name + " " + std::to_string(processes),
                       [processes, make_step = std::move(make_step)] { return rate(processes, make_step); }});
    };
    add("SQLite bare", [path] { return bare_sqlite(path + "-bare.db", false); });
    add("SQLite lease", [path] { return leases(ledger_of(path + ".db"), 2); });
    add("Redis bare", [&server] { return bare_redis(server.port(), {"PING"}); });
    add("Redis lease", [&server] {
      return leases(std::make_shared<tokenpool::RedisLedger>(tokenpool::RedisOptions{.port = server.port()}),
                    2);
    });
  }
  const Rounds measured(std::move(cases), rounds);
  measured.print(0);
  measured.keep("ledger_processes");
  std::filesystem::remove_all(folder);
}
