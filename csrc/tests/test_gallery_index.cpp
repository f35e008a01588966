// The index: exact answers, ties, erasure of removed rows, and searches beside changes.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <thread>

#include "../core/gallery_index.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Guarded;
using tests::Random;
using tests::under_each_isa;

// A removed row cannot be read, so its memory is looked at directly: an explicit instantiation may name a
// private member ([temp.spec.general]).
template <auto kMember>
struct Opened {
    friend float* memory_of(const GalleryIndex& index, std::int64_t row) { return (index.*kMember)(row); }
};
float* memory_of(const GalleryIndex& index, std::int64_t row);
template struct Opened<&GalleryIndex::row_data>;

using Rows = std::vector<std::int64_t>;

std::vector<float> random_rows(Random& random, std::size_t count, std::size_t dim) {
    std::vector<float> rows(count * dim);
    for (float& v : rows) v = random.real(-1.0f, 1.0f);
    return rows;
}

Rows add(GalleryIndex& index, const std::vector<float>& rows, const Rows& subjects) {
    return index.add(rows.data(), subjects.data(), subjects.size());
}

bool remove(GalleryIndex& index, const Rows& rows) { return index.remove(rows.data(), rows.size()); }

std::vector<Candidate> search(const GalleryIndex& index, std::vector<float> query, std::size_t k, float floor = -1.0f) {
    normalise_rows(query.data(), 1, query.size());
    return index.search(query.data(), 1, k, floor).at(0);
}

// The whole ranking from the rows as stored: best row a subject, falling score, ties by lower row.
std::vector<Candidate> rank(const GalleryIndex& index, const std::map<std::int64_t, std::int64_t>& live,
                            std::vector<float> query) {
    normalise_rows(query.data(), 1, query.size());
    std::map<std::int64_t, Candidate> best;
    std::vector<float> row(index.dim());
    for (const auto& [number, subject] : live) {  // rows in rising order
        CHECK(index.read(number, row.data()));
        float score = 0;
        kernels().dot_rows(row.data(), 1, row.size(), query.data(), &score);
        const auto known = best.find(subject);
        if (known == best.end() || score > known->second.similarity) best[subject] = {subject, number, score};
    }
    std::vector<Candidate> ranking;
    for (const auto& [subject, candidate] : best) ranking.push_back(candidate);
    std::sort(ranking.begin(), ranking.end(), [](const Candidate& a, const Candidate& b) {
        return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
    });
    return ranking;
}

void check_equal(const std::vector<Candidate>& found, const std::vector<Candidate>& wanted) {
    CHECK_EQUAL(found.size(), wanted.size());
    for (std::size_t i = 0; i < std::min(found.size(), wanted.size()); ++i) {
        CHECK_EQUAL(found[i].subject, wanted[i].subject);
        CHECK_EQUAL(found[i].row, wanted[i].row);
        CHECK_EQUAL(found[i].similarity, wanted[i].similarity);
    }
}

TEST(an_empty_index_finds_nothing) {
    const GalleryIndex index(4);
    CHECK_EQUAL(search(index, {1, 0, 0, 0}, 5).size(), std::size_t{0});
    CHECK_EQUAL(index.size(), std::size_t{0});
    CHECK_EQUAL(index.capacity(), std::size_t{0});
}

TEST(rows_are_stored_at_unit_length_whatever_length_they_had) {
    for (const float size : {1e-40f, 1e-20f, 1e-3f, 1.0f, 1e20f, 3e38f}) {
        GalleryIndex index(4);
        add(index, {size, -size, size, size}, {1});
        float row[4];
        CHECK(index.read(0, row));
        for (const float v : row) CHECK_NEAR(std::abs(v), 0.5, 1e-4);  // 1e-40 itself has but 17 bits
    }
}

TEST(normalising_returns_the_lengths_and_keeps_zero_rows) {
    std::vector<float> rows = {3, 4, 0, 0, -2e38f, 2e38f};
    const std::vector<float> lengths = normalise_rows(rows.data(), 3, 2);
    CHECK_NEAR(lengths[0], 5, 1e-6);
    CHECK_EQUAL(lengths[1], 0.0f);
    CHECK_NEAR(lengths[2] / 1e38f, std::sqrt(8.0), 1e-5);
    const float wanted[6] = {0.6f, 0.8f, 0, 0, -std::sqrt(0.5f), std::sqrt(0.5f)};
    for (std::size_t i = 0; i < 6; ++i) CHECK_NEAR(rows[i], wanted[i], 1e-6);
}

TEST(a_subject_appears_once_with_its_best_template) {
    GalleryIndex index(2);
    add(index, {1, 1, 1, 0.1f, 0, 1, 1, 0.5f}, {7, 7, 8, 7});
    const auto found = search(index, {1, 0}, 5);
    CHECK_EQUAL(found.size(), std::size_t{2});
    CHECK_EQUAL(found.at(0).subject, 7);
    CHECK_EQUAL(found[0].row, 1);
    CHECK_EQUAL(found.at(1).subject, 8);
}

