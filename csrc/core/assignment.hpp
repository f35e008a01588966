// Who belongs to whom: the cheapest one-to-one matching of rows to columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace facewire {

inline constexpr std::int32_t kUnassigned = -1;

// For each of `rows` the column that it is matched with in the matching of least total cost, or kUnassigned.
// `cost` is row-major, finite; a pair that costs `limit` or more is no match, and being unmatched costs `limit`.
// Groups that do not compete are matched apart, each in O(n^2 m) by shortest augmenting paths: R. Jonker, A. Volgenant,
// "A shortest augmenting path algorithm for dense and sparse linear assignment problems", Computing 38, 1987.
std::vector<std::int32_t> assign(const std::vector<float>& cost, std::size_t rows, std::size_t columns, float limit);

}  // namespace facewire
