#include "run.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tokenpool/tokenpool.hpp>

#include "answer_book.hpp"
#include "board.hpp"
#include "child_process.hpp"
#include "interruption.hpp"
#include "prompts.hpp"

namespace rotate {

namespace {

using Client = tokenpool::Client<tokenpool::AnyPolicy>;

/// The server of the demo, with the tokens that it knows.
class DemoServer {
 public:
  explicit DemoServer(const Settings& settings) : process_(command(settings, tokens(settings.tokens))) {
    const std::string greeting = "listening on ";
    const std::string line = process_.read_line();
    if (line.rfind(greeting, 0) != 0) {
      throw std::runtime_error("the demo server did not start: see its message above");
    }
    base_url_ = line.substr(greeting.size()) + "/v1";
  }

  const std::string& base_url() const { return base_url_; }

  static std::string tokens(std::size_t count) {
    std::string list;
    for (std::size_t i = 1; i <= count; ++i) {
      list.append(list.empty() ? "" : ",").append("sk-demo-").append(std::to_string(1000 + i));
    }
    return list;
  }

 private:
  static std::vector<std::string> command(const Settings& settings, std::string tokens) {
    std::vector<std::string> words{
        QUOTA_SERVER,    "--exit-with-parent", "--tokens",      std::move(tokens),
        "--rule",        settings.rule,        "--limit",       std::to_string(settings.limit),
        "--window",      settings.window,      "--window-kind", settings.window_kind,
        "--retry-after", settings.retry_after};
    for (const std::string& kill : settings.kill) {
      words.insert(words.end(), {"--kill", kill});
    }
    if (!settings.server_log.empty()) {
      words.insert(words.end(), {"--log", settings.server_log});
    }
    return words;
  }

  support::ChildProcess process_;
  std::string base_url_;
};

/// All that the worker threads share.
class Run {
 public:
  Run(const Settings& settings, const std::vector<std::string>& prompts, AnswerBook& book,
      std::vector<std::size_t> places)
      : settings_(settings), prompts_(prompts), book_(book), places_(std::move(places)) {
    if (settings.demo()) {
      server_.emplace(settings);
    }
    client_ = std::make_unique<Client>(options(), tokenpool::AnyPolicy(settings.policy));
  }

  Ending go() {
    const Interruption interruption(cancel_);
    std::vector<std::thread> workers;
    running_ = std::min(settings_.threads, places_.size());
    for (std::size_t i = 0; i < running_; ++i) {
      workers.emplace_back([this] { work(); });
    }
    watch();
    for (std::thread& worker : workers) {
      worker.join();
    }
    book_.close();
    report(interruption.happened());
    if (interruption.happened()) {
      return Ending::interrupted;
    }
    return book_.missing().empty() ? Ending::complete : Ending::incomplete;
  }

 private:
  tokenpool::ClientOptions options() {
    tokenpool::ClientOptions options;
    options.base_url = server_ ? server_->base_url() : settings_.base_url;
    options.tokens = server_ ? tokenpool::parse_tokens(DemoServer::tokens(settings_.tokens))
                             : tokenpool::tokens_from_env(settings_.tokens_env);
    options.limits = settings_.limits;
    options.retry.max_wait = settings_.max_wait;
    options.observer.on_retry = [this](const tokenpool::RetryEvent&) { ++retries_; };
    options.observer.on_ejected = [this](const tokenpool::EjectedEvent& event) {
      say("token " + event.token_id + " is out of the pool: " + event.reason);
    };
    options.observer.on_shared_limit = [this](const tokenpool::SharedLimitEvent& event) {
      say("several tokens were refused alike: the limit belongs to the " +
          std::string(to_string(event.scope)) + " " + event.scope_id);
    };
    return options;
  }

  void work() {
    for (std::size_t next = next_++; next < places_.size() && !cancel_.cancelled(); next = next_++) {
      try {
        ask(places_[next]);
      } catch (const std::exception& trouble) {
        stop(trouble.what());
      }
    }
    const std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();
  }

