// The decoders on hand-made maps with known answers, and non-maximum suppression against its definition.
#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/detection.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Guarded;
using tests::Random;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The maps of one stride, all scores zero.
struct Maps {
    int stride, columns, rows, anchors;
    std::size_t n;
    Guarded<float> score, objectness, box, landmarks;

    Maps(int stride_px, int width, int height, int anchors_a_cell)
        : stride(stride_px),
          columns(width),
          rows(height),
          anchors(anchors_a_cell),
          n(static_cast<std::size_t>(width * height * anchors_a_cell)),
          score(n),
          objectness(n, 1.0f),
          box(4 * n, 1.0f),
          landmarks(10 * n) {}

    std::size_t cell(int row, int column, int anchor = 0) const {
        return static_cast<std::size_t>((row * columns + column) * anchors + anchor);
    }
    void set_box(std::size_t i, float a, float b, float c, float d) {
        const float values[4] = {a, b, c, d};
        std::copy_n(values, 4, box.data() + 4 * i);
    }
    OutputLevel level(DecoderKind kind) const {
        return {stride,     columns,         rows,
                anchors,    score.data(),    kind == DecoderKind::kYunet ? objectness.data() : nullptr,
                box.data(), landmarks.data()};
    }
};

std::vector<Detection> decode(DecoderKind kind, const Maps& maps, float threshold = 0.5f, float scale_x = 1.0f,
                              float scale_y = 1.0f) {
    return decode_faces(kind, {maps.level(kind)}, {threshold, 0.3f, scale_x, scale_y, 100});
}

Detection face_at(float x, float y, float side, float score) { return {x, y, side, side, {}, score}; }

TEST(a_yunet_cell_decodes_to_its_face) {
    Maps maps(16, 5, 4, 1);
    const std::size_t i = maps.cell(2, 3);
    maps.score[i] = 0.81f;
    maps.objectness[i] = 0.25f;
    maps.set_box(i, 0.5f, 0.25f, std::log(3.0f), std::log(2.0f));
    for (std::size_t k = 0; k < 10; ++k) maps.landmarks[10 * i + k] = 0.1f * static_cast<float>(k);
    const auto faces = decode(DecoderKind::kYunet, maps, 0.4f);
    CHECK_EQUAL(faces.size(), std::size_t{1});
    CHECK_NEAR(faces.at(0).score, 0.45, 1e-6);
    CHECK_NEAR(faces[0].width, 48, 1e-3);
    CHECK_NEAR(faces[0].height, 32, 1e-3);
    CHECK_NEAR(faces[0].x, 3.5 * 16 - 24, 1e-3);
    CHECK_NEAR(faces[0].y, 2.25 * 16 - 16, 1e-3);
    for (std::size_t k = 0; k < 10; k += 2) {
        CHECK_NEAR(faces[0].landmarks[k], (3 + 0.1 * static_cast<double>(k)) * 16, 1e-3);
        CHECK_NEAR(faces[0].landmarks[k + 1], (2 + 0.1 * static_cast<double>(k + 1)) * 16, 1e-3);
    }
}

TEST(a_scrfd_anchor_decodes_to_its_face) {
    for (const int anchor : {0, 1}) {
        Maps maps(8, 6, 3, 2);
        const std::size_t i = maps.cell(1, 4, anchor);
        maps.score[i] = 0.7f;
        maps.set_box(i, 1, 2, 3, 4);
        for (std::size_t k = 0; k < 10; ++k) maps.landmarks[10 * i + k] = -0.2f * static_cast<float>(k);
        const auto faces = decode(DecoderKind::kScrfd, maps);
        CHECK_EQUAL(faces.size(), std::size_t{1});
        CHECK_EQUAL(faces.at(0).score, 0.7f);
        CHECK_NEAR(faces[0].x, (4 - 1) * 8, 1e-4);
        CHECK_NEAR(faces[0].y, (1 - 2) * 8, 1e-4);
        CHECK_NEAR(faces[0].width, (1 + 3) * 8, 1e-4);
        CHECK_NEAR(faces[0].height, (2 + 4) * 8, 1e-4);
        CHECK_NEAR(faces[0].landmarks[2], (4 - 0.4) * 8, 1e-4);
        CHECK_NEAR(faces[0].landmarks[3], (1 - 0.6) * 8, 1e-4);
    }
}

