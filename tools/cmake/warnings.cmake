# The warnings of our own code. Third-party headers come in as system headers and are left alone.
add_library(ringpost_warnings INTERFACE)
target_compile_options(ringpost_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wimplicit-fallthrough -Wundef -Wextra-semi -Wnon-virtual-dtor -Wswitch-enum)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in every "literal" + std::string (GCC bug 105651).
  target_compile_options(ringpost_warnings INTERFACE -Wno-restrict)
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # queue/consignment.h says by offsetof() which cache lines are wanted. For a class with private
  # members that is conditionally supported (C++17), and compilers do as long as no base is virtual.
  target_compile_options(ringpost_warnings INTERFACE -Wno-invalid-offsetof)
endif()

# Only for developers: a newer compiler's new warning must not stop somebody who wants the program.
if(RINGPOST_DEVELOPER)
  target_compile_options(ringpost_warnings INTERFACE -Werror)
endif()

# Files that are compiled as one see each other's anonymous namespaces, and these two warn of that.
# The preset release, which compiles the libraries file by file, has both.
if(CMAKE_UNITY_BUILD)
  target_compile_options(ringpost_warnings INTERFACE
    -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