TEST(a_subject_pushed_out_of_the_best_returns_with_a_better_template) {
    GalleryIndex index(2);
    add(index, {1, 1, 1, 0.5f, 1, 0.1f}, {1, 2, 1});
    const auto found = search(index, {1, 0}, 1);
    CHECK_EQUAL(found.size(), std::size_t{1});
    CHECK_EQUAL(found.at(0).subject, 1);
    CHECK_EQUAL(found[0].row, 2);
}

TEST(ties_go_to_the_lower_row) {
    under_each_isa([] {
        GalleryIndex index(3);
        const std::vector<float> same = {0.3f, -0.2f, 0.7f};
        std::vector<float> rows;
        for (int i = 0; i < 600; ++i) rows.insert(rows.end(), same.begin(), same.end());
        Rows subjects(600);
        for (std::size_t i = 0; i < 600; ++i) subjects[i] = static_cast<std::int64_t>(599 - i) / 2;
        add(index, rows, subjects);
        const auto found = search(index, {1, 2, 3}, 10);
        CHECK_EQUAL(found.size(), std::size_t{10});
        for (std::size_t i = 0; i < found.size(); ++i) {
            CHECK_EQUAL(found[i].row, static_cast<std::int64_t>(2 * i));
            CHECK_EQUAL(found[i].subject, 299 - static_cast<std::int64_t>(i));
        }
    });
}

TEST(only_similarities_of_at_least_the_floor_are_found) {
    GalleryIndex index(2);
    add(index, {1, 0, 0, 1, -1, 0}, {1, 2, 3});
    CHECK_EQUAL(search(index, {1, 0}, 5, -1.0f).size(), std::size_t{3});
    CHECK_EQUAL(search(index, {1, 0}, 5, 0.0f).size(), std::size_t{2});  // 0 is not below 0
    CHECK_EQUAL(search(index, {1, 0}, 5, 1.0f).size(), std::size_t{1});
    CHECK_EQUAL(search(index, {1, 0}, 5, 1.01f).size(), std::size_t{0});
}

TEST(search_equals_a_brute_force_ranking_through_adds_and_removes) {
    under_each_isa([] {
        Random random(40);
        for (const std::size_t dim : {1u, 3u, 17u, 128u}) {
            GalleryIndex index(dim);
            std::map<std::int64_t, std::int64_t> live;
            for (int round = 0; round < 6; ++round) {
                const auto count = static_cast<std::size_t>(random.integer(1, 400));
                Rows subjects(count);
                for (std::int64_t& subject : subjects) subject = random.integer(0, 60);
                const Rows numbers = add(index, random_rows(random, count, dim), subjects);
                for (std::size_t i = 0; i < count; ++i) {
                    CHECK(live.find(numbers[i]) == live.end());
                    live[numbers[i]] = subjects[i];
                }
                Rows doomed;
                for (const auto& [row, subject] : live)
                    if (random.integer(0, 3) == 0) doomed.push_back(row);
                CHECK(remove(index, doomed));
                for (const std::int64_t row : doomed) live.erase(row);
                CHECK_EQUAL(index.size(), live.size());
                const std::vector<float> query = random_rows(random, 1, dim);
                std::vector<Candidate> wanted = rank(index, live, query);
                check_equal(search(index, query, 1000, -2.0f), wanted);
                wanted.resize(std::min<std::size_t>(wanted.size(), 5));
                check_equal(search(index, query, 5, -2.0f), wanted);
            }
        }
    });
}

TEST(many_queries_at_once_answer_as_each_alone) {
    Random random(41);
    GalleryIndex index(31);
    Rows subjects(900);
    for (std::int64_t& subject : subjects) subject = random.integer(0, 200);
    add(index, random_rows(random, 900, 31), subjects);
    std::vector<float> queries = random_rows(random, 13, 31);
    normalise_rows(queries.data(), 13, 31);
    const auto together = index.search(queries.data(), 13, 4, -1.0f);
    CHECK_EQUAL(together.size(), std::size_t{13});
    for (std::size_t q = 0; q < 13; ++q)
        check_equal(together[q], index.search(queries.data() + q * 31, 1, 4, -1.0f).at(0));
    CHECK_EQUAL(index.search(queries.data(), 0, 4, -1.0f).size(), std::size_t{0});
}

// Chunks hold 4096 rows: the answer must not change at their seams.
TEST(rows_in_several_chunks_are_all_found) {
    Random random(42);
    constexpr std::size_t kCount = 9000;
    GalleryIndex index(3);
    const std::vector<float> rows = random_rows(random, kCount, 3);
    Rows subjects(kCount);
    for (std::size_t i = 0; i < kCount; ++i) subjects[i] = static_cast<std::int64_t>(i);
    const Rows numbers = add(index, rows, subjects);
    CHECK(index.capacity() >= kCount);
    for (const std::size_t i : {0u, 255u, 256u, 4095u, 4096u, 8191u, 8192u, 8999u}) {
        CHECK_EQUAL(numbers[i], static_cast<std::int64_t>(i));
        const auto found = search(index, {rows[3 * i], rows[3 * i + 1], rows[3 * i + 2]}, 1);
        CHECK_NEAR(found.at(0).similarity, 1, 1e-5);
        float row[3];
        CHECK(index.read(numbers[i], row));
    }
}

