#pragma once
// The sans-I/O part: pool, policies, limits, verdicts and the attempt machine. Needs neither libcurl nor a
// JSON library.

#include "tokenpool/fwd.hpp"
#include "tokenpool/http/answer.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/http/sse.hpp"
#include "tokenpool/policy/policies.hpp"
#include "tokenpool/pool/pool.hpp"
#include "tokenpool/quota/attempt.hpp"
#include "tokenpool/quota/hint.hpp"
#include "tokenpool/retry/attempts.hpp"
#include "tokenpool/retry/classify.hpp"
#include "tokenpool/version.hpp"
