// The one slow file: it holds Catch2's own code, so that the tests beside it compile fast.
#define CATCH_CONFIG_RUNNER
#include "catch_compat.hpp"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
