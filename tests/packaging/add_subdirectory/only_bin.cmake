file(GLOB names RELATIVE ${folder} ${folder}/*)
if(NOT names STREQUAL "bin")
  message(FATAL_ERROR "The parent's installation holds '${names}', not its program alone.")
endif()
