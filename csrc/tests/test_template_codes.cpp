// Templates in 8 bits: the bound of a similarity is never below it, and erased rows leave nothing.
#include <algorithm>
#include <cmath>

#include "../core/gallery_index.hpp"
#include "../core/template_codes.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Random;
using tests::under_each_isa;

std::vector<float> unit_rows(Random& random, std::size_t count, std::size_t dim) {
    std::vector<float> rows(count * dim);
    for (float& v : rows) v = random.real(-1.0f, 1.0f);
    normalise_rows(rows.data(), count, dim);
    return rows;
}

struct Coded {
    std::vector<float> rows;
    TemplateCodes codes;

    Coded(Random& random, std::size_t count, std::size_t dim) : rows(unit_rows(random, count, dim)), codes(dim) {
        codes.reserve(count);
        for (std::size_t r = 0; r < count; ++r) codes.put(r, rows.data() + r * dim);
    }
};

bool survives(const TemplateCodes& codes, const CodedQuery& query, std::size_t row, float limit) {
    std::uint16_t survivors = 0;
    codes.screen(query, row / kCodeRows, 1, limit, &survivors);
    return (survivors >> row % kCodeRows & 1) != 0;
}

TEST(no_row_that_reaches_the_limit_is_screened_out) {
    under_each_isa([] {
        Random random(5);
        for (const std::size_t dim : {1u, 3u, 4u, 63u, 128u, 130u, 512u}) {
            const std::size_t count = 50;
            const Coded coded(random, count, dim);
            for (int trial = 0; trial < 20; ++trial) {
                const std::vector<float> unit = unit_rows(random, 1, dim);
                const CodedQuery query = coded.codes.encode(unit.data());
                for (std::size_t r = 0; r < count; ++r) {
                    float similarity;
                    kernels().dot_rows(coded.rows.data() + r * dim, 1, dim, unit.data(), &similarity);
                    CHECK(survives(coded.codes, query, r, similarity));
                    // And the bound is of use: it is close. At most 1/254 of the largest value a dimension, two sides.
                    const float slack = 2.1f * std::sqrt(static_cast<float>(dim)) / 254.0f + 0.001f;
                    CHECK(!survives(coded.codes, query, r, similarity + 2 * slack));
                }
            }
        }
    });
}

TEST(every_instruction_set_screens_alike) {
    Random random(6);
    for (const std::size_t dim : {5u, 128u, 512u}) {
        const Coded coded(random, 160, dim);
        const std::vector<float> unit = unit_rows(random, 1, dim);
        const CodedQuery query = coded.codes.encode(unit.data());
        for (const float limit : {-1.5f, -0.05f, 0.0f, 0.03f, 0.1f, 1.5f}) {
            std::vector<std::uint16_t> first(10), again(10), low(10), high(10);
            use_kernels("scalar");
            coded.codes.screen(query, 0, 10, limit, first.data());
            coded.codes.screen(query, 0, 10, limit - 1e-5f, low.data());
            coded.codes.screen(query, 0, 10, limit + 1e-5f, high.data());
            under_each_isa([&] {
                coded.codes.screen(query, 0, 10, limit, again.data());
                for (std::size_t b = 0; b < 10; ++b) {
                    // A fused multiply-add may round the last bit of a bound another way.
                    CHECK_EQUAL(again[b] & ~low[b], 0);
                    CHECK_EQUAL(high[b] & ~again[b], 0);
                }
            });
            CHECK(limit > -1.0f || first == std::vector<std::uint16_t>(10, 0xffff));
            CHECK(limit < 1.2f || first == std::vector<std::uint16_t>(10, 0));
        }
    }
}

TEST(a_zero_row_and_a_zero_query_are_no_trouble) {
    TemplateCodes codes(128);
    codes.reserve(1);
    const std::vector<float> zeros(128, 0.0f);
    codes.put(0, zeros.data());
    const CodedQuery query = codes.encode(zeros.data());
    CHECK(survives(codes, query, 0, 0.0f));
    CHECK(!survives(codes, query, 0, 0.1f));
}

TEST(an_erased_row_leaves_no_codes) {
    Random random(7);
    Coded coded(random, 40, 128);
    const std::vector<std::uint8_t> nothing(128, 128);
    CHECK(coded.codes.codes_of(17) != nothing);
    const std::vector<std::uint8_t> neighbour = coded.codes.codes_of(18);
    coded.codes.erase(17);
    CHECK(coded.codes.codes_of(17) == nothing);
    CHECK(coded.codes.codes_of(18) == neighbour);
}

// Rows in tight groups: many are within the codes' error of the best.
TEST(codes_and_floats_give_the_same_answer_on_clusters) {
    under_each_isa([] {
        Random random(8);
        constexpr std::size_t kDim = 128, kCount = 6000, kGroups = 12;
        const std::vector<float> middles = unit_rows(random, kGroups, kDim);
        std::vector<float> rows(kCount * kDim);
        std::vector<std::int64_t> subjects(kCount);
        for (std::size_t r = 0; r < kCount; ++r) {
            subjects[r] = static_cast<std::int64_t>(r / 2);
            for (std::size_t d = 0; d < kDim; ++d)
                rows[r * kDim + d] = middles[r % kGroups * kDim + d] + random.real(-0.02f, 0.02f);
        }
        GalleryIndex index(kDim);
        const std::vector<std::int64_t> numbers = index.add(rows.data(), subjects.data(), kCount);
        CHECK(index.remove(numbers.data() + 100, 50));
        const std::vector<float> queries = unit_rows(random, 3, kDim);
        for (std::size_t q = 0; q < 6; ++q) {
            std::vector<float> query(kDim);
            const float* from = q < 3 ? queries.data() + q * kDim : rows.data() + 777 * q * kDim;
            std::copy_n(from, kDim, query.data());
            normalise_rows(query.data(), 1, kDim);
            for (const float floor : {-1.0f, 0.3f}) {
                const auto quick = index.search(query.data(), 1, 10, floor, Scan::kCodes).at(0);
                const auto whole = index.search(query.data(), 1, 10, floor, Scan::kFloats).at(0);
                CHECK_EQUAL(quick.size(), whole.size());
                for (std::size_t i = 0; i < std::min(quick.size(), whole.size()); ++i) {
                    CHECK_EQUAL(quick[i].row, whole[i].row);
                    CHECK_EQUAL(quick[i].similarity, whole[i].similarity);
                }
            }
        }
    });
}

}  // namespace
}  // namespace facewire
