#include "redis_store.hpp"

#include <chrono>
#include <csignal>
#include <new>
#include <utility>

namespace quota_server {
namespace {

using namespace std::chrono_literals;

/// A server that is there answers in microseconds; one that is not must not hold every request up, so for a
/// moment after a failure it is not even asked.
constexpr timeval patience{1, 0};
constexpr auto silence = 200ms;

/// KEYS[1] begins every name; ARGV: "take" or "used", kind, length, amount, whether refused requests count,
/// now or "" for the server's time, and the names of the keys. Times are microseconds. A name goes in as its
/// SHA-1, so that nobody reads tokens in the store; all of them lie in the slot of KEYS[1]'s hash tag.
/// "used" answers with a number, "take" with whether it was admitted, the key that has room last, and how
/// long until then.
constexpr const char* script = R"lua(
local verb, kind, length, amount = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local count_refused, now = ARGV[5] == '1', tonumber(ARGV[6])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

-- How many requests count, when the window ends and when it began.
local function look(key)
  if kind == 'rolling' then
    local oldest = redis.call('LINDEX', key, 0)
    while oldest and now - oldest >= length do
      redis.call('LPOP', key)
      oldest = redis.call('LINDEX', key, 0)
    end
    return redis.call('LLEN', key), (oldest or now) + length
  end
  local window = redis.call('HMGET', key, 'opened', 'used')
  local opened, used = tonumber(window[1]), tonumber(window[2])
  local begin = kind == 'fixed' and now - now % length or now
  local over = not opened or (kind == 'fixed' and opened ~= begin) or now - opened >= length
  if over then opened, used = begin, 0 end
  return used, opened + length, opened
end

local function count(key)
  if kind == 'rolling' then
    redis.call('RPUSH', key, now)
    redis.call('LTRIM', key, -amount, -1)
  else
    local used, _, opened = look(key)
    redis.call('HSET', key, 'opened', opened, 'used', used + 1)
  end
  redis.call('PEXPIRE', key, math.ceil(length / 1000) + 1000)
end

local keys = {}
for i = 7, #ARGV do keys[#keys + 1] = KEYS[1] .. redis.sha1hex(ARGV[i]) end
if verb == 'used' then return (look(keys[1])) end

local last, free_at = 0, now
for i, key in ipairs(keys) do
  local used, ends = look(key)
  if used >= amount and (last == 0 or ends > free_at) then last, free_at = i, ends end
end
if last == 0 or count_refused then
  for _, key in ipairs(keys) do count(key) end
end
return {last == 0 and 1 or 0, last, free_at - now}
)lua";

const char* to_string(WindowKind kind) {
  switch (kind) {
    case WindowKind::rolling: return "rolling";
    case WindowKind::first_request: return "first-request";
    case WindowKind::fixed: break;
  }
  return "fixed";
}

std::string microseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

bool is_decision(const redisReply& reply, std::size_t keys) {
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 3) return false;
  const long long last = reply.element[1]->integer;
  return reply.element[0]->integer == 1 || (last >= 1 && last <= static_cast<long long>(keys));
}

}  // namespace

RedisStore::RedisStore(RedisAddress address, const Quota& quota, TimeOf time)
    : address_(std::move(address)), quota_(quota), time_(time) {
  std::signal(SIGPIPE, SIG_IGN);
}

Decision RedisStore::take(const std::vector<Key>& keys, Time now) {
  const Reply reply = ask("take", keys, now);
  if (!is_decision(*reply, keys.size())) fail("its answer makes no sense", now);
  if (reply->element[0]->integer == 1) return {.admitted = true};
  const auto last = static_cast<std::size_t>(reply->element[1]->integer - 1);
  return {false, keys[last].scope, now + std::chrono::microseconds(reply->element[2]->integer)};
}

std::size_t RedisStore::used(const Key& key, Time now) {
  const Reply reply = ask("used", {key}, now);
  if (reply->type != REDIS_REPLY_INTEGER) fail("its answer makes no sense", now);
  return static_cast<std::size_t>(reply->integer);
}

RedisStore::Reply RedisStore::ask(const char* verb, const std::vector<Key>& keys, Time now) {
  if (now < silent_until_) throw StoreUnavailable(failure_);
  const std::string length = microseconds(quota_.window);
  const std::string kind = to_string(quota_.kind);
  // Servers with other windows may share the store; the braces keep the keys of one together in a cluster.
  std::vector<std::string> words{"EVAL",
                                 script,
                                 "1",
                                 "quota_server:{" + kind + ":" + length + "}:",
                                 verb,
                                 kind,
                                 length,
                                 std::to_string(quota_.amount),
                                 quota_.count_refused ? "1" : "0",
                                 time_ == TimeOf::caller ? microseconds(now.time_since_epoch()) : ""};
  for (const Key& key : keys)
    words.push_back(std::string(quota_server::to_string(key.scope)) + ":" + key.name);
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  if (!connection_) connect();
  if (connection_->err != 0) fail(connection_->errstr, now);
  Reply reply(static_cast<redisReply*>(redisCommandArgv(connection_.get(), static_cast<int>(words.size()),
                                                        texts.data(), sizes.data())),
              freeReplyObject);
  if (!reply) fail(connection_->errstr, now);
  if (reply->type == REDIS_REPLY_ERROR) fail(std::string(reply->str, reply->len), now);
  return reply;
}

void RedisStore::connect() {
  connection_.reset(redisConnectWithTimeout(address_.host.c_str(), address_.port, patience));
  if (!connection_) throw std::bad_alloc();
  if (connection_->err != 0) return;
  redisSetTimeout(connection_.get(), patience);
  if (address_.database != 0) {
    const Reply reply(
        static_cast<redisReply*>(redisCommand(connection_.get(), "SELECT %d", address_.database)),
        freeReplyObject);
    if (reply && reply->type == REDIS_REPLY_ERROR) throw StoreUnavailable(reply->str);
  }
}

void RedisStore::fail(const std::string& reason, Time now) {
  failure_ = "the store of the counts, " + to_text(address_) + ", cannot be asked: " + reason;
  connection_.reset();
  silent_until_ = now + silence;
  throw StoreUnavailable(failure_);
}

}  // namespace quota_server
