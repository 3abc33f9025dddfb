/* RINGPOST_API marks what is public: of libringpost's symbols these are visible, and no others.
 * What stands within a public class and is not for its users has RINGPOST_LOCAL. For C and C++. */
#pragma once

#define RINGPOST_API __attribute__((visibility("default")))
#define RINGPOST_LOCAL __attribute__((visibility("hidden")))
