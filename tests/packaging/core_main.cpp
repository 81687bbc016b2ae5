#include <tokenpool/version.hpp>

int main() { return tokenpool::version[0] == '\0' ? 1 : 0; }
