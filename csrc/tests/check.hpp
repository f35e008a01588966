// A test harness of one page: tests register themselves, a failed check prints one line and the test goes on.
#pragma once

#include <cmath>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

namespace check {

struct Test {
    const char* name;
    void (*body)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

inline bool add(const char* name, void (*body)()) {
    tests().push_back({name, body});
    return true;
}

inline const char* running = "";
inline int failures_in_test = 0;
inline constexpr int kPrintedPerTest = 10;  // a broken kernel fails thousands of checks

inline void fail(const char* file, int line, const std::string& what) {
    if (++failures_in_test <= kPrintedPerTest) std::printf("%s:%d: %s: %s\n", file, line, running, what.c_str());
}

template <typename A, typename B>
void equal(const char* file, int line, const char* text, const A& a, const B& b) {
    if (a == b) return;
    std::ostringstream values;
    values << text << ": " << a << " != " << b;
    fail(file, line, values.str());
}

// NaN is near nothing.
inline void near(const char* file, int line, const char* text, double a, double b, double limit) {
    if (std::abs(a - b) <= limit) return;
    std::ostringstream values;
    values.precision(9);
    values << text << ": " << a << " is not within " << limit << " of " << b;
    fail(file, line, values.str());
}

}  // namespace check

#define TEST(name)                                                    \
    static void name();                                               \
    static const bool name##_is_registered = check::add(#name, name); \
    static void name()
#define CHECK(condition) ((condition) ? void() : check::fail(__FILE__, __LINE__, "not true: " #condition))
#define CHECK_EQUAL(a, b) check::equal(__FILE__, __LINE__, #a " == " #b, a, b)
#define CHECK_NEAR(a, b, limit) check::near(__FILE__, __LINE__, #a " ~ " #b, a, b, limit)
#define CHECK_THROWS(expression, Exception)                                                     \
    do {                                                                                        \
        bool caught = false;                                                                    \
        try {                                                                                   \
            static_cast<void>(expression);                                                      \
        } catch (const Exception&) {                                                            \
            caught = true;                                                                      \
        }                                                                                       \
        if (!caught) check::fail(__FILE__, __LINE__, #expression " did not throw " #Exception); \
    } while (false)
