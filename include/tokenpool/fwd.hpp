#pragma once
// The names of the library, declared.

#include "tokenpool/base/error.hpp"

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
