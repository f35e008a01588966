// The matching against all permutations, the filter against its own steady state, and tracks through crossings,
// gaps and returns.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../core/assignment.hpp"
#include "../core/tracker.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Random;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr TrackerSettings kSettings{3.0, 3, 0.5, 1000};

double total_of(const std::vector<std::int32_t>& assigned, const std::vector<float>& cost, std::size_t columns,
                float limit) {
    double total = 0;
    for (std::size_t r = 0; r < assigned.size(); ++r)
        total += assigned[r] == kUnassigned ? limit : cost[r * columns + static_cast<std::size_t>(assigned[r])];
    return total;
}

// Every way to give each row a column of its own or none.
double cheapest(const std::vector<float>& cost, std::size_t rows, std::size_t columns, float limit) {
    std::vector<std::size_t> seats(columns + rows);
    std::iota(seats.begin(), seats.end(), std::size_t{0});
    double best = std::numeric_limits<double>::max();
    do {
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r)
            total += seats[r] < columns ? std::min(cost[r * columns + seats[r]], limit) : limit;
        best = std::min(best, total);
    } while (std::next_permutation(seats.begin(), seats.end()));
    return best;
}

TEST(assignment_is_as_cheap_as_the_best_permutation) {
    Random random(7);
    for (std::size_t rows = 0; rows <= 4; ++rows) {
        for (std::size_t columns = 0; columns <= 4; ++columns) {
            for (int round = 0; round < 10; ++round) {
                std::vector<float> cost(rows * columns);
                for (float& value : cost) value = random.real(-1.0f, 2.0f);
                const std::vector<std::int32_t> assigned = assign(cost, rows, columns, 1.0f);
                CHECK_EQUAL(assigned.size(), rows);
                CHECK_NEAR(total_of(assigned, cost, columns, 1.0f), cheapest(cost, rows, columns, 1.0f), 1e-5);
            }
        }
    }
}

TEST(assignment_uses_each_column_once_and_keeps_the_limit) {
    Random random(8);
    for (int round = 0; round < 50; ++round) {
        const std::size_t rows = 1 + static_cast<std::size_t>(round) % 13, columns = 17;
        std::vector<float> cost(rows * columns);
        for (float& value : cost) value = random.real(0.0f, 2.0f);
        const std::vector<std::int32_t> assigned = assign(cost, rows, columns, 0.5f);
        std::vector<bool> taken(columns);
        for (std::size_t r = 0; r < rows; ++r) {
            if (assigned[r] == kUnassigned) continue;
            const auto column = static_cast<std::size_t>(assigned[r]);
            CHECK(!taken[column]);
            taken[column] = true;
            CHECK(cost[r * columns + column] < 0.5f);
        }
    }
}

TEST(motion_learns_a_constant_speed_at_irregular_times) {
    Motion motion(0.0, 1.0, 50.0);
    Random random(9);
    double time = 0;
    for (int i = 0; i < 200; ++i) {
        const double dt = random.real(0.01f, 0.15f);
        time += dt;
        motion.observe(40.0 * time, dt, 1.0, 100.0);
    }
    CHECK_NEAR(motion.at(0.0), 40.0 * time, 1.5);
    CHECK_NEAR(motion.at(0.1) - motion.at(0.0), 4.0, 0.6);
    // Unseen for long it stands: speed times the fading time.
    CHECK(motion.at(100.0) - motion.at(0.0) < 60.0);
}

TrackedBox person(double x, double y, double size = 80.0) {
    return {static_cast<float>(x - size / 2), static_cast<float>(y - size / 2), static_cast<float>(size),
            static_cast<float>(size * 1.3)};
}

TEST(tracks_keep_their_ids_while_people_walk) {
    Tracker tracker(kSettings);
    Random random(10);
    for (int frame = 0; frame < 100; ++frame) {
        const double t = frame / 30.0;
        const auto jitter = [&] { return random.real(-3.0f, 3.0f); };
        const std::vector<TrackedBox> boxes{person(100 + 150 * t + jitter(), 200 + jitter()),
                                            person(900 - 150 * t + jitter(), 500 + jitter())};
        const auto ids = tracker.update(t, boxes.data(), boxes.size(), nullptr);
        CHECK_EQUAL(ids[0], 1);
        CHECK_EQUAL(ids[1], 2);
    }
    for (const TrackView& track : tracker.view(100 / 30.0)) CHECK(track.confirmed);
}

// Two people pass each other; while they overlap the one behind is not seen.
void cross(double frames_per_s, bool* kept) {
    Tracker tracker(kSettings);
    std::int64_t left = 0, right = 0;
    *kept = true;
    for (double t = 0; t < 6.0; t += 1 / frames_per_s) {
        const double a = 100 + 160 * t, b = 1060 - 160 * t;
        std::vector<TrackedBox> boxes{person(a, 300)};
        if (std::abs(a - b) > 50) boxes.push_back(person(b, 310));
        const auto ids = tracker.update(t, boxes.data(), boxes.size(), nullptr);
        if (left == 0) left = ids[0], right = ids.back();
        *kept = *kept && ids[0] == left && (boxes.size() == 1 || ids[1] == right);
    }
}

TEST(tracks_survive_a_crossing_at_any_frame_rate) {
    for (const double rate : {30.0, 15.0, 10.0, 7.0}) {
        bool kept;
        cross(rate, &kept);
        CHECK(kept);
    }
}

