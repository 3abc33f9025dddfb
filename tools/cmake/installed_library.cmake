# RINGPOST_LIBRARY: everything is compiled so that it can also stand in a shared library, which has
# its public symbols (RINGPOST_API of include/ringpost/api.h) and no others. Off by default: a
# developer's build, whose archives nobody installs, is as it was. The preset package has it on.
option(RINGPOST_LIBRARY "Build libringpost, shared and static, to be installed" OFF)

if(RINGPOST_LIBRARY)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  set(CMAKE_CXX_VISIBILITY_PRESET hidden)
  set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
  # The library leaves out what none of its public functions needs.
  add_compile_options(-ffunction-sections -fdata-sections)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # A unique symbol would keep the library from ever being unloaded (dlclose).
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
  endif()
endif()
