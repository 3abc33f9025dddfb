# ringpost_fuzz(NAME [SOURCES file...] LIBS target... [SEEDS folder...])
#
# The fuzz target NAME.cpp of tests/fuzz with the seeds of corpus/NAME. Under the preset `fuzz` it
# becomes a libFuzzer program NAME, which `tools/dev fuzz` finds by the target `fuzz_targets`; in
# every other preset NAME runs over its seeds as a test. SEEDS are further folders of seeds, which a
# target among the dependencies of NAME fills.
add_custom_target(fuzz_targets)

function(ringpost_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS;SEEDS")
  add_executable(${name} ${name}.cpp ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} ringpost_warnings ringpost_instrumentation)
  if("fuzzer-no-link" IN_LIST RINGPOST_SANITIZE)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets ${name})
  else()
    target_sources(${name} PRIVATE replay_main.cpp)
    add_test(NAME "${name}: the seeds hold"
             COMMAND ${name} "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}" ${arg_SEEDS})
    set_tests_properties("${name}: the seeds hold" PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()
