# Installs `build` beside `prefix` and moves it there: a package that remembers where it was made fails here.

set(first ${prefix}.first)
file(REMOVE_RECURSE ${prefix} ${first})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build} --prefix ${first} COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${first} ${prefix})

file(GLOB_RECURSE headers RELATIVE ${source}/include ${source}/include/*)
file(GLOB_RECURSE installed_headers RELATIVE ${prefix}/include ${prefix}/include/*)
if(NOT headers STREQUAL installed_headers)
  message(FATAL_ERROR "The installed headers are not those of include/:\n${headers}\n${installed_headers}")
endif()

file(GLOB_RECURSE package_files ${prefix}/share/*)
if(NOT package_files)
  message(FATAL_ERROR "No package files were installed in ${prefix}/share.")
endif()
foreach(file IN LISTS package_files)
  file(READ ${file} text)
  foreach(path ${first} ${source} ${build})
    string(FIND "${text}" "${path}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${file} contains the absolute path ${path}.")
    endif()
  endforeach()
endforeach()

# CMake before 3.23 skips the file sets, so the include folder has to be named ahead of them.
file(READ ${prefix}/share/cmake/tokenpool/tokenpoolTargets.cmake text)
string(FIND "${text}" "INTERFACE_INCLUDE_DIRECTORIES" folder_position)
string(FIND "${text}" "if(NOT CMAKE_VERSION VERSION_LESS \"3.23" file_sets_position)
if(folder_position EQUAL -1 OR NOT folder_position LESS file_sets_position)
  message(FATAL_ERROR "A user's CMake 3.22 would not find the include folder.")
endif()
