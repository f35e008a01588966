// Runs every registered test, or those whose name contains the one argument.
#include <cstring>

#include "check.hpp"

namespace {

bool passes(const check::Test& test) {
    check::running = test.name;
    check::failures_in_test = 0;
    try {
        test.body();
    } catch (const std::exception& error) {
        check::fail(__FILE__, __LINE__, std::string("uncaught exception: ") + error.what());
    }
    const int unprinted = check::failures_in_test - check::kPrintedPerTest;
    if (unprinted > 0) std::printf("%s: %d more failed checks\n", test.name, unprinted);
    return check::failures_in_test == 0;
}

}  // namespace

int main(int argc, char** argv) {
    int passed = 0, failed = 0;
    for (const check::Test& test : check::tests()) {
        if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr) continue;
        passes(test) ? ++passed : ++failed;
    }
    if (passed + failed == 0) std::printf("no test ran\n");
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
