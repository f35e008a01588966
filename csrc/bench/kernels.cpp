// Runs one kernel so many times: for counting its instructions under valgrind, see tests/bench/check.py.
//     facewire_bench NAME TIMES       facewire_bench list
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "../core/alignment.hpp"
#include "../core/detection.hpp"
#include "../core/gallery_index.hpp"
#include "../core/letterbox.hpp"
#include "../core/quality.hpp"
#include "../core/tracker.hpp"

namespace facewire {
namespace {

constexpr std::int32_t kWidth = 640, kHeight = 384, kChip = 112;
constexpr std::size_t kDim = 128, kTemplates = 20000;
using Run = std::function<void()>;

std::vector<std::uint8_t> random_bytes(std::size_t count) {
    std::mt19937 random(1);
    std::vector<std::uint8_t> bytes(count);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

Run letterbox_of(std::int32_t width, std::int32_t height, PixelFormat format, bool to_bytes) {
    const std::int32_t channels = format == PixelFormat::kNv12 ? 1 : 3;
    return [=, pixels = random_bytes(static_cast<std::size_t>(width * channels * height * 3 / 2)),
            bytes = std::vector<std::uint8_t>(std::size_t{3} * kWidth * kHeight),
            floats = std::vector<float>(std::size_t{3} * kWidth * kHeight)]() mutable {
        const FrameView frame{pixels.data(), width, height, width * channels, format};
        if (to_bytes)
            letterbox_bytes(frame, false, kWidth, kHeight, bytes.data());
        else
            letterbox(frame, {}, kWidth, kHeight, floats.data());
    };
}

constexpr Landmarks kReference = {38.2946f, 51.6963f, 73.5318f, 51.5014f, 56.0252f,
                                  71.7366f, 41.5493f, 92.3655f, 70.7299f, 92.2041f};

Landmarks face_at(float x, float y) {
    Landmarks face = kReference;
    for (std::size_t k = 0; k < 5; ++k) {
        face[2 * k] = x + 1.3f * kReference[2 * k] + 0.1f * kReference[2 * k + 1];
        face[2 * k + 1] = y + 1.3f * kReference[2 * k + 1] - 0.1f * kReference[2 * k];
    }
    return face;
}

Run align() {
    return [pixels = random_bytes(std::size_t{1280} * 720 * 3),
            chip = std::vector<float>(std::size_t{3} * kChip * kChip)]() mutable {
        const FrameView frame{pixels.data(), 1280, 720, 3840, PixelFormat::kRgb24};
        align_face(frame, face_at(300, 200), kReference, {}, kChip, chip.data());
    };
}

Run quality() {
    return [chip = std::vector<float>(std::size_t{3} * kChip * kChip, 90.0f)] {
        measure_quality(chip.data(), kChip, {}, {10, 10, 100, 120}, face_at(0, 0), 1280, 720);
    };
}

Run decode() {
    std::vector<OutputLevel> levels;
    static std::vector<std::vector<float>> maps;
    for (const std::int32_t stride : {8, 16, 32}) {
        const auto cells = static_cast<std::size_t>(kWidth / stride * (kHeight / stride));
        for (const std::size_t values : {1u, 1u, 4u, 10u}) maps.emplace_back(cells * values, 0.3f);
        maps[maps.size() - 4][cells / 2] = maps[maps.size() - 3][cells / 2] = 0.9f;
    }
    for (std::size_t i = 0; i < 3; ++i) {
        const std::int32_t stride = 8 << i;
        OutputLevel level{};
        level.stride = stride;
        level.columns = kWidth / stride;
        level.rows = kHeight / stride;
        level.anchors = 1;
        level.score = maps[4 * i].data();
        level.objectness = maps[4 * i + 1].data();
        level.box = maps[4 * i + 2].data();
        level.landmarks = maps[4 * i + 3].data();
        levels.push_back(level);
    }
    DecodeOptions options{};
    options.score_threshold = 0.7f;
    options.nms_iou = 0.3f;
    options.scale_x = options.scale_y = 0.5f;
    options.max_faces = 100;
    return [levels, options] { decode_faces(DecoderKind::kYunet, levels, options); };
}

Run search(Scan scan) {
    static GalleryIndex index(kDim);
    static std::vector<float> query(kDim);
    if (index.size() == 0) {
        std::mt19937 random(2);
        std::vector<float> rows(kTemplates * kDim);
        for (float& v : rows) v = static_cast<float>(static_cast<int>(random() & 1023) - 512);
        std::vector<std::int64_t> subjects(kTemplates);
        for (std::size_t i = 0; i < kTemplates; ++i) subjects[i] = static_cast<std::int64_t>(i);
        index.add(rows.data(), subjects.data(), kTemplates);
        query.assign(rows.begin(), rows.begin() + kDim);
        normalise_rows(query.data(), 1, kDim);
    }
    return [scan] { index.search(query.data(), 1, 10, -1.0f, scan); };
}

std::map<std::string, std::function<Run()>> kernels_by_name() {
    return {
        {"letterbox 720p to bytes", [] { return letterbox_of(1280, 720, PixelFormat::kRgb24, true); }},
        {"letterbox 1080p to bytes", [] { return letterbox_of(1920, 1080, PixelFormat::kRgb24, true); }},
        {"letterbox 720p to floats", [] { return letterbox_of(1280, 720, PixelFormat::kRgb24, false); }},
        {"letterbox 720p NV12 to bytes", [] { return letterbox_of(1280, 720, PixelFormat::kNv12, true); }},
        {"align a face", align},
        {"quality of a face", quality},
        {"decode YuNet 640x384", decode},
        {"search 20,000 by codes", [] { return search(Scan::kCodes); }},
        {"search 20,000 by floats", [] { return search(Scan::kFloats); }},
    };
}

}  // namespace
}  // namespace facewire

int main(int count, char** arguments) {
    const auto kernels = facewire::kernels_by_name();
    if (count == 2 && std::strcmp(arguments[1], "list") == 0) {
        for (const auto& [name, make] : kernels) std::puts(name.c_str());
        return 0;
    }
    const auto found = count == 3 ? kernels.find(arguments[1]) : kernels.end();
    if (found == kernels.end()) {
        std::fputs("usage: facewire_bench NAME TIMES, or facewire_bench list\n", stderr);
        return 2;
    }
    const facewire::Run run = found->second();
    for (int i = std::atoi(arguments[2]); i > 0; --i) run();
    return 0;
}
