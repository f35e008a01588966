// AVX2 + FMA kernels: eight lanes.
#include <immintrin.h>

#include "kernels.hpp"

namespace facewire {
namespace {

struct V {
    using F = __m256;
    using I = __m256i;
    static constexpr int kLanes = 8;

    static F set(float v) { return _mm256_set1_ps(v); }
    static F ramp() { return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7); }
    static F load(const float* p) { return _mm256_loadu_ps(p); }
    static void store(float* p, F v) { _mm256_storeu_ps(p, v); }
    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    // The operand order makes a NaN coordinate become the bound: min/max return their second operand.
    static F min(F a, F b) { return _mm256_min_ps(a, b); }
    static F max(F a, F b) { return _mm256_max_ps(a, b); }
    static F floor(F a) { return _mm256_floor_ps(a); }
    static F to_float(I a) { return _mm256_cvtepi32_ps(a); }
    static I to_int(F a) { return _mm256_cvttps_epi32(a); }
    static I set_int(std::int32_t v) { return _mm256_set1_epi32(v); }
    static I add_int(I a, I b) { return _mm256_add_epi32(a, b); }
    static I mul_int(I a, I b) { return _mm256_mullo_epi32(a, b); }  // 10 cycles, off the critical path
    static I min_int(I a, I b) { return _mm256_min_epi32(a, b); }
    static I max_int(I a, I b) { return _mm256_max_epi32(a, b); }
    static I bit_and(I a, I b) { return _mm256_and_si256(a, b); }
    template <int kShift>
    static I shift_right(I a) {
        return _mm256_srli_epi32(a, kShift);
    }
    static bool all_at_most(I a, I b) {
        return _mm256_testz_si256(_mm256_cmpgt_epi32(a, b), _mm256_cmpgt_epi32(a, b)) != 0;
    }
    static F keep_where_equal(F v, I a, I b, I c, I d) {
        const I mask = _mm256_and_si256(_mm256_cmpeq_epi32(a, b), _mm256_cmpeq_epi32(c, d));
        return _mm256_and_ps(v, _mm256_castsi256_ps(mask));
    }
    static I pixels(const std::uint8_t* src, I offset) {
        return _mm256_i32gather_epi32(reinterpret_cast<const int*>(src), offset, 1);
    }
    static void store_int(std::int32_t* p, I v) { _mm256_store_si256(reinterpret_cast<I*>(p), v); }
    static long long word(const std::uint8_t* p) {
        long long eight;
        __builtin_memcpy(&eight, p, sizeof eight);
        return eight;
    }
    static F words(const std::uint8_t* src, const std::int32_t* at) {
        return _mm256_castsi256_ps(
            _mm256_setr_epi64x(word(src + at[0]), word(src + at[1]), word(src + at[4]), word(src + at[5])));
    }
    // The shuffle works within halves: lanes 0, 1, 4, 5 and 2, 3, 6, 7 come out in order.
    static void pairs(const std::uint8_t* src, const std::int32_t* at, I& low, I& high) {
        const F first = words(src, at), second = words(src, at + 2);
        low = _mm256_castps_si256(_mm256_shuffle_ps(first, second, 0x88));
        high = _mm256_castps_si256(_mm256_shuffle_ps(first, second, 0xdd));
    }
    // Sixteen floats, clamped and rounded.
    static __m128i bytes(const float* p) {
        const I low = _mm256_cvtps_epi32(min(max(load(p), set(0.0f)), set(255.0f)));
        const I high = _mm256_cvtps_epi32(min(max(load(p + 8), set(0.0f)), set(255.0f)));
        const I words = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
        return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    }
    // Sixteen bytes of each plane to 48 interleaved: byte 3*i + p of the result is byte i of plane p.
    static void weave(__m128i a, __m128i b, __m128i c, std::uint8_t* out) {
        constexpr char z = -1;
        const __m128i a0 = _mm_setr_epi8(0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z, z, 5);
        const __m128i b0 = _mm_setr_epi8(z, 0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z, z);
        const __m128i c0 = _mm_setr_epi8(z, z, 0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z);
        const __m128i a1 = _mm_setr_epi8(z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z, 10, z);
        const __m128i b1 = _mm_setr_epi8(5, z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z, 10);
        const __m128i c1 = _mm_setr_epi8(z, 5, z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z);
        const __m128i a2 = _mm_setr_epi8(z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z, z);
        const __m128i b2 = _mm_setr_epi8(z, z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z);
        const __m128i c2 = _mm_setr_epi8(10, z, z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15);
        const auto put = [&](int part, __m128i x, __m128i y, __m128i w) {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out) + part, _mm_or_si128(_mm_or_si128(x, y), w));
        };
        put(0, _mm_shuffle_epi8(a, a0), _mm_shuffle_epi8(b, b0), _mm_shuffle_epi8(c, c0));
        put(1, _mm_shuffle_epi8(a, a1), _mm_shuffle_epi8(b, b1), _mm_shuffle_epi8(c, c1));
        put(2, _mm_shuffle_epi8(a, a2), _mm_shuffle_epi8(b, b2), _mm_shuffle_epi8(c, c2));
    }
    static void interleave(const float* a, const float* b, const float* c, std::uint8_t* out) {
        weave(bytes(a), bytes(b), bytes(c), out);
    }
    static constexpr std::int32_t kHalved = 4, kHalveReads = 32, kHalveWrites = 14;
    // Sums of neighbouring pixels, three 16-bit sums for each of two output pixels in each 128-bit lane.
    static I pair_sums(const std::uint8_t* p, I order) {
        const I spread = _mm256_setr_epi32(0, 1, 2, 3, 3, 4, 5, 6);
        const I lanes = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), spread);
        return _mm256_maddubs_epi16(_mm256_shuffle_epi8(lanes, order), _mm256_set1_epi8(1));
    }
    static void halve(const std::uint8_t* top, const std::uint8_t* bottom, bool swap, std::uint8_t* out) {
        const __m128i straight = _mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1);
        const __m128i swapped = _mm_setr_epi8(2, 5, 1, 4, 0, 3, 8, 11, 7, 10, 6, 9, -1, -1, -1, -1);
        const I order = _mm256_broadcastsi128_si256(swap ? swapped : straight);
        const I one = _mm256_set1_epi16(1);
        const I sum = _mm256_add_epi16(pair_sums(top, order), pair_sums(bottom, order));
        const I odd = _mm256_and_si256(_mm256_srli_epi16(sum, 2), one);
        const I mean = _mm256_srli_epi16(_mm256_add_epi16(_mm256_add_epi16(sum, one), odd), 2);
        const I bytes = _mm256_packus_epi16(mean, mean);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(bytes));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 6), _mm256_extracti128_si256(bytes, 1));
    }
    static std::uint32_t above(I first, I second, const CodeScreen& job, const float* scales, float error) {
        // Two sums a row to one: rows 0..3 of both halves, then in order.
        const I dots = _mm256_permute4x64_epi64(_mm256_hadd_epi32(first, second), 0xd8);
        const F scale = mul(load(scales), set(job.query_scale));
        const F bound = add(mul(to_float(_mm256_sub_epi32(dots, set_int(job.offset))), scale), set(error));
        return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(bound, set(job.limit), _CMP_GE_OQ)));
    }
    static std::uint16_t screen(const std::uint8_t* block, const CodeScreen& job, const float* scales, float error) {
        I sums[4] = {set_int(0), set_int(0), set_int(0), set_int(0)};  // four rows each, two sums a row
        for (std::size_t g = 0; g < job.groups; ++g, block += 64) {
            std::int32_t four;
            __builtin_memcpy(&four, job.query + g * kCodeGroup, sizeof four);
            const I query = _mm256_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(four)));
            for (int k = 0; k < 4; ++k) {
                const I rows = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + k));
                sums[k] = add_int(sums[k], _mm256_madd_epi16(rows, query));
            }
        }
        return static_cast<std::uint16_t>(above(sums[0], sums[1], job, scales, error) |
                                          above(sums[2], sums[3], job, scales + 8, error) << 8);
    }
    static float sum(F v) {
        __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        s = _mm_add_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
    }
};

#include "simd.inl"

}  // namespace

const Kernels kAvx2Kernels = {"avx2",         warp_row<1>,  warp_row<2>,  warp_row<3>, yuv_row,
                              interleave_row, halve_row_c3, screen_codes, dot_rows,    sum_floats};

}  // namespace facewire
