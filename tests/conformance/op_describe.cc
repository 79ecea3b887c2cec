// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "conformance/op_case.h"

namespace conformance
{

namespace
{

void write_view(std::ostream &out, const trib_view &v)
{
    out << trib_layout_name(v.layout) << ' ' << v.n << 'x' << v.c << 'x' << v.h << 'x' << v.w;
    if (v.c != v.c_total) out << " (channels " << v.c_offset << ".. of " << v.c_total << ')';
}

bool has_window(trib_kind kind)
{
    switch (kind) {
    case TRIB_CONV2D:
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_CONV2D_BACKWARD_WEIGHT:
    case TRIB_MAX_POOL2D:
    case TRIB_MAX_POOL2D_INDEXED:
    case TRIB_MAX_POOL2D_BACKWARD:
    case TRIB_AVG_POOL2D:
    case TRIB_AVG_POOL2D_BACKWARD: return true;
    default: return false;
    }
}

} // namespace

std::string describe(const trib_op_desc &d)
{
    std::ostringstream out;
    if (d.before.kind != TRIB_NO_STAGE) out << trib_kind_name(d.before.kind) << " before ";
    out << trib_kind_name(d.kind) << ' ';
    for (int i = 0; i < d.input_count; ++i)
        write_view(out, d.inputs[i]), out << (i + 1 < d.input_count ? ", " : " -> ");
    write_view(out, d.outputs[0]);
    trib_window_geometry g = window_of(d);
    if (has_window(d.kind))
        out << ", window " << g.r << 'x' << g.s << " stride " << g.stride_h << ',' << g.stride_w << " pad " << g.pad_top
            << ',' << g.pad_left << ',' << g.pad_bottom << ',' << g.pad_right;
    out << (d.has_bias ? ", bias" : "") << (d.relu ? ", relu" : "") << (d.accumulate ? ", accumulate" : "");
    if (d.chunk) out << ", chunks of " << d.chunk;
    return out.str();
}

} // namespace conformance
