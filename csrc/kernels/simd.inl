// The vector bodies of the kernels, written once over a small vector type V and included into each
// instruction-set file inside that file's anonymous namespace. V gives: F (floats), I (int32), kLanes, and the
// static functions used below. Everything here has internal linkage in the including file.
//
// V::interleave(a, b, c, out) rounds and clamps kInterleaved floats of each and writes them as a b c a b c ... bytes.
// V::halve(top, bottom, swap, out) makes V::kHalved pixels; it may read V::kHalveReads bytes of each row and write
// V::kHalveWrites. V::screen(block, job, scales, error) gives the survivors of a block.
// V::pairs(src, at, low, high) loads, for each lane, the eight bytes that start at src + at[lane], as two int32.
// V::pixels(src, offset) loads, for each lane, the four bytes that start at src + offset, as one int32.

constexpr std::int32_t kInterleaved = 16;

template <int kShift>
inline V::F channel(V::I pixel) {
    return V::to_float(V::bit_and(V::template shift_right<kShift>(pixel), V::set_int(0xff)));
}

template <int kChannels>
inline void warp_scalar(const WarpRow& row, std::int32_t first, std::int32_t last) {
    WarpRow part = row;
    part.x0 = row.x0 + static_cast<float>(first) * row.dx;
    part.y0 = row.y0 + static_cast<float>(first) * row.dy;
    for (int ch = 0; ch < kChannels; ++ch) part.out[ch] = row.out[ch] + first;
    part.count = last - first;
    if constexpr (kChannels == 1) kScalarKernels.warp_row_c1(part);
    if constexpr (kChannels == 2) kScalarKernels.warp_row_c2(part);
    if constexpr (kChannels == 3) kScalarKernels.warp_row_c3(part);
}

template <int kChannels>
inline void blend_store(const WarpRow& row, std::int32_t i, const V::I (&pixel)[4], const V::F (&weight)[4],
                        V::F outside) {
    const auto blend = [&](auto values, int ch) {
        V::F sum = V::fma(weight[0], values(pixel[0]), outside);
        sum = V::fma(weight[1], values(pixel[1]), sum);
        sum = V::fma(weight[2], values(pixel[2]), sum);
        sum = V::fma(weight[3], values(pixel[3]), sum);
        V::store(row.out[ch] + i, V::fma(sum, V::set(row.scale[ch]), V::set(row.bias[ch])));
    };
    blend([](V::I p) { return channel<0>(p); }, 0);
    if constexpr (kChannels > 1) blend([](V::I p) { return channel<8>(p); }, 1);
    if constexpr (kChannels > 2) blend([](V::I p) { return channel<16>(p); }, 2);
}

// The four corners of pixels i .. i + kLanes - 1 lie inside the frame, and eight bytes from the left ones inside its
// memory. The margin covers the rounding of coordinates.
inline bool block_is_inside(const WarpRow& row, std::int32_t i) {
    constexpr float kMargin = 0.05f;
    constexpr std::int32_t kFarthest = 1 << 16;
    const auto first = static_cast<float>(i), last = static_cast<float>(i + V::kLanes - 1);
    const float xa = row.x0 + first * row.dx, xb = row.x0 + last * row.dx;
    const float ya = row.y0 + first * row.dy, yb = row.y0 + last * row.dy;
    const float right = static_cast<float>(row.width) - 3.0f - kMargin;
    const float bottom = static_cast<float>(row.height) - 2.0f - kMargin;
    if (row.width > kFarthest || row.height > kFarthest || row.x0 < -kFarthest || row.x0 > kFarthest ||
        row.y0 < -kFarthest || row.y0 > kFarthest)
        return false;  // coordinates too coarse for the margin
    return xa > kMargin && xb > kMargin && xa < right && xb < right && ya > kMargin && yb > kMargin && ya < bottom &&
           yb < bottom;
}

