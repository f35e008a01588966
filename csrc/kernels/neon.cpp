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
    static void store_int(std::int32_t* p, I v) { vst1q_s32(p, v); }
    static I words(const std::uint8_t* src, const std::int32_t* at) {
        return vreinterpretq_s32_u8(vcombine_u8(vld1_u8(src + at[0]), vld1_u8(src + at[1])));
    }
    static void pairs(const std::uint8_t* src, const std::int32_t* at, I& low, I& high) {
        const I first = words(src, at), second = words(src, at + 2);
        low = vuzp1q_s32(first, second);
        high = vuzp2q_s32(first, second);
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
    static constexpr std::int32_t kHalved = 8, kHalveReads = 48, kHalveWrites = 24;
    static uint8x8_t mean_of_four(uint8x16_t top, uint8x16_t bottom) {
        const uint16x8_t sum = vaddq_u16(vpaddlq_u8(top), vpaddlq_u8(bottom));
        const uint16x8_t odd = vandq_u16(vshrq_n_u16(sum, 2), vdupq_n_u16(1));
        return vmovn_u16(vshrq_n_u16(vaddq_u16(vaddq_u16(sum, vdupq_n_u16(1)), odd), 2));
    }
    static void halve(const std::uint8_t* top, const std::uint8_t* bottom, bool swap, std::uint8_t* out) {
        const uint8x16x3_t a = vld3q_u8(top), b = vld3q_u8(bottom);
        const uint8x8_t mean[3] = {mean_of_four(a.val[0], b.val[0]), mean_of_four(a.val[1], b.val[1]),
                                   mean_of_four(a.val[2], b.val[2])};
        vst3_u8(out, uint8x8x3_t{{mean[swap ? 2 : 0], mean[1], mean[swap ? 0 : 2]}});
    }
    static std::uint16_t screen(const std::uint8_t* block, const CodeScreen& job, const float* scales, float error) {
        int32x4_t sums[kCodeRows];  // four sums a row
        for (int32x4_t& sum_of_row : sums) sum_of_row = vdupq_n_s32(0);
        for (std::size_t g = 0; g < job.groups; ++g, block += 64) {
            std::int32_t four;
            __builtin_memcpy(&four, job.query + g * kCodeGroup, sizeof four);
            const int16x4_t query = vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four))));
            for (std::size_t k = 0; k < kCodeRows; k += 4) {
                const uint8x16_t rows = vld1q_u8(block + k * kCodeGroup);
                const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(rows)));
                const int16x8_t high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(rows)));
                sums[k] = vmlal_s16(sums[k], vget_low_s16(low), query);
                sums[k + 1] = vmlal_s16(sums[k + 1], vget_high_s16(low), query);
                sums[k + 2] = vmlal_s16(sums[k + 2], vget_low_s16(high), query);
                sums[k + 3] = vmlal_s16(sums[k + 3], vget_high_s16(high), query);
            }
        }
        std::uint32_t survivors = 0;
        for (std::size_t r = 0; r < kCodeRows; r += 4) {
            const int32x4_t dots = vpaddq_s32(vpaddq_s32(sums[r], sums[r + 1]), vpaddq_s32(sums[r + 2], sums[r + 3]));
            const F scale = mul(load(scales + r), set(job.query_scale));
            const F bound = add(mul(to_float(vsubq_s32(dots, set_int(job.offset))), scale), set(error));
            const uint32x4_t bits = {1, 2, 4, 8};
            survivors |= vaddvq_u32(vandq_u32(vcgeq_f32(bound, set(job.limit)), bits)) << r;
        }
        return static_cast<std::uint16_t>(survivors);
    }
    static float sum(F v) { return vaddvq_f32(v); }
};

#include "simd.inl"

}  // namespace

const Kernels kNeonKernels = {"neon",         warp_row<1>,  warp_row<2>,  warp_row<3>, yuv_row,
                              interleave_row, halve_row_c3, screen_codes, dot_rows,    sum_floats};

}  // namespace facewire
