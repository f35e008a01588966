// Templates in 8 bits beside their floats: a quarter of the memory to scan, and a bound of each similarity that is
// never too low, so that what is screened out cannot be among the best.
#pragma once

#include <cstdint>
#include <vector>

#include "../kernels/kernels.hpp"
#include "slab.hpp"

namespace facewire {

// A unit query in 8 bits: query ~ scale * codes, off by at most `error` (Euclidean).
struct CodedQuery {
    std::vector<std::int8_t> codes;  // dim, and zeros up to a multiple of kCodeGroup
    float scale;
    float error;
    std::int32_t offset;  // what the codes' own offset of 128 adds to each dot product
};

// Rows lie in blocks of kCodeRows: within a block the codes of four dimensions of all rows, then of the next four,
// so that a vector register holds one dimension group of all rows and sums need no shuffles.
class TemplateCodes {
  public:
    explicit TemplateCodes(std::size_t dim);

    void reserve(std::size_t rows);  // may throw std::bad_alloc; nothing is lost then
    void put(std::size_t row, const float* unit_row);
    void erase(std::size_t row);  // overwrites

    CodedQuery encode(const float* unit_query) const;

    // One bit a row, kCodeRows a word, from block `first_block` on: whether the row's similarity to the query, as
    // Kernels::dot_rows computes it, may reach `limit`. The blocks must not cross a multiple of 4096 rows.
    void screen(const CodedQuery& query, std::size_t first_block, std::size_t blocks, float limit,
                std::uint16_t* survivors) const;

    std::size_t bytes_a_row() const { return groups_ * kCodeGroup + sizeof(float) + sizeof(float) / kCodeRows; }

    // For tests that look for erased bytes.
    std::vector<std::uint8_t> codes_of(std::size_t row) const;

  private:
    static constexpr std::size_t kSlabRows = 16384;  // 2 MB of codes at 128 dimensions
    static constexpr std::size_t kSlabBlocks = kSlabRows / kCodeRows;
    struct Slabs {
        Slab<std::uint8_t> codes;
        Slab<float> scales;  // a row
        Slab<float> errors;  // a block: the largest of its rows, ever
    };

    std::uint8_t* group_of(std::size_t row, std::size_t group) const;
    void initialise_block(std::size_t block);

    std::size_t dim_;
    std::size_t groups_;
    std::size_t initialised_ = 0;  // blocks
    std::vector<Slabs> slabs_;
};

}  // namespace facewire
