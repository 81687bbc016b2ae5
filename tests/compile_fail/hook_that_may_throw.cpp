#include "tokenpool/pool/pool.hpp"

struct Careless {
  std::size_t pick(const tokenpool::Candidates&, tokenpool::PickContext&) { return 0; }
#ifdef WITH_FAULT
  void on_granted(const tokenpool::Candidate&) {}
#endif
};

void use(tokenpool::TokenPool<Careless>& pool) { pool.tick({}); }
tokenpool::TokenPool<Careless>* make() { return new tokenpool::TokenPool<Careless>({}); }
