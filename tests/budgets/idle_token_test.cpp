// What a token takes while nothing happens to it: pools of a million are made of that.

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <new>
#include <string>
#include <string_view>

#include "catch_compat.hpp"
#include "tokenpool/policy/round_robin.hpp"
#include "tokenpool/pool/pool.hpp"

namespace {

std::size_t bytes_in_use = 0;

}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = std::malloc(size)) {
    bytes_in_use += malloc_usable_size(memory);
    return memory;
  }
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  bytes_in_use -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

TEST_CASE("an idle token of 100 000 takes at most 400 bytes with its id and secret") {
  constexpr std::size_t count = 100'000;
  tokenpool::PoolOptions options;
  options.tokens.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    options.tokens[i].secret = std::string_view("sk-" + std::string(45 - number.size(), 'x') + number);
  }
  const std::size_t before = bytes_in_use;
  const tokenpool::TokenPool<tokenpool::RoundRobin> pool(options);
  const std::size_t taken = (bytes_in_use - before) / count;
  std::cout << "an idle token takes " << taken << " bytes, of them its slot "
            << sizeof(tokenpool::detail::Slot) << '\n';
  CHECK(taken > 48);
  CHECK(taken <= 400);
  CHECK(sizeof(tokenpool::detail::Slot) <= 128);
}
