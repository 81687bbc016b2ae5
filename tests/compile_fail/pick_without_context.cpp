#include "tokenpool/pool/pool.hpp"

struct PicksBlindly {
  std::size_t pick(const tokenpool::Candidates&) { return 0; }
};

#ifdef WITH_FAULT
using Pool = tokenpool::TokenPool<PicksBlindly>;
#endif
