# Reads the lists of sources that CMake and Bazel share, and defines targets from them.
#
# Each folder has a sources.bzl with lists such as
#     SRCS = [
#         "clock.cc",
#     ]
# which Bazel loads as it is and postrider_sources() reads here.

# Puts the entries of the list NAME in DIRECTORY/sources.bzl into OUT, with DIRECTORY before each.
function(postrider_sources directory name out)
  set(file ${PROJECT_SOURCE_DIR}/${directory}/sources.bzl)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  string(REGEX MATCH "(^|\n)${name} = \\[([^]]*)\\]" found "${text}")
  if(NOT found)
    message(FATAL_ERROR "${directory}/sources.bzl has no list ${name}")
  endif()
  string(REGEX MATCHALL "\"[^\"]*\"" entries "${CMAKE_MATCH_2}")
  set(paths)
  foreach(entry IN LISTS entries)
    string(REPLACE "\"" "" entry ${entry})
    list(APPEND paths ${PROJECT_SOURCE_DIR}/${directory}/${entry})
  endforeach()
  set(${out} ${paths} PARENT_SCOPE)
endfunction()

add_library(postrider_warnings INTERFACE)
target_compile_options(postrider_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror
  -Wno-missing-field-initializers  # Designated initialisers leave out what has a default.
  -Wno-restrict)                   # GCC 12 warns of std::string's own copies (GCC bug 105651).

# The library NAME from DIRECTORY's SRCS.
function(postrider_library name directory)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE" ${ARGN})
  postrider_sources(${directory} SRCS sources)
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} postrider_warnings)
endfunction()

# The program NAME from the list LIST of DIRECTORY.
function(postrider_binary name directory list)
  postrider_sources(${directory} ${list} sources)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARGN} postrider_warnings)
endfunction()

# The test program NAME from DIRECTORY's TESTS, one ctest entry a program. ARGN: what it links and,
# after LABELS, its labels.
function(postrider_test name directory)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LINK;LABELS" ${ARGN})
  postrider_sources(${directory} TESTS sources)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main postrider_warnings)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
