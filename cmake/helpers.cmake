# berth_library(NAME SOURCES... LINK targets...): a static library berth_NAME
# of one folder. LINK names what its headers need (PUBLIC).
function(berth_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(berth_${name} STATIC ${ARG_SOURCES})
  target_include_directories(berth_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(berth_${name}
    PUBLIC ${ARG_LINK} PRIVATE berth_options berth_warnings ${ARG_PRIVATE_LINK})
endfunction()

# berth_program(NAME SOURCES... LINK targets...): an executable in bin/.
function(berth_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE berth_options berth_warnings ${ARG_LINK})
endfunction()

# berth_test(NAME LABELS... SOURCES... LINK...): a Catch2 program whose cases
# CTest runs one by one, labelled.
function(berth_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE berth_options berth_warnings ${ARG_LINK} Catch2::Catch2WithMain)
  catch_discover_tests(${name} TEST_PREFIX "${name}: "
    PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
