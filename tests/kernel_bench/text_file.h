// SPDX-License-Identifier: Apache-2.0
// A FILE whose text can be read back.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>

struct TextFile {
    std::FILE *file = std::tmpfile();

    TextFile()
    {
        if (!file) throw std::runtime_error("no temporary file");
    }
    ~TextFile() { std::fclose(file); }
    TextFile(const TextFile &) = delete;
    TextFile &operator=(const TextFile &) = delete;

    std::string text()
    {
        std::string all;
        std::rewind(file);
        for (int c; (c = std::fgetc(file)) != EOF;) all += char(c);
        return all;
    }
};
