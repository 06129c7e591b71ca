# A component of the library is one static archive `tusk_<name>`; all of them together become
# libtusk. Each may link only what stands to its left in DESIGN order (tools/check_includes.py).
#
#   tusk_component(NAME sources... [PUBLIC targets...] [PRIVATE targets...])
#   tusk_protobuf(NAME files.proto...)                 generated messages, lite runtime
#   tusk_test(NAME sources... LINK targets...)          one test binary per component
#   tusk_benchmark(NAME sources... LINK targets...)     built by the target tusk_benchmarks too
#   tusk_fuzzer(NAME sources... CORPUS folder LINK targets...)
add_library(tusk_options INTERFACE)
target_compile_features(tusk_options INTERFACE cxx_std_20)
target_compile_options(tusk_options INTERFACE -Wall -Wextra -Wpedantic -Werror)
target_include_directories(tusk_options INTERFACE
  "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src" "${PROJECT_BINARY_DIR}/include")
if(TUSK_SANITIZE)
  target_compile_options(tusk_options INTERFACE
    -fsanitize=${TUSK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tusk_options INTERFACE -fsanitize=${TUSK_SANITIZE})
endif()
if(TUSK_FUZZ)
  # Virtual calls and casts that cross into Arrow's library, which is built without, look wrong.
  target_compile_options(tusk_options INTERFACE
    -fsanitize=fuzzer-no-link -fno-sanitize=vptr,function
    # clang warns of what libstdc++ itself uses for stable sorts.
    -Wno-deprecated-declarations)
endif()
find_program(MOLD mold)
if(MOLD)
  target_link_options(tusk_options INTERFACE -fuse-ld=mold)
endif()

function(tusk_component name)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE" ${ARGN})
  add_library(tusk_${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(tusk_${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_definitions(tusk_${name} PRIVATE tusk_EXPORTS)
  # What is private is linked first: OpenSSL stays in front of Arrow.
  target_link_libraries(tusk_${name} PRIVATE ${ARG_PRIVATE} PUBLIC tusk_options ${ARG_PUBLIC})
  set_property(GLOBAL APPEND PROPERTY TUSK_COMPONENTS tusk_${name})
  # What the shared library links besides, in the same order (base comes first, with OpenSSL).
  foreach(target IN LISTS ARG_PRIVATE ARG_PUBLIC)
    if(NOT target MATCHES "^tusk_")
      set_property(GLOBAL APPEND PROPERTY TUSK_DEPENDENCIES ${target})
    endif()
  endforeach()
endfunction()

# Every generated header, for tools that read sources without building them.
add_custom_target(tusk_generated)

# The messages of .proto files under src/, as a component of their own; include them as
# "tusk/<folder>/<name>.pb.h". Generated code is not held to our warnings.
function(tusk_protobuf name)
  add_library(tusk_${name} STATIC)
  set_target_properties(tusk_${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_features(tusk_${name} PUBLIC cxx_std_20)
  set(out "${PROJECT_BINARY_DIR}/proto")
  file(MAKE_DIRECTORY "${out}")
  foreach(proto IN LISTS ARGN)
    set(source "${CMAKE_CURRENT_SOURCE_DIR}/${proto}")
    file(RELATIVE_PATH stem "${PROJECT_SOURCE_DIR}/src" "${source}")
    string(REGEX REPLACE "\\.proto$" "" stem "${stem}")
    add_custom_command(OUTPUT "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h"
      COMMAND protobuf::protoc -I "${PROJECT_SOURCE_DIR}/src" "--cpp_out=${out}" "${source}"
      DEPENDS "${source}" VERBATIM)
    target_sources(tusk_${name} PRIVATE "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
    list(APPEND headers "${out}/${stem}.pb.h")
  endforeach()
  add_custom_target(tusk_${name}_headers DEPENDS ${headers})
  add_dependencies(tusk_generated tusk_${name}_headers)
  target_include_directories(tusk_${name} SYSTEM PUBLIC "${PROJECT_BINARY_DIR}/proto")
  target_link_libraries(tusk_${name} PUBLIC protobuf::libprotobuf-lite)
  set_property(GLOBAL APPEND PROPERTY TUSK_COMPONENTS tusk_${name})
  set_property(GLOBAL APPEND PROPERTY TUSK_DEPENDENCIES protobuf::libprotobuf-lite)
endfunction()

function(tusk_test name)
  if(TUSK_BUILD_TESTS)
    cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
    add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PRIVATE ${ARG_LINK} tusk_testing GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST)
  endif()
endfunction()

add_custom_target(tusk_benchmarks)
function(tusk_benchmark name)
  if(TUSK_BUILD_BENCHMARKS)
    cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
    add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PRIVATE ${ARG_LINK} benchmark::benchmark_main)
    # One folder for all of them, which `make bench-micro` runs.
    set_target_properties(${name} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/benchmarks")
    add_dependencies(tusk_benchmarks ${name})
  endif()
endfunction()

# A fuzzer: LLVMFuzzerTestOneInput in the sources. With TUSK_FUZZ it is libFuzzer's and `make fuzz`
# runs it; in the other builds it is a test that runs every file of tests/corpus/<CORPUS>.
add_custom_target(tusk_fuzzers)

function(tusk_fuzzer name)
  if(NOT TUSK_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "CORPUS" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} tusk_fuzzing)
  if(TUSK_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(tusk_fuzzers ${name})
    set_property(GLOBAL APPEND_STRING PROPERTY TUSK_FUZZERS
      "${CMAKE_CURRENT_BINARY_DIR}/${name} tests/corpus/${ARG_CORPUS}\n")
  else()
    target_link_libraries(${name} PRIVATE tusk_replay)
    add_test(NAME ${name} COMMAND ${name} "${PROJECT_SOURCE_DIR}/tests/corpus/${ARG_CORPUS}")
  endif()
endfunction()
