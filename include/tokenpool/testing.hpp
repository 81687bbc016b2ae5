#pragma once
// For those who test what they built on tokenpool: the means by which it is tested itself.

#include "tokenpool/testing/ledger_suite.hpp"
#include "tokenpool/testing/manual_clock.hpp"
#include "tokenpool/testing/memory_ledger.hpp"
#include "tokenpool/testing/policy_suite.hpp"
#include "tokenpool/testing/scripted_random.hpp"
#include "tokenpool/testing/scripted_transport.hpp"
#include "tokenpool/testing/wrong_ledgers.hpp"
