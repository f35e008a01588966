// NEON (Advanced SIMD, part of every arm64 processor) kernels: four lanes. There is no gather, so the four
// pixels of a block are loaded one lane at a time.
#include <arm_neon.h>

#include "kernels.hpp"

namespace facewire {
namespace {

struct V {
    using F = float32x4_t;
    using I = int32x4_t;
    static constexpr int kLanes = 4;

    static F set(float v) { return vdupq_n_f32(v); }
    static F ramp() {
        const float values[4] = {0, 1, 2, 3};
        return vld1q_f32(values);
    }
    static F load(const float* p) { return vld1q_f32(p); }
    static void store(float* p, F v) { vst1q_f32(p, v); }
    static F add(F a, F b) { return vaddq_f32(a, b); }
    static F sub(F a, F b) { return vsubq_f32(a, b); }
    static F mul(F a, F b) { return vmulq_f32(a, b); }
    static F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
    static F min(F a, F b) { return vminnmq_f32(a, b); }
    static F max(F a, F b) { return vmaxnmq_f32(a, b); }
    static F floor(F a) { return vrndmq_f32(a); }
    static F to_float(I a) { return vcvtq_f32_s32(a); }
    static I to_int(F a) { return vcvtq_s32_f32(a); }
    static I set_int(std::int32_t v) { return vdupq_n_s32(v); }
    static I add_int(I a, I b) { return vaddq_s32(a, b); }
    static I mul_int(I a, I b) { return vmulq_s32(a, b); }
    static I min_int(I a, I b) { return vminq_s32(a, b); }
    static I max_int(I a, I b) { return vmaxq_s32(a, b); }
    static I bit_and(I a, I b) { return vandq_s32(a, b); }
    template <int kShift>
    static I shift_right(I a) {
        if constexpr (kShift == 0)
            return a;
        else
            return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), kShift));
    }
    static bool all_at_most(I a, I b) { return vmaxvq_u32(vcgtq_s32(a, b)) == 0; }
    static F keep_where_equal(F v, I a, I b, I c, I d) {
        const uint32x4_t mask = vandq_u32(vceqq_s32(a, b), vceqq_s32(c, d));
        return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), mask));
    }
    static std::int32_t word(const std::uint8_t* p) {
        std::int32_t value;
        __builtin_memcpy(&value, p, sizeof value);
        return value;
    }
    static I pixels(const std::uint8_t* src, I offset) {
        const std::int32_t values[4] = {word(src + vgetq_lane_s32(offset, 0)), word(src + vgetq_lane_s32(offset, 1)),
                                        word(src + vgetq_lane_s32(offset, 2)), word(src + vgetq_lane_s32(offset, 3))};
        return vld1q_s32(values);
    }
    static uint8x16_t bytes(const float* p) {
        uint16x4_t words[4];
        for (int k = 0; k < 4; ++k)
            words[k] = vmovn_u32(vcvtnq_u32_f32(min(max(load(p + 4 * k), set(0.0f)), set(255.0f))));
        return vcombine_u8(vmovn_u16(vcombine_u16(words[0], words[1])), vmovn_u16(vcombine_u16(words[2], words[3])));
    }
    static void interleave(const float* a, const float* b, const float* c, std::uint8_t* out) {
        vst3q_u8(out, uint8x16x3_t{{bytes(a), bytes(b), bytes(c)}});
    }
    static float sum(F v) { return vaddvq_f32(v); }
};

#include "simd.inl"

}  // namespace

const Kernels kNeonKernels = {"neon", warp_row<1>, warp_row<2>, warp_row<3>, yuv_row, interleave_row, dot_rows};

}  // namespace facewire