TEST(results_are_divided_by_the_scale_of_their_axis) {
    Maps maps(8, 4, 4, 2);
    maps.score[maps.cell(2, 2)] = 0.9f;
    const Detection full = decode(DecoderKind::kScrfd, maps).at(0);
    const Detection wide = decode(DecoderKind::kScrfd, maps, 0.5f, 0.25f, 0.5f).at(0);
    CHECK_EQUAL(wide.x, 4 * full.x);
    CHECK_EQUAL(wide.y, 2 * full.y);
    CHECK_EQUAL(wide.width, 4 * full.width);
    CHECK_EQUAL(wide.height, 2 * full.height);
    for (std::size_t k = 0; k < 10; k += 2) {
        CHECK_EQUAL(wide.landmarks[k], 4 * full.landmarks[k]);
        CHECK_EQUAL(wide.landmarks[k + 1], 2 * full.landmarks[k + 1]);
    }
    CHECK_EQUAL(wide.score, full.score);
}

TEST(a_score_at_the_threshold_passes_and_one_below_does_not) {
    Maps maps(8, 2, 1, 2);
    maps.score[0] = 0.5f;
    maps.score[3] = std::nextafter(0.5f, 0.0f);
    const auto faces = decode(DecoderKind::kScrfd, maps, 0.5f);
    CHECK_EQUAL(faces.size(), std::size_t{1});
    CHECK_EQUAL(faces.at(0).score, 0.5f);
}

TEST(yunet_scores_outside_0_to_1_are_clamped) {
    Maps maps(8, 3, 1, 1);
    maps.score[0] = 1.5f;
    maps.objectness[0] = 7.0f;
    maps.score[1] = -1.0f;
    maps.objectness[1] = -1.0f;  // the product of two negatives is no face
    const auto faces = decode(DecoderKind::kYunet, maps);
    CHECK_EQUAL(faces.size(), std::size_t{1});
    CHECK_EQUAL(faces.at(0).score, 1.0f);
}

TEST(a_cell_with_one_value_not_finite_is_skipped_and_its_neighbour_kept) {
    for (const DecoderKind kind : {DecoderKind::kYunet, DecoderKind::kScrfd}) {
        for (const float bad : {kNan, kInfinity, -kInfinity}) {
            for (std::size_t place = 0; place < 16; ++place) {
                Maps maps(8, 8, 1, kind == DecoderKind::kScrfd ? 2 : 1);
                const std::size_t broken = maps.cell(0, 1), good = maps.cell(0, 6);
                maps.score[broken] = 0.9f;
                maps.score[good] = 0.8f;
                if (place < 10)
                    maps.landmarks[10 * broken + place] = bad;
                else if (place < 14)
                    maps.box[4 * broken + place - 10] = bad;
                else if (place == 14)
                    maps.score[broken] = kNan;
                else if (kind == DecoderKind::kYunet)
                    maps.objectness[broken] = kNan;
                else
                    maps.score[broken] = bad;
                const auto faces = decode(kind, maps);
                CHECK_EQUAL(faces.size(), std::size_t{1});
                CHECK_NEAR(faces.at(0).score, kind == DecoderKind::kYunet ? std::sqrt(0.8) : 0.8, 1e-6);
            }
        }
    }
}

TEST(boxes_without_area_are_skipped) {
    Maps maps(8, 4, 1, 2);
    for (std::size_t i = 0; i < maps.n; ++i) maps.score[i] = 0.9f;
    for (std::size_t i = 0; i < maps.n; ++i) maps.set_box(i, 1, 1, -1, 1);
    CHECK_EQUAL(decode(DecoderKind::kScrfd, maps).size(), std::size_t{0});
    Maps huge(8, 1, 1, 1);
    huge.score[0] = 0.9f;
    huge.set_box(0, 0, 0, 1000, 1000);  // exp overflows
    CHECK_EQUAL(decode(DecoderKind::kYunet, huge).size(), std::size_t{0});
}

TEST(faces_of_all_levels_compete_and_ties_keep_the_order_of_levels) {
    Maps fine(8, 8, 8, 2), coarse(16, 4, 4, 2);
    fine.score[fine.cell(0, 0)] = 0.6f;
    coarse.score[coarse.cell(3, 3)] = 0.6f;
    coarse.score[coarse.cell(0, 3)] = 0.8f;
    const DecodeOptions options{0.5f, 0.3f, 1.0f, 1.0f, 10};
    const auto faces = decode_faces(DecoderKind::kScrfd,
                                    {fine.level(DecoderKind::kScrfd), coarse.level(DecoderKind::kScrfd)}, options);
    CHECK_EQUAL(faces.size(), std::size_t{3});
    CHECK_EQUAL(faces.at(0).score, 0.8f);
    CHECK_EQUAL(faces.at(1).width, 16.0f);
    CHECK_EQUAL(faces.at(2).width, 32.0f);
}

TEST(nothing_above_the_threshold_or_no_levels_is_no_face) {
    CHECK_EQUAL(decode(DecoderKind::kYunet, Maps(8, 4, 4, 1)).size(), std::size_t{0});
    CHECK_EQUAL(decode_faces(DecoderKind::kScrfd, {}, {0.5f, 0.3f, 1.0f, 1.0f, 10}).size(), std::size_t{0});
}

