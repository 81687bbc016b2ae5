#include "tokenpool/pool/pool.hpp"

struct Chooses {
  std::size_t choose(const tokenpool::Candidates&, tokenpool::PickContext&) { return 0; }
};

#ifdef WITH_FAULT
using Pool = tokenpool::TokenPool<Chooses>;
#endif
