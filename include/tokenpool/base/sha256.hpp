#pragma once
// SHA-256 (FIPS 180-4), for one purpose: an id for a token that tells nothing of its secret and is the same
// in every process. Here, because the core has no crypto library to lean on; tested with the standard's
// vectors.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tokenpool {

namespace detail {

inline constexpr std::array<std::uint32_t, 64> sha256_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using Sha256State = std::array<std::uint32_t, 8>;

inline std::array<std::uint32_t, 64> sha256_schedule(const unsigned char* block) noexcept {
  std::array<std::uint32_t, 64> words{};
  for (std::size_t i = 0; i < 16; ++i) {
    words[i] = std::uint32_t{block[4 * i]} << 24U | std::uint32_t{block[4 * i + 1]} << 16U |
               std::uint32_t{block[4 * i + 2]} << 8U | std::uint32_t{block[4 * i + 3]};
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t a = words[i - 15];
    const std::uint32_t b = words[i - 2];
    words[i] = words[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3U)) + words[i - 7] +
               (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10U));
  }
  return words;
}

inline void sha256_block(Sha256State& state, const unsigned char* block) noexcept {
  const auto words = sha256_schedule(block);
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t first = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                ((e & f) ^ (~e & g)) + sha256_constants[i] + words[i];
    const std::uint32_t second =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
  }
  const Sha256State mixed = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) {
    state[i] += mixed[i];
  }
}

/// The last bytes, under one block of them, with the padding and the length in bits.
inline void sha256_tail(Sha256State& state, std::string_view rest, std::uint64_t bit_count) noexcept {
  std::array<unsigned char, 128> padded{};
  std::copy(rest.begin(), rest.end(), padded.begin());
  padded[rest.size()] = 0x80;
  const std::size_t size = rest.size() < 56 ? 64 : 128;
  for (std::size_t i = 0; i < 8; ++i) {
    padded[size - 1 - i] = static_cast<unsigned char>(bit_count >> (8 * i) & 0xffU);
  }
  for (std::size_t at = 0; at < size; at += 64) {
    sha256_block(state, padded.data() + at);
  }
  // It held a part of a secret; a volatile write is not optimised away.
  for (unsigned char& byte : padded) {
    *static_cast<volatile unsigned char*>(&byte) = 0;
  }
}

}  // namespace detail

/// The SHA-256 of `text` as 64 lower-case hex digits (FIPS 180-4). Leaves no copy of `text` behind.
inline std::string sha256_hex(std::string_view text) {
  detail::Sha256State state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const std::uint64_t bit_count = std::uint64_t{text.size()} * 8;
  for (; text.size() >= 64; text.remove_prefix(64)) {
    detail::sha256_block(state, reinterpret_cast<const unsigned char*>(text.data()));
  }
  detail::sha256_tail(state, text, bit_count);
  std::string hex;
  for (const std::uint32_t word : state) {
    for (unsigned shift = 32; shift != 0; shift -= 4) {
      hex += "0123456789abcdef"[word >> (shift - 4) & 0xfU];
    }
  }
  return hex;
}

}  // namespace tokenpool