TEST(looks_decide_where_motion_cannot) {
    for (const bool swapped : {false, true}) {
        Tracker tracker(kSettings);
        for (int frame = 0; frame < 10; ++frame) {
            const std::vector<TrackedBox> boxes{person(300, 300), person(420, 300)};
            tracker.update(frame / 30.0, boxes.data(), 2, nullptr);
        }
        // After a gap both stand in the middle between where they were: no telling by motion.
        const std::vector<TrackedBox> boxes{person(355, 300), person(365, 300)};
        const std::vector<bool> unclear = tracker.ambiguous(1.3, boxes.data(), 2);
        CHECK(unclear[0] && unclear[1]);
        std::vector<float> affinity{0.8f, 0.1f, 0.1f, 0.8f};
        if (swapped) affinity = {0.1f, 0.8f, 0.8f, 0.1f};
        const auto ids = tracker.update(1.3, boxes.data(), 2, affinity.data());
        CHECK_EQUAL(ids[0], swapped ? 2 : 1);
        CHECK_EQUAL(ids[1], swapped ? 1 : 2);
    }
}

TEST(unknown_looks_change_nothing) {
    Tracker with(kSettings), without(kSettings);
    const std::vector<TrackedBox> boxes{person(300, 300), person(420, 300)};
    const std::vector<float> affinity{kNan, kNan, kNan, kNan};
    for (int frame = 0; frame < 10; ++frame) {
        const double t = frame / 30.0;
        const bool first = frame == 0;
        CHECK(with.update(t, boxes.data(), 2, first ? nullptr : affinity.data()) ==
              without.update(t, boxes.data(), 2, nullptr));
    }
}

TEST(people_far_apart_are_not_ambiguous) {
    Tracker tracker(kSettings);
    const std::vector<TrackedBox> boxes{person(200, 300), person(400, 300), person(1000, 100)};
    for (int frame = 0; frame < 10; ++frame) tracker.update(frame / 30.0, boxes.data(), 3, nullptr);
    const std::vector<bool> unclear = tracker.ambiguous(10 / 30.0, boxes.data(), 3);
    CHECK(!unclear[0] && !unclear[1] && !unclear[2]);
}

TEST(tracks_end_when_unseen_for_too_long) {
    Tracker tracker(kSettings);
    const TrackedBox standing = person(300, 300), flicker = person(900, 300);
    for (int frame = 0; frame < 10; ++frame) {
        const std::vector<TrackedBox> boxes{standing, flicker};
        tracker.update(frame / 30.0, boxes.data(), frame == 4 ? 2 : 1, nullptr);
    }
    CHECK(tracker.expire(0.5).empty());
    CHECK(tracker.expire(0.8) == std::vector<std::int64_t>{2});  // never confirmed
    CHECK(tracker.expire(3.2).empty());
    CHECK(tracker.expire(3.4) == std::vector<std::int64_t>{1});
    CHECK_EQUAL(tracker.size(), std::size_t{0});
    // Numbers are not used again.
    CHECK_EQUAL(tracker.update(4.0, &standing, 1, nullptr)[0], 3);
}

TEST(a_track_that_is_over_is_matched_no_more_even_before_it_is_ended) {
    Tracker tracker(kSettings);
    const TrackedBox here = person(300, 300);
    for (int frame = 0; frame < 5; ++frame) tracker.update(frame / 30.0, &here, 1, nullptr);
    CHECK_EQUAL(tracker.update(3600.0, &here, 1, nullptr)[0], 2);
    CHECK(tracker.expire(3600.0) == std::vector<std::int64_t>{1});
}

TEST(there_is_an_end_to_the_number_of_tracks) {
    Tracker tracker({3.0, 3, 0.5, 5});
    const TrackedBox regular = person(100, 100);
    for (int frame = 0; frame < 5; ++frame) tracker.update(0.01 * frame, &regular, 1, nullptr);
    std::vector<TrackedBox> crowd{regular};
    for (int i = 1; i < 10; ++i) crowd.push_back(person(100 + 300 * i, 100));
    tracker.update(0.06, crowd.data(), crowd.size(), nullptr);
    CHECK_EQUAL(tracker.size(), std::size_t{5});
    CHECK_EQUAL(tracker.expire(0.06).size(), std::size_t{5});
    CHECK_EQUAL(tracker.ids()[0], 1);  // the confirmed one stays
}

TEST(a_lost_track_goes_on_where_it_was_found) {
    Tracker tracker(kSettings);
    const TrackedBox here = person(300, 300), there = person(1000, 500);
    for (int frame = 0; frame < 5; ++frame) tracker.update(frame / 30.0, &here, 1, nullptr);
    CHECK_EQUAL(tracker.update(1.5, &there, 1, nullptr)[0], 2);
    CHECK(!tracker.merge(2, 1));  // seen before the other began: not the same
    CHECK(!tracker.merge(1, 1));
    CHECK(!tracker.merge(1, 99));
    CHECK(tracker.merge(1, 2));
    CHECK_EQUAL(tracker.update(1.53, &there, 1, nullptr)[0], 1);
    CHECK_EQUAL(tracker.size(), std::size_t{1});
    CHECK_NEAR(tracker.view(1.53)[0].first_s, 0.0, 1e-9);
}

}  // namespace
}  // namespace facewire
