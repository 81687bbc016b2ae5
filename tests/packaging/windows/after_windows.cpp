// Every public header after <windows.h>. The words it defines are checked to be macros here, or this file
// would prove nothing; what mingw's lacks or its standard library takes back is defined as Microsoft's does.

#include <winsock2.h>  // before windows.h, or both complain

#include <windows.h>

#include "others.hpp"

#if !defined(ERROR) || !defined(DELETE) || !defined(interface) || !defined(IN) || !defined(near) || \
    !defined(TRANSPARENT)
#error "windows.h lacks a macro that this test is about"
#endif
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char

#include "all_headers.hpp"
