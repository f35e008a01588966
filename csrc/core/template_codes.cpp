#include "template_codes.hpp"

#include <algorithm>
#include <cmath>

#include "../kernels/dispatch.hpp"

namespace facewire {
namespace {

constexpr float kLargestCode = 127.0f;
constexpr std::uint8_t kZero = 128;  // codes are stored unsigned, as the 8-bit dot products of x86 want one side

struct Rounded {
    float scale;
    float error;  // Euclidean distance from what was rounded
};

// values ~ scale * codes; `store` takes each dimension's code.
template <typename Store>
Rounded round_to_codes(const float* values, std::size_t dim, const Store& store) {
    float largest = 0.0f;
    for (std::size_t d = 0; d < dim; ++d) largest = std::max(largest, std::abs(values[d]));
    const float scale = largest / kLargestCode, inverse = largest > 0.0f ? kLargestCode / largest : 0.0f;
    double squares = 0.0;
    for (std::size_t d = 0; d < dim; ++d) {
        const float exact = values[d] * inverse;
        const auto code = static_cast<std::int32_t>(exact + (exact < 0.0f ? -0.5f : 0.5f));
        store(d, code);
        const double off = double{values[d]} - double{scale} * code;
        squares += off * off;
    }
    return {scale, static_cast<float>(std::sqrt(squares) * (1.0 + 1e-6))};  // rounded up
}

// What float arithmetic may add to a dot product of unit vectors, here and in dot_rows: half a unit in the last place
// for each of dim products and sums, generously doubled.
float rounding_of(std::size_t dim) { return static_cast<float>(dim + 16) * 1.2e-7f; }

}  // namespace

TemplateCodes::TemplateCodes(std::size_t dim) : dim_(dim), groups_((dim + kCodeGroup - 1) / kCodeGroup) {}

void TemplateCodes::reserve(std::size_t rows) {
    while (slabs_.size() * kSlabRows < rows) {
        slabs_.reserve(slabs_.size() + 1);
        const bool huge = !slabs_.empty();  // small galleries stay small
        slabs_.push_back({make_slab<std::uint8_t>(kSlabRows * groups_ * kCodeGroup, huge),
                          make_slab<float>(kSlabRows, false), make_slab<float>(kSlabBlocks, false)});
    }
}

std::uint8_t* TemplateCodes::group_of(std::size_t row, std::size_t group) const {
    const std::size_t within = row % kSlabRows, block = within / kCodeRows;
    return slabs_[row / kSlabRows].codes.get() + ((block * groups_ + group) * kCodeRows + row % kCodeRows) * kCodeGroup;
}

// Blocks are screened whole, rows that are not in use too.
void TemplateCodes::initialise_block(std::size_t block) {
    const Slabs& slabs = slabs_[block / kSlabBlocks];
    const std::size_t within = block % kSlabBlocks;
    std::fill_n(group_of(block * kCodeRows, 0), groups_ * kCodeRows * kCodeGroup, kZero);
    std::fill_n(slabs.scales.get() + within * kCodeRows, kCodeRows, 0.0f);
    slabs.errors[within] = 0.0f;
}

void TemplateCodes::put(std::size_t row, const float* unit_row) {
    for (; initialised_ <= row / kCodeRows; ++initialised_) initialise_block(initialised_);
    const Rounded rounded = round_to_codes(unit_row, dim_, [&](std::size_t d, std::int32_t code) {
        group_of(row, d / kCodeGroup)[d % kCodeGroup] = static_cast<std::uint8_t>(kZero + code);
    });
    const Slabs& slabs = slabs_[row / kSlabRows];
    slabs.scales[row % kSlabRows] = rounded.scale;
    float& error = slabs.errors[row % kSlabRows / kCodeRows];
    error = std::max(error, rounded.error);
}

void TemplateCodes::erase(std::size_t row) {
    for (std::size_t group = 0; group < groups_; ++group) std::fill_n(group_of(row, group), kCodeGroup, kZero);
    slabs_[row / kSlabRows].scales[row % kSlabRows] = 0.0f;
}

std::vector<std::uint8_t> TemplateCodes::codes_of(std::size_t row) const {
    std::vector<std::uint8_t> codes;
    for (std::size_t group = 0; group < groups_; ++group)
        codes.insert(codes.end(), group_of(row, group), group_of(row, group) + kCodeGroup);
    return codes;
}

CodedQuery TemplateCodes::encode(const float* unit_query) const {
    CodedQuery query{std::vector<std::int8_t>(groups_ * kCodeGroup, 0), 0, 0, 0};
    const Rounded rounded = round_to_codes(
        unit_query, dim_, [&](std::size_t d, std::int32_t code) { query.codes[d] = static_cast<std::int8_t>(code); });
    query.scale = rounded.scale;
    query.error = rounded.error;
    for (const std::int8_t code : query.codes) query.offset += std::int32_t{kZero} * code;
    return query;
}

// With x = x' + e and q = q' + f: |x.q - x'.q'| <= |e||q| + |x'||f| <= |e| + (1 + |e|)|f|  (Cauchy-Schwarz, |x| = |q| =
// 1).
void TemplateCodes::screen(const CodedQuery& query, std::size_t first_block, std::size_t blocks, float limit,
                           std::uint16_t* survivors) const {
    const Slabs& slabs = slabs_[first_block / kSlabBlocks];
    const std::size_t block = first_block % kSlabBlocks;
    CodeScreen job{};
    job.codes = slabs.codes.get() + block * groups_ * kCodeRows * kCodeGroup;
    job.scales = slabs.scales.get() + block * kCodeRows;
    job.errors = slabs.errors.get() + block;
    job.blocks = blocks;
    job.groups = groups_;
    job.query = query.codes.data();
    job.query_scale = query.scale;
    job.error_factor = 1.0f + query.error;
    job.error_more = query.error + rounding_of(dim_);
    job.offset = query.offset;
    job.limit = limit;
    job.survivors = survivors;
    kernels().screen_codes(job);
}

}  // namespace facewire