// Three channels, away from the borders: nothing to clamp, and a pixel and its right neighbour are one load. Gathers
// cost a processor as much as the loads they are made of, and more (docs/performance.md).
inline void warp_block_inside(const WarpRow& row, std::int32_t i) {
    const V::F one = V::set(1.0f);
    const V::F step = V::add(V::set(static_cast<float>(i)), V::ramp());
    const V::F x = V::fma(step, V::set(row.dx), V::set(row.x0)), y = V::fma(step, V::set(row.dy), V::set(row.y0));
    const V::F fx = V::floor(x), fy = V::floor(y);
    const V::F wx = V::sub(x, fx), wy = V::sub(y, fy);
    const V::F ux = V::sub(one, wx), uy = V::sub(one, wy);
    const V::F weight[4] = {V::mul(ux, uy), V::mul(wx, uy), V::mul(ux, wy), V::mul(wx, wy)};
    alignas(64) std::int32_t at[V::kLanes];
    V::store_int(
        at, V::add_int(V::mul_int(V::to_int(fy), V::set_int(row.stride)), V::mul_int(V::to_int(fx), V::set_int(3))));
    V::I low[2], high[2];
    V::pairs(row.src, at, low[0], high[0]);
    V::pairs(row.src + row.stride, at, low[1], high[1]);
    const auto blend = [&](auto left, auto right, int ch) {
        V::F sum = V::fma(weight[0], left(0), V::set(0.0f));
        sum = V::fma(weight[1], right(0), sum);
        sum = V::fma(weight[2], left(1), sum);
        sum = V::fma(weight[3], right(1), sum);
        V::store(row.out[ch] + i, V::fma(sum, V::set(row.scale[ch]), V::set(row.bias[ch])));
    };
    blend([&](int r) { return channel<0>(low[r]); }, [&](int r) { return channel<24>(low[r]); }, 0);
    blend([&](int r) { return channel<8>(low[r]); }, [&](int r) { return channel<0>(high[r]); }, 1);
    blend([&](int r) { return channel<16>(low[r]); }, [&](int r) { return channel<8>(high[r]); }, 2);
}

// Loading four bytes at a pixel reads past the last pixels of the plane; a block that would is left to the
// scalar kernel.
template <int kChannels>
void warp_row(const WarpRow& row) {
    const V::F x_high = V::set(static_cast<float>(row.width) + 1.0f);
    const V::F y_high = V::set(static_cast<float>(row.height) + 1.0f);
    const V::F low = V::set(-2.0f), one = V::set(1.0f);
    const V::I last_x = V::set_int(row.width - 1), last_y = V::set_int(row.height - 1);
    const V::I zero = V::set_int(0), one_int = V::set_int(1);
    const V::I stride = V::set_int(row.stride), channels = V::set_int(kChannels);
    const V::I last_safe = V::set_int(row.bytes - 4);
    std::int32_t i = 0;
    for (; i + V::kLanes <= row.count; i += V::kLanes) {
        if (kChannels == 3 && block_is_inside(row, i)) {
            warp_block_inside(row, i);
            continue;
        }
        const V::F step = V::add(V::set(static_cast<float>(i)), V::ramp());
        const V::F x = V::min(V::max(V::fma(step, V::set(row.dx), V::set(row.x0)), low), x_high);
        const V::F y = V::min(V::max(V::fma(step, V::set(row.dy), V::set(row.y0)), low), y_high);
        const V::F fx = V::floor(x), fy = V::floor(y);
        const V::F wx = V::sub(x, fx), wy = V::sub(y, fy);
        const V::F ux = V::sub(one, wx), uy = V::sub(one, wy);
        const V::I xi[2] = {V::to_int(fx), V::add_int(V::to_int(fx), one_int)};
        const V::I yi[2] = {V::to_int(fy), V::add_int(V::to_int(fy), one_int)};
        const V::I cx[2] = {V::min_int(V::max_int(xi[0], zero), last_x), V::min_int(V::max_int(xi[1], zero), last_x)};
        const V::I cy[2] = {V::min_int(V::max_int(yi[0], zero), last_y), V::min_int(V::max_int(yi[1], zero), last_y)};
        V::F weight[4] = {V::mul(ux, uy), V::mul(wx, uy), V::mul(ux, wy), V::mul(wx, wy)};
        V::I offset[4];
        bool safe = row.bytes >= 4;
        for (int corner = 0; corner < 4; ++corner) {
            const int c = corner & 1, r = corner >> 1;
            offset[corner] = V::add_int(V::mul_int(cy[r], stride), V::mul_int(cx[c], channels));
            safe = safe && V::all_at_most(offset[corner], last_safe);
            if (!row.replicate_border) weight[corner] = V::keep_where_equal(weight[corner], cx[c], xi[c], cy[r], yi[r]);
        }
        if (!safe) {
            warp_scalar<kChannels>(row, i, i + V::kLanes);
            continue;
        }
        V::F outside = V::set(0.0f);
        if (!row.replicate_border) {
            const V::F inside = V::add(V::add(weight[0], weight[1]), V::add(weight[2], weight[3]));
            outside = V::mul(V::set(row.border), V::sub(one, inside));
        }
        const V::I pixel[4] = {V::pixels(row.src, offset[0]), V::pixels(row.src, offset[1]),
                               V::pixels(row.src, offset[2]), V::pixels(row.src, offset[3])};
        blend_store<kChannels>(row, i, pixel, weight, outside);
    }
    if (i < row.count) warp_scalar<kChannels>(row, i, row.count);
}

inline V::F clamp_byte(V::F v) { return V::min(V::max(v, V::set(0.0f)), V::set(255.0f)); }

