// SPDX-License-Identifier: Apache-2.0
// Files of torch.save built by hand, right or wrong: opcodes of a pickle as strings, and the three containers.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <vector>

namespace torch
{

inline std::string little(std::uint64_t n, int bytes)
{
    std::string s;
    for (int i = 0; i < bytes; ++i) s += char(i < 8 ? n >> (8 * i) & 0xFF : 0);
    return s;
}

// ---- values of a pickle ----

inline std::string text(const std::string &s) { return "X" + little(s.size(), 4) + s; }
inline std::string number(std::int64_t n) { return "\x8A\x08" + little(std::uint64_t(n), 8); }
inline std::string name(const std::string &module, const std::string &leaf)
{
    return "c" + module + "\n" + leaf + "\n";
}
inline std::string tuple(std::initializer_list<std::string> items)
{
    std::string s = "(";
    for (const std::string &item : items) s += item;
    return s + "t";
}
inline std::string numbers(const std::vector<std::int64_t> &values)
{
    std::string s = "(";
    for (std::int64_t n : values) s += number(n);
    return s + "t";
}
inline std::string call(const std::string &function, const std::string &arguments)
{
    return function + arguments + "R";
}
inline std::string dict(std::initializer_list<std::string> items)
{
    std::string s = "}(";
    for (const std::string &item : items) s += item;
    return s + "u";
}
inline std::string pickle(const std::string &value) { return "\x80\x02" + value + "."; }

struct Tensor {
    std::string type = "FloatStorage", key = text("0"), count = number(4), offset = number(0), sizes = numbers({ 4 }),
                strides = numbers({ 1 }), more = "", id = "";
    operator std::string() const
    {
        const std::string own = tuple({ text("storage"), name("torch", type), key, text("cpu"), count, more });
        return call(name("torch._utils", "_rebuild_tensor_v2"),
                    tuple({ (id.empty() ? own : id) + "Q", offset, sizes, strides, "\x89",
                            call(name("collections", "OrderedDict"), ")") }));
    }
};

// A pickle of one tensor called "w".
inline std::string state(const std::string &tensor) { return pickle(dict({ text("w"), tensor })); }

// ---- zip ----

struct Member {
    std::string name, data;
    int method = 0, flags = 0x808;
    std::int64_t size = -1, packed = -1, header = -1; // what the directory says, if not the truth
    std::string unpacked = "";                        // of a deflated one
    std::string own_name = "";                        // in the member's own header, if another one
};

// As torch writes it: data at multiples of 64, sizes only in the directory.
struct Zip {
    bool wide = false;
    std::string comment = "";
    std::int64_t count = -1, directory_at = -1;

    std::string operator()(const std::vector<Member> &members) const
    {
        std::string bytes, directory;
        for (const Member &m : members) add(m, bytes, directory);
        const std::uint64_t at = directory_at < 0 ? bytes.size() : std::uint64_t(directory_at);
        const std::uint64_t entries = count < 0 ? members.size() : std::uint64_t(count),
                            end = bytes.size() + directory.size();
        bytes += directory;
        if (wide)
            bytes += "PK\6\6" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) + little(entries, 8) +
                     little(entries, 8) + little(directory.size(), 8) + little(at, 8) + "PK\6\7" + little(0, 4) +
                     little(end, 8) + little(1, 4);
        return bytes + "PK\5\6" + little(0, 4) + little(wide ? 0xFFFF : entries, 2) +
               little(wide ? 0xFFFF : entries, 2) + little(wide ? 0xFFFFFFFF : directory.size(), 4) +
               little(wide ? 0xFFFFFFFF : at, 4) + little(comment.size(), 2) + comment;
    }

