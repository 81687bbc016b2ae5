#pragma once
// Bare hiredis, as what a lease from a Redis server is measured against.

#include <hiredis/hiredis.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace benchmarks {

/// A step is one command and its answer, on a connection of its own.
inline std::function<void()> bare_redis(int port, std::vector<std::string> words) {
  const std::shared_ptr<redisContext> connection(redisConnect("127.0.0.1", port), redisFree);
  if (words[0] == "EVAL") {  // loaded once, then called by its hash
    auto* loaded =
        static_cast<redisReply*>(redisCommand(connection.get(), "SCRIPT LOAD %s", words[1].c_str()));
    words = {"EVALSHA", loaded->str, "0"};
    freeReplyObject(loaded);
  }
  return [connection, words] {
    std::vector<const char*> texts;
    for (const std::string& word : words) texts.push_back(word.c_str());
    freeReplyObject(
        redisCommandArgv(connection.get(), static_cast<int>(texts.size()), texts.data(), nullptr));
  };
}

}  // namespace benchmarks
