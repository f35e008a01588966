#include "assignment.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace facewire {
namespace {

// Cost of any pair, with a private column a row beyond the real ones: taking it means being unmatched.
class Costs {
  public:
    Costs(const std::vector<float>& cost, std::size_t columns, float limit)
        : cost_(cost), columns_(columns), limit_(limit) {}

    double at(std::size_t row, std::size_t column) const {
        if (column >= columns_) return limit_;
        return std::min<double>(cost_[row * columns_ + column], limit_);
    }

  private:
    const std::vector<float>& cost_;
    std::size_t columns_;
    double limit_;
};

// One row after the other finds the shortest augmenting path to a free column; the potentials keep reduced costs
// non-negative. Indices from 1, 0 is the path's artificial beginning.
class Matching {
  public:
    Matching(const Costs& costs, std::size_t rows, std::size_t columns)
        : costs_(costs),
          columns_(columns),
          row_potential_(rows + 1),
          column_potential_(columns + 1),
          owner_(columns + 1),
          way_(columns + 1) {}

    void add_row(std::size_t row) {
        owner_[0] = row;
        std::vector<double> shortest(columns_ + 1, std::numeric_limits<double>::max());
        std::vector<bool> visited(columns_ + 1);
        std::size_t column = 0;
        do {
            visited[column] = true;
            column = relax(column, shortest, visited);
        } while (owner_[column] != 0);
        while (column != 0) {
            owner_[column] = owner_[way_[column]];
            column = way_[column];
        }
    }

    std::size_t owner(std::size_t column) const { return owner_[column]; }

  private:
    std::size_t relax(std::size_t from, std::vector<double>& shortest, const std::vector<bool>& visited) {
        const std::size_t row = owner_[from];
        double least = std::numeric_limits<double>::max();
        std::size_t next = 0;
        for (std::size_t c = 1; c <= columns_; ++c) {
            if (visited[c]) continue;
            const double reduced = costs_.at(row - 1, c - 1) - row_potential_[row] - column_potential_[c];
            if (reduced < shortest[c]) {
                shortest[c] = reduced;
                way_[c] = from;
            }
            if (shortest[c] < least) {
                least = shortest[c];
                next = c;
            }
        }
        for (std::size_t c = 0; c <= columns_; ++c) {
            if (visited[c]) {
                row_potential_[owner_[c]] += least;
                column_potential_[c] -= least;
            } else {
                shortest[c] -= least;
            }
        }
        return next;
    }

    const Costs& costs_;
    std::size_t columns_;
    std::vector<double> row_potential_, column_potential_;
    std::vector<std::size_t> owner_, way_;
};

// Rows and columns that compete with each other, directly or through others: they can be matched on their own.
struct Group {
    std::vector<std::size_t> rows, columns;
};

std::vector<Group> groups_of(const std::vector<float>& cost, std::size_t rows, std::size_t columns, float limit) {
    std::vector<bool> row_seen(rows), column_seen(columns);
    std::vector<Group> groups;
    for (std::size_t first = 0; first < rows; ++first) {
        if (row_seen[first]) continue;
        Group group;
        group.rows.push_back(first);
        row_seen[first] = true;
        for (std::size_t i = 0; i < group.rows.size(); ++i) {
            for (std::size_t c = 0; c < columns; ++c) {
                if (column_seen[c] || !(cost[group.rows[i] * columns + c] < limit)) continue;
                column_seen[c] = true;
                group.columns.push_back(c);
                for (std::size_t r = 0; r < rows; ++r) {
                    if (row_seen[r] || !(cost[r * columns + c] < limit)) continue;
                    row_seen[r] = true;
                    group.rows.push_back(r);
                }
            }
        }
        if (!group.columns.empty()) groups.push_back(std::move(group));
    }
    return groups;
}

void match(const std::vector<float>& cost, std::size_t all_columns, const Group& group, float limit,
           std::vector<std::int32_t>& assigned) {
    const std::size_t rows = group.rows.size(), columns = group.columns.size();
    std::vector<float> own(rows * columns);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            own[r * columns + c] = cost[group.rows[r] * all_columns + group.columns[c]];
    const Costs costs(own, columns, limit);
    // As many spare columns as rows: nobody has to take a real one.
    Matching matching(costs, rows, columns + rows);
    for (std::size_t row = 1; row <= rows; ++row) matching.add_row(row);
    for (std::size_t column = 0; column < columns; ++column) {
        const std::size_t row = matching.owner(column + 1);
        if (row > 0 && own[(row - 1) * columns + column] < limit)
            assigned[group.rows[row - 1]] = static_cast<std::int32_t>(group.columns[column]);
    }
}

}  // namespace

std::vector<std::int32_t> assign(const std::vector<float>& cost, std::size_t rows, std::size_t columns, float limit) {
    std::vector<std::int32_t> assigned(rows, kUnassigned);
    for (const Group& group : groups_of(cost, rows, columns, limit)) match(cost, columns, group, limit, assigned);
    return assigned;
}

}  // namespace facewire
