# Seeds the bug of the sed script SCRIPT into SEEDED, a copy of the header SOUND. A script that finds nothing to change
# ends the build: what it looks for is written otherwise by now, and its test would ask the sound header.
execute_process(COMMAND ${SED} -f ${SCRIPT} ${SOUND} OUTPUT_FILE ${SEEDED} COMMAND_ERROR_IS_FATAL ANY)
file(SHA256 ${SOUND} sound)
file(SHA256 ${SEEDED} seeded)
if(sound STREQUAL seeded)
  file(REMOVE ${SEEDED})
  message(FATAL_ERROR "${SCRIPT} changes nothing in ${SOUND}: write it anew for what the header says now")
endif()
