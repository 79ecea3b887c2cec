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
    if (d.kind == TRIB_CONV2D || d.kind == TRIB_MAX_POOL2D || d.kind == TRIB_AVG_POOL2D)
        out << ", window " << g.r << 'x' << g.s << " stride " << g.stride_h << ',' << g.stride_w << " pad " << g.pad_top
            << ',' << g.pad_left << ',' << g.pad_bottom << ',' << g.pad_right;
    out << (d.has_bias ? ", bias" : "") << (d.relu ? ", relu" : "");
    return out.str();
}

} // namespace conformance
