#pragma once
// The names of the library, declared.

#include "tokenpool/base/error.hpp"

/// HTTP requests with a pool of API tokens: Client sends them, TokenPool says which token may be used now.
namespace tokenpool {

class CancelSource;
class CancelToken;
class Headers;
class Lease;
class Ledger;
class RandomSource;
class Secret;
class Window;
struct Answer;
struct Classification;
struct ClientOptions;
struct Egress;
struct Limit;
struct Now;
struct PoolSnapshot;
struct Request;
struct RequestOptions;
struct Token;
template <class T>
class Result;

}  // namespace tokenpool
