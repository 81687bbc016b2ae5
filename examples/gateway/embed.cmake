# Makes OUTPUT, a C++ file that has the files of the folder PAGE in it: cmake -D PAGE=... -D OUTPUT=... -P embed.cmake
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")

set(arrays "")
set(rows "")
file(GLOB files ${PAGE}/*.html ${PAGE}/*.css ${PAGE}/*.js ${PAGE}/*.svg)
foreach(file IN LISTS files)
  cmake_path(GET file FILENAME name)
  cmake_path(GET file EXTENSION LAST_ONLY extension)
  string(SUBSTRING ${extension} 1 -1 extension)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(REGEX REPLACE "[^a-z]" "_" array ${name})
  set(path "/tokenpool/${name}")
  if(name STREQUAL "page.html")
    set(path "/")
  endif()
  string(APPEND arrays "constexpr char ${array}[] = {${bytes}'\\0'};\n")
  string(APPEND rows "    PageFile{\"${path}\", \"${type_${extension}}\", {${array}, sizeof ${array} - 1}},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made of the folder page/ by embed.cmake.
#include \"page.hpp\"

namespace gateway {
namespace {

${arrays}
constexpr PageFile files[] = {
${rows}};

}  // namespace

std::span<const PageFile> page_files() noexcept { return files; }

}  // namespace gateway
")
