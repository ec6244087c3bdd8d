// SPDX-License-Identifier: GPL-3.0-or-later
// meshoptimizer's simplifier as a peer of `make bench`.   meshopt_peer TRIANGLES IN.stl OUT.stl
#include <meshoptimizer.h>

#include <cstdlib>

#include "tests/bench/peers/stl.h"

int main(int argc, char **argv)
{
    std::vector<float> corners;
    std::size_t wanted = argc == 4 ? 3 * (std::size_t)std::atol(argv[1]) : 0;
    if (!wanted || !stl_load(corners, argv[2]))
        return 2;
    std::size_t n = corners.size() / 3;
    std::vector<unsigned> map(n), indices(n), fewer(n);
    std::size_t unique = meshopt_generateVertexRemap(map.data(), nullptr, n, corners.data(), n, 12);
    std::vector<float> points(3 * unique);
    meshopt_remapVertexBuffer(points.data(), corners.data(), n, 12, map.data());
    meshopt_remapIndexBuffer(indices.data(), nullptr, n, map.data());
    fewer.resize(meshopt_simplify(fewer.data(), indices.data(), n, points.data(), unique, 12,
                                  wanted, 1e-1f));
    std::vector<float> out;
    for (unsigned i : fewer)
        out.insert(out.end(), {points[3 * i], points[3 * i + 1], points[3 * i + 2]});
    return stl_save(out, argv[3]) ? 0 : 1;
}
