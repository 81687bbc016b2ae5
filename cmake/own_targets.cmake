# What only our own programs are built with; a user's targets never see it.

add_library(tokenpool_warnings INTERFACE)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(tokenpool_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
endif()

set(TOKENPOOL_SANITIZE "" CACHE STRING "Sanitizers for our own programs, such as address,undefined or thread")
if(TOKENPOOL_SANITIZE)
  target_compile_options(tokenpool_warnings INTERFACE
    -fsanitize=${TOKENPOOL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tokenpool_warnings INTERFACE -fsanitize=${TOKENPOOL_SANITIZE})
endif()