void yuv_row(const YuvRow& row) {
    std::int32_t i = 0;
    for (; i + V::kLanes <= row.count; i += V::kLanes) {
        const V::F luma = V::mul(V::set(1.164f), V::sub(V::load(row.y + i), V::set(16.0f)));
        const V::F u = V::sub(V::load(row.u + i), V::set(128.0f));
        const V::F v = V::sub(V::load(row.v + i), V::set(128.0f));
        const V::F rgb[3] = {
            V::fma(V::set(1.596f), v, luma),
            V::fma(V::set(-0.391f), u, V::fma(V::set(-0.813f), v, luma)),
            V::fma(V::set(2.018f), u, luma),
        };
        for (int ch = 0; ch < 3; ++ch)
            V::store(row.out[ch] + i, V::fma(clamp_byte(rgb[ch]), V::set(row.scale[ch]), V::set(row.bias[ch])));
    }
    if (i < row.count) {
        YuvRow rest = row;
        rest.y += i, rest.u += i, rest.v += i, rest.count -= i;
        for (float*& plane : rest.out) plane += i;
        kScalarKernels.yuv_row(rest);
    }
}

void interleave_row(const float* const planes[3], std::int32_t count, std::uint8_t* out) {
    std::int32_t i = 0;
    for (; i + kInterleaved <= count; i += kInterleaved)
        V::interleave(planes[0] + i, planes[1] + i, planes[2] + i, out + 3 * i);
    const float* const rest[3] = {planes[0] + i, planes[1] + i, planes[2] + i};
    kScalarKernels.interleave_row(rest, count - i, out + 3 * i);
}

void halve_row_c3(const std::uint8_t* top, const std::uint8_t* bottom, std::int32_t count, bool swap,
                  std::uint8_t* out) {
    std::int32_t i = 0;
    for (; 6 * i + V::kHalveReads <= 6 * count && 3 * i + V::kHalveWrites <= 3 * count; i += V::kHalved)
        V::halve(top + 6 * i, bottom + 6 * i, swap, out + 3 * i);
    kScalarKernels.halve_row_c3(top + 6 * i, bottom + 6 * i, count - i, swap, out + 3 * i);
}

void screen_codes(const CodeScreen& job) {
    for (std::size_t b = 0; b < job.blocks; ++b) {
        const std::uint8_t* block = job.codes + b * job.groups * kCodeRows * kCodeGroup;
        const float error = job.errors[b] * job.error_factor + job.error_more;
        job.survivors[b] = V::screen(block, job, job.scales + b * kCodeRows, error);
    }
}

constexpr std::size_t kLineBytes = 64;
// Twelve rows of 128 floats ahead: the processors' own prefetching stops at each page of 4 kB
// (docs/performance.md).
constexpr std::size_t kAheadBytes = 12 * 128 * sizeof(float);

// Four independent sums hide the latency of the fused multiply-add (4 cycles on current x86 cores).
void dot_rows(const float* rows, std::size_t n_rows, std::size_t dim, const float* query, float* out) {
    constexpr std::size_t kBlock = 4 * V::kLanes;
    for (std::size_t r = 0; r < n_rows; ++r) {
        const float* row = rows + r * dim;
        const std::uintptr_t ahead = reinterpret_cast<std::uintptr_t>(row) + kAheadBytes;  // may lie beyond the rows
        for (std::size_t byte = 0; byte < dim * sizeof(float); byte += kLineBytes)
            __builtin_prefetch(reinterpret_cast<const void*>(ahead + byte), 0, 0);
        V::F sum[4] = {V::set(0.0f), V::set(0.0f), V::set(0.0f), V::set(0.0f)};
        std::size_t d = 0;
        for (; d + kBlock <= dim; d += kBlock)
            for (int k = 0; k < 4; ++k)
                sum[k] = V::fma(V::load(row + d + k * V::kLanes), V::load(query + d + k * V::kLanes), sum[k]);
        for (; d + V::kLanes <= dim; d += V::kLanes) sum[0] = V::fma(V::load(row + d), V::load(query + d), sum[0]);
        float total = V::sum(V::add(V::add(sum[0], sum[1]), V::add(sum[2], sum[3])));
        for (; d < dim; ++d) total += row[d] * query[d];
        out[r] = total;
    }
}

float sum_floats(const float* values, std::size_t count) {
    V::F sum[8] = {V::set(0.0f), V::set(0.0f), V::set(0.0f), V::set(0.0f),
                   V::set(0.0f), V::set(0.0f), V::set(0.0f), V::set(0.0f)};
    std::size_t i = 0;
    for (; i + 8 * V::kLanes <= count; i += 8 * V::kLanes)
        for (int k = 0; k < 8; ++k) sum[k] = V::add(sum[k], V::load(values + i + k * V::kLanes));
    for (int k = 1; k < 8; ++k) sum[0] = V::add(sum[0], sum[k]);
    return V::sum(sum[0]) + kScalarKernels.sum_floats(values + i, count - i);
}
