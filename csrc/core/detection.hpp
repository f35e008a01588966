// Detector post-processing: raw output maps to faces, one interface for every decoder.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace facewire {

struct Detection {
    float x, y, width, height;        // pixels; x, y the top left corner
    std::array<float, 10> landmarks;  // x, y of image-left eye, image-right eye, nose tip, mouth corners
    float score;                      // 0..1
};

enum class DecoderKind { kYunet, kScrfd };

// The output maps of one stride, row-major, anchors innermost: cells*anchors rows each.
struct OutputLevel {
    std::int32_t stride;
    std::int32_t columns;
    std::int32_t rows;
    std::int32_t anchors;
    const float* score;       // [n]: YuNet's class score; SCRFD's score
    const float* objectness;  // [n] for YuNet, null for SCRFD
    const float* box;         // [n, 4]
    const float* landmarks;   // [n, 10]
};

struct DecodeOptions {
    float score_threshold;
    float nms_iou;
    float scale_x, scale_y;  // input pixels per frame pixel: results are divided by them
    std::int32_t max_faces;
};

// Faces in frame pixels, best score first, after non-maximum suppression. Cells with non-finite values are
// skipped.
std::vector<Detection> decode_faces(DecoderKind kind, const std::vector<OutputLevel>& levels,
                                    const DecodeOptions& options);

// Greedy non-maximum suppression; keeps the order of falling score (ties: first come).
std::vector<Detection> suppress_overlaps(std::vector<Detection> faces, float iou_limit, std::int32_t max_faces);

float intersection_over_union(const Detection& a, const Detection& b);

}  // namespace facewire