  void ask(std::size_t place) {
    const nlohmann::json body{{"model", settings_.model},
                              {"messages", {{{"role", "user"}, {"content", prompts_[place]}}}}};
    const auto result = client_->try_send(
        {.method = "POST", .path = "/chat/completions", .body = body.dump(), .cancel = cancel_.token()});
    if (!result) {
      return fail(place, result.error());
    }
    const nlohmann::json answer = nlohmann::json::parse(result->body, nullptr, false);
    const nlohmann::json::json_pointer content("/choices/0/message/content");
    if (!result->ok() || answer.is_discarded() || !answer.contains(content) ||
        !answer.at(content).is_string()) {
      ++failed_;
      return say("prompt " + std::to_string(place + 1) + ": the server answered " +
                 std::to_string(result->status) + " without a chat message");
    }
    book_.add(place, answer.at(content), result->token_id);
    ++done_;
  }

  /// Nothing left to send with ends the run; the trouble of one prompt only ends that one.
  void fail(std::size_t place, const tokenpool::Error& error) {
    using tokenpool::ErrorCode;
    if (error.code() == ErrorCode::cancelled) {
      return;
    }
    if (error.code() == ErrorCode::exhausted || error.code() == ErrorCode::no_tokens ||
        error.code() == ErrorCode::http_status) {
      return stop(error.what());
    }
    ++failed_;
    say("prompt " + std::to_string(place + 1) + ": " + error.what());
  }

  void stop(const std::string& reason) {
    {
      const std::lock_guard lock(mutex_);
      if (reason_.empty()) {
        reason_ = reason;
      }
    }
    cancel_.cancel();
  }

  /// Shows the progress until the last worker is done.
  void watch() {
    std::unique_lock lock(mutex_);
    while (running_ != 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(terminal_ ? 100 : 1000),
                        [this] { return running_ == 0; });
      draw();
    }
  }

  Progress progress() const {
    return {done_, places_.size(), retries_, failed_, std::chrono::steady_clock::now() - started_};
  }

  void draw() {
    const std::string line = progress_line(progress(), client_->stats());
    if (terminal_) {
      std::cerr << "\r\x1b[K" << line << std::flush;
    } else {
      std::cerr << line << '\n';
    }
  }

  void say(const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    std::cerr << (terminal_ ? "\r\x1b[K" : "") << sentence << '\n';
  }

  void report(bool interrupted) {
    const std::size_t answered = prompts_.size() - book_.missing().size();
    std::cerr << (terminal_ ? "\n" : "");
    std::cout << '\n' << final_table(client_->stats()) << '\n';
    if (!reason_.empty()) {
      std::cout << "stopped: " << reason_ << '\n';
    } else if (interrupted) {
      std::cout << "interrupted: what was answered is kept\n";
    }
    std::cout << answered << " of " << prompts_.size() << " prompts answered, in " << settings_.output
              << '\n';
    if (answered != prompts_.size()) {
      std::cout << "Run it again to go on with the rest.\n";
    }
    std::cout << std::flush;
  }

  const Settings& settings_;
  const std::vector<std::string>& prompts_;
  AnswerBook& book_;
  std::vector<std::size_t> places_;
  std::optional<DemoServer> server_;
  tokenpool::CancelSource cancel_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;

  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> done_{0};
  std::atomic<std::size_t> retries_{0};
  std::atomic<std::size_t> failed_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;
  std::string reason_;
  std::unique_ptr<Client> client_;  // last: its callbacks use the members above
};

}  // namespace

Ending run(const Settings& settings) {
  const std::vector<std::string> prompts = read_prompts(settings.prompts);
  AnswerBook book(settings.output, prompts);
  if (book.missing().empty() && settings.demo()) {
    std::cerr << "all prompts are answered in " << settings.output << ": the demo begins again\n";
    book.clear();
  }
  std::vector<std::size_t> places = book.missing();
  if (places.empty()) {
    std::cout << "all " << prompts.size() << " prompts are answered in " << settings.output << '\n';
    return Ending::complete;
  }
  if (places.size() != prompts.size()) {
    std::cerr << prompts.size() - places.size() << " prompts are answered already; going on with the rest\n";
  }
  return Run(settings, prompts, book, std::move(places)).go();
}

}  // namespace rotate