TEST(a_removed_row_is_gone_and_its_memory_zero) {
    Random random(43);
    GalleryIndex index(16);
    const Rows numbers = add(index, random_rows(random, 3, 16), {1, 2, 3});
    float* memory = memory_of(index, numbers[1]);
    CHECK(std::any_of(memory, memory + 16, [](float v) { return v != 0.0f; }));
    CHECK(remove(index, {numbers[1]}));
    CHECK(std::all_of(memory, memory + 16, [](float v) { return v == 0.0f; }));
    float row[16];
    CHECK(!index.read(numbers[1], row));
    CHECK(index.read(numbers[0], row));
    CHECK(index.read(numbers[2], row));
    CHECK_EQUAL(index.size(), std::size_t{2});
    for (const Candidate& candidate : search(index, random_rows(random, 1, 16), 10, -2.0f))
        CHECK(candidate.row != numbers[1]);
}

TEST(numbers_and_memory_of_removed_rows_are_used_again) {
    Random random(44);
    GalleryIndex index(8);
    Rows numbers = add(index, random_rows(random, 100, 8), Rows(100, 1));
    const std::size_t capacity = index.capacity();
    for (int round = 0; round < 200; ++round) {
        CHECK(remove(index, numbers));
        CHECK_EQUAL(index.size(), std::size_t{0});
        numbers = add(index, random_rows(random, 100, 8), Rows(100, round));
        for (const std::int64_t number : numbers) CHECK(number < 100);
    }
    CHECK_EQUAL(index.capacity(), capacity);
    CHECK_EQUAL(search(index, random_rows(random, 1, 8), 5).at(0).subject, 199);
}

TEST(remove_is_all_or_nothing) {
    Random random(45);
    GalleryIndex index(4);
    add(index, random_rows(random, 5, 4), {1, 2, 3, 4, 5});
    CHECK(remove(index, {4}));
    const Rows refused[] = {{0, 1, 0}, {0, 4}, {0, 5}, {0, -1}, {0, INT64_MAX}, {INT64_MIN, 0}};
    for (const Rows& rows : refused) {
        CHECK(!remove(index, rows));
        CHECK_EQUAL(index.size(), std::size_t{4});
        float row[4];
        CHECK(index.read(0, row));
    }
    CHECK(remove(index, {}));
    CHECK(remove(index, {3, 0, 2, 1}));
    CHECK_EQUAL(index.size(), std::size_t{0});
}

TEST(reading_a_row_that_never_was_is_refused) {
    const GalleryIndex index(4);
    float row[4] = {};
    for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN})
        CHECK(!index.read(number, row));
}

// A subject that stays must be found by every search, and one being added and removed is seen whole or not at
// all: no answer may name a subject whose template is half written (its cosine would not be 1).
TEST(searches_beside_adds_and_removes_see_whole_rows) {
    constexpr std::size_t kDim = 64;
    GalleryIndex index(kDim);
    Random random(46);
    std::vector<float> kept = random_rows(random, 1, kDim), passing = random_rows(random, 1, kDim);
    add(index, kept, {1});
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0}, searches{0};
    const auto searcher = [&] {
        while (!stop) {
            const auto of_kept = search(index, kept, 1, 0.99f);
            if (of_kept.size() != 1 || of_kept[0].subject != 1) ++wrong;
            const auto of_passing = search(index, passing, 1, 0.99f);
            if (!of_passing.empty() && (of_passing[0].subject != 2 || std::abs(of_passing[0].similarity - 1) > 1e-4f))
                ++wrong;
            ++searches;
        }
    };
    const auto changer = [&] {
        std::vector<float> rows;
        for (int i = 0; i < 40; ++i) rows.insert(rows.end(), passing.begin(), passing.end());
        for (int round = 0; round < 100; ++round) {
            const Rows numbers = add(index, rows, Rows(40, 2));
            if (!remove(index, numbers)) ++wrong;
        }
    };
    std::vector<std::thread> searchers, changers;
    for (int i = 0; i < 3; ++i) searchers.emplace_back(searcher);
    for (int i = 0; i < 2; ++i) changers.emplace_back(changer);
    for (std::thread& thread : changers) thread.join();
    while (searches < 3) std::this_thread::yield();
    stop = true;
    for (std::thread& thread : searchers) thread.join();
    CHECK_EQUAL(wrong.load(), 0);
    CHECK_EQUAL(index.size(), std::size_t{1});
}

}  // namespace
}  // namespace facewire
