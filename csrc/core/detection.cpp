#include "detection.hpp"

#include <algorithm>
#include <cmath>

namespace facewire {
namespace {

bool finite(const Detection& face) {
    bool good = std::isfinite(face.x) && std::isfinite(face.y) && std::isfinite(face.width) &&
                std::isfinite(face.height) && std::isfinite(face.score);
    for (const float v : face.landmarks) good = good && std::isfinite(v);
    return good && face.width > 0.0f && face.height > 0.0f;
}

// YuNet: score is the geometric mean of class score and objectness; the box centre and the landmarks are
// offsets from the cell's corner in strides, the size is an exponential in strides.
struct Yunet {
    static float score(const OutputLevel& level, std::size_t i) {
        const float product = std::clamp(level.score[i], 0.0f, 1.0f) * std::clamp(level.objectness[i], 0.0f, 1.0f);
        return std::sqrt(product);
    }
    static void place(const OutputLevel& level, std::size_t i, float column, float row, Detection& face) {
        const auto stride = static_cast<float>(level.stride);
        const float* box = level.box + i * 4;
        const float cx = (column + box[0]) * stride, cy = (row + box[1]) * stride;
        face.width = std::exp(box[2]) * stride;
        face.height = std::exp(box[3]) * stride;
        face.x = cx - face.width / 2;
        face.y = cy - face.height / 2;
        for (std::size_t k = 0; k < 5; ++k) {
            face.landmarks[2 * k] = (level.landmarks[i * 10 + 2 * k] + column) * stride;
            face.landmarks[2 * k + 1] = (level.landmarks[i * 10 + 2 * k + 1] + row) * stride;
        }
    }
};

// SCRFD: distances from the cell's corner to the four sides, landmarks as offsets from it, all in strides.
struct Scrfd {
    static float score(const OutputLevel& level, std::size_t i) { return level.score[i]; }
    static void place(const OutputLevel& level, std::size_t i, float column, float row, Detection& face) {
        const auto stride = static_cast<float>(level.stride);
        const float* box = level.box + i * 4;
        face.x = (column - box[0]) * stride;
        face.y = (row - box[1]) * stride;
        face.width = (box[0] + box[2]) * stride;
        face.height = (box[1] + box[3]) * stride;
        for (std::size_t k = 0; k < 5; ++k) {
            face.landmarks[2 * k] = (level.landmarks[i * 10 + 2 * k] + column) * stride;
            face.landmarks[2 * k + 1] = (level.landmarks[i * 10 + 2 * k + 1] + row) * stride;
        }
    }
};

template <typename Decoder>
void collect(const OutputLevel& level, float threshold, std::vector<Detection>& faces) {
    std::size_t i = 0;
    for (std::int32_t row = 0; row < level.rows; ++row) {
        for (std::int32_t column = 0; column < level.columns; ++column) {
            for (std::int32_t anchor = 0; anchor < level.anchors; ++anchor, ++i) {
                const float score = Decoder::score(level, i);
                if (!(score >= threshold)) continue;
                Detection face{};
                face.score = score;
                Decoder::place(level, i, static_cast<float>(column), static_cast<float>(row), face);
                if (finite(face)) faces.push_back(face);
            }
        }
    }
}

// Corners are scaled, not pixel centres, as OpenCV and InsightFace do with these detectors.
void to_frame_pixels(std::vector<Detection>& faces, float scale_x, float scale_y) {
    const float step_x = 1.0f / scale_x, step_y = 1.0f / scale_y;
    for (Detection& face : faces) {
        face.x *= step_x, face.y *= step_y, face.width *= step_x, face.height *= step_y;
        for (std::size_t k = 0; k < 5; ++k) {
            face.landmarks[2 * k] *= step_x;
            face.landmarks[2 * k + 1] *= step_y;
        }
    }
}

}  // namespace

float intersection_over_union(const Detection& a, const Detection& b) {
    const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    if (width <= 0.0f || height <= 0.0f) return 0.0f;
    const float common = width * height;
    return common / (a.width * a.height + b.width * b.height - common);
}

std::vector<Detection> suppress_overlaps(std::vector<Detection> faces, float iou_limit, std::int32_t max_faces) {
    std::stable_sort(faces.begin(), faces.end(),
                     [](const Detection& a, const Detection& b) { return a.score > b.score; });
    std::vector<Detection> kept;
    for (const Detection& face : faces) {
        if (kept.size() >= static_cast<std::size_t>(std::max(max_faces, 0))) break;
        const bool hidden = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
            return intersection_over_union(face, better) > iou_limit;
        });
        if (!hidden) kept.push_back(face);
    }
    return kept;
}

std::vector<Detection> decode_faces(DecoderKind kind, const std::vector<OutputLevel>& levels,
                                    const DecodeOptions& options) {
    std::vector<Detection> faces;
    for (const OutputLevel& level : levels) {
        if (kind == DecoderKind::kYunet)
            collect<Yunet>(level, options.score_threshold, faces);
        else
            collect<Scrfd>(level, options.score_threshold, faces);
    }
    to_frame_pixels(faces, options.scale_x, options.scale_y);
    return suppress_overlaps(std::move(faces), options.nms_iou, options.max_faces);
}

}  // namespace facewire
