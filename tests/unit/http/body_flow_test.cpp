#include "tokenpool/http/body_flow.hpp"

#include "catch_compat.hpp"

using tokenpool::BodyGate;

TEST_CASE("a gate tells once that it was resumed however often that was") {
  BodyGate gate;
  CHECK_FALSE(gate.take_resume());
  gate.resume();
  gate.resume();
  CHECK(gate.take_resume());
  CHECK_FALSE(gate.take_resume());
}

TEST_CASE("a gate calls its listener while that lives") {
  BodyGate gate;
  int calls = 0;
  {
    const BodyGate::Listener listener(gate, [&calls] { ++calls; });
    gate.resume();
    CHECK(calls == 1);
  }
  gate.resume();
  CHECK(calls == 1);
}