  private:
    void add(const Member &m, std::string &bytes, std::string &directory) const
    {
        const std::string &own = m.own_name.empty() ? m.name : m.own_name;
        const std::size_t header = bytes.size(), padding = 64 - (header + 30 + own.size() + 4) % 64;
        const std::uint64_t size = m.size >= 0 ? std::uint64_t(m.size) : m.method ? m.unpacked.size() : m.data.size();
        const std::uint64_t packed = m.packed >= 0 ? std::uint64_t(m.packed) : m.data.size();
        const std::uint64_t at = m.header >= 0 ? std::uint64_t(m.header) : header;
        bytes += "PK\3\4" + little(0, 2) + little(std::uint64_t(m.flags), 2) + little(std::uint64_t(m.method), 2) +
                 little(0, 16) + little(own.size(), 2) + little(4 + padding, 2) + own + "FB" + little(padding, 2) +
                 std::string(padding, 'Z') + m.data + "PK\7\10" + little(0, 4) + little(packed, 4) + little(size, 4);
        const std::string extra =
            wide ? little(1, 2) + little(24, 2) + little(size, 8) + little(packed, 8) + little(at, 8) : "";
        const auto field = [&](std::uint64_t n) { return little(wide ? 0xFFFFFFFF : n, 4); };
        directory += "PK\1\2" + little(0, 4) + little(std::uint64_t(m.flags), 2) + little(std::uint64_t(m.method), 2) +
                     little(0, 8) + field(packed) + field(size) + little(m.name.size(), 2) + little(extra.size(), 2) +
                     little(0, 10) + field(at) + m.name + extra;
    }
};

// A file whose storage "0" is `storage`.
inline std::string zip(const std::string &pickle, const std::string &storage = std::string(16, '\0'),
                       const std::string &order = "little")
{
    return Zip {}({ { "archive/data.pkl", pickle }, { "archive/byteorder", order }, { "archive/data/0", storage } });
}

// ---- before 1.6 ----

const std::string magic("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.", 15);

inline std::string legacy(const std::string &pickle, const std::string &keys, const std::string &data,
                          int protocol = 1001)
{
    return magic + torch::pickle(number(protocol)) + torch::pickle("}") + pickle + torch::pickle(keys) + data;
}

// ---- before 0.1.11 ----

inline std::string tar_member(const std::string &name, const std::string &data, const std::string &size = "")
{
    char digits[16];
    std::snprintf(digits, sizeof digits, "%011o", unsigned(data.size()));
    std::string header = name;
    header.resize(124, '\0');
    header += (size.empty() ? digits : size) + std::string(1, '\0');
    header.resize(156, '\0');
    header += '0';
    header.resize(257, '\0');
    header += "ustar";
    header.resize(512, '\0');
    return header + data + std::string((512 - data.size() % 512) % 512, '\0');
}

// Storage 7 and tensor 8, which is called "w"; storage 9 is the end of storage 7.
struct Tar {
    std::string type = "FloatStorage", tensor_storage = number(7),
                view = tuple({ number(9), number(7), number(2), number(2) }), name = "storages";
    std::int64_t elements = 4, storages = 1;
    std::vector<std::int64_t> sizes = { 4 }, strides = { 1 };
    std::int64_t offset = 0, rank = -1;

    std::string operator()(const std::string &data) const
    {
        const std::string kind = torch::name("torch", type),
                          object = call(torch::name("collections", "OrderedDict"), ")");
        std::string place = little(std::uint64_t(rank < 0 ? std::int64_t(sizes.size()) : rank), 4) + little(0, 4);
        for (std::int64_t n : sizes) place += little(std::uint64_t(n), 8);
        for (std::int64_t n : strides) place += little(std::uint64_t(n), 8);
        place += little(std::uint64_t(offset), 8);
        return tar_member("sys_info", pickle("}")) +
               tar_member(name, pickle(number(storages)) + pickle(tuple({ number(7), text("cpu"), kind })) +
                                    little(std::uint64_t(elements), 8) + data + pickle("](" + view + "e")) +
               tar_member("tensors", pickle(number(1)) + pickle(tuple({ number(8), tensor_storage, kind })) + place) +
               tar_member("pickle", pickle(object + text("w") + number(8) + "Qs")) + std::string(1024, '\0');
    }
};

} // namespace torch
