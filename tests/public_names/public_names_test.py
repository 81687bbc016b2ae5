"""The reader of public names, on a header that has one of each kind."""

import os
import unittest

import public_names

SOURCE = """
namespace tokenpool {
namespace detail { struct Hidden { public: int hidden; }; }
template <class T> concept Usable = requires(T t) { t.use(); };
enum class Colour { red, green };
enum class Later;
struct Plain { int number{}; detail::Hidden detail; static Plain of(int); using Inner = int; bool operator==(const Plain&) const = default; };
class Closed { int secret_; struct Inner { int inner; }; public: explicit Closed(int); template <class T> explicit Closed(T); void open(); private: void shut(); };
inline void Closed::open() {}
class Derived : public Closed { protected: int half_; public: explicit operator bool() const; };
template <class T> class Box { public: template <class U> T get(U from) { int local = 0; struct Local { int deep; }; return from + local; } };
template <> class Box<int> { public: int special; };
namespace inner { inline int free(int parameter) { return parameter; } }
template <class T> using Boxes = Box<T>;
inline constexpr int limit = 3;
}
inline int use(tokenpool::Box<long>& box) { return static_cast<int>(box.get(1)); }
namespace other { struct Stranger {}; }
"""

EXPECTED = """Box  type
Box::get()
Boxes  type
Closed  type
Closed::open()
Colour  enumeration
Colour::green
Colour::red
Derived  type
Derived::operator bool()
Later  enumeration
Plain  type
Plain::Inner  type
Plain::detail
Plain::number
Plain::of()
Plain::operator==()
Usable  concept
inner::free()
limit""".split("\n")


class PublicNames(unittest.TestCase):
    def test_each_kind_is_listed_and_what_is_not_public_is_not(self):
        self.assertEqual(public_names.names_in(SOURCE, os.environ.get("CLANG", "clang++")), EXPECTED)


if __name__ == "__main__":
    unittest.main()