TEST(intersection_over_union_of_known_boxes) {
    const Detection a = face_at(0, 0, 10, 1);
    CHECK_NEAR(intersection_over_union(a, a), 1, 1e-6);
    CHECK_NEAR(intersection_over_union(a, face_at(5, 0, 10, 1)), 1.0 / 3, 1e-6);
    CHECK_NEAR(intersection_over_union(a, face_at(2, 2, 5, 1)), 0.25, 1e-6);
    CHECK_EQUAL(intersection_over_union(a, face_at(10, 0, 10, 1)), 0.0f);  // they touch
    CHECK_EQUAL(intersection_over_union(a, face_at(-50, -50, 10, 1)), 0.0f);
}

TEST(the_better_of_two_overlapping_faces_stays) {
    const auto kept =
        suppress_overlaps({face_at(0, 0, 10, 0.5f), face_at(1, 0, 10, 0.9f), face_at(40, 0, 10, 0.6f)}, 0.3f, 10);
    CHECK_EQUAL(kept.size(), std::size_t{2});
    CHECK_EQUAL(kept.at(0).score, 0.9f);
    CHECK_EQUAL(kept.at(1).score, 0.6f);
}

TEST(an_overlap_of_exactly_the_limit_stays) {
    const std::vector<Detection> pair = {face_at(0, 0, 10, 0.9f), face_at(2, 2, 5, 0.8f)};
    CHECK_EQUAL(suppress_overlaps(pair, 0.25f, 10).size(), std::size_t{2});
    CHECK_EQUAL(suppress_overlaps(pair, 0.2499f, 10).size(), std::size_t{1});
}

TEST(equal_scores_keep_the_first_come) {
    const auto kept = suppress_overlaps(
        {face_at(30, 0, 10, 0.7f), face_at(0, 0, 10, 0.7f), face_at(1, 0, 10, 0.7f), face_at(60, 0, 10, 0.7f)}, 0.3f,
        10);
    CHECK_EQUAL(kept.size(), std::size_t{3});
    CHECK_EQUAL(kept.at(0).x, 30.0f);
    CHECK_EQUAL(kept.at(1).x, 0.0f);
    CHECK_EQUAL(kept.at(2).x, 60.0f);
}

TEST(max_faces_keeps_the_best_and_a_face_hidden_by_a_dropped_one_returns) {
    // b hides c, but a hides b: c stays.
    const std::vector<Detection> chain = {face_at(0, 0, 10, 0.9f), face_at(4, 0, 10, 0.8f), face_at(8, 0, 10, 0.7f)};
    const auto kept = suppress_overlaps(chain, 0.3f, 10);
    CHECK_EQUAL(kept.size(), std::size_t{2});
    CHECK_EQUAL(kept.at(1).x, 8.0f);
    CHECK_EQUAL(suppress_overlaps(chain, 0.3f, 1).size(), std::size_t{1});
    CHECK_EQUAL(suppress_overlaps(chain, 0.3f, 0).size(), std::size_t{0});
    CHECK_EQUAL(suppress_overlaps(chain, 0.3f, -1).size(), std::size_t{0});
}

// The definition: sorted by score, no two kept faces overlap by more than the limit, and each dropped face is
// hidden by a kept one that is no worse.
TEST(suppression_meets_its_definition_on_random_faces) {
    Random random(30);
    for (int trial = 0; trial < 200; ++trial) {
        std::vector<Detection> faces;
        const int count = random.integer(0, 60);
        for (int i = 0; i < count; ++i)
            faces.push_back(face_at(random.real(0, 60), random.real(0, 60), random.real(5, 30),
                                    0.1f * static_cast<float>(random.integer(1, 9))));
        const float limit = random.real(0.1f, 0.7f);
        const auto kept = suppress_overlaps(faces, limit, 1000);
        CHECK_EQUAL(kept.empty(), faces.empty());
        for (std::size_t i = 0; i < kept.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) {
                CHECK(kept[j].score >= kept[i].score);
                CHECK(intersection_over_union(kept[i], kept[j]) <= limit);
            }
        for (const Detection& face : faces)
            CHECK(std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
                const bool same = better.x == face.x && better.y == face.y;
                return same || (better.score >= face.score && intersection_over_union(face, better) > limit);
            }));
        const int cap = random.integer(1, 10);
        const auto few = suppress_overlaps(faces, limit, cap);
        CHECK_EQUAL(few.size(), std::min(kept.size(), static_cast<std::size_t>(cap)));
        for (std::size_t i = 0; i < few.size(); ++i) CHECK_EQUAL(few[i].x, kept[i].x);
    }
}

}  // namespace
}  // namespace facewire
