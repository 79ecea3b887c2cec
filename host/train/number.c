/* SPDX-License-Identifier: Apache-2.0 */
#include "train/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *trib_number_text(double value, char *text)
{
    if (isnan(value)) return strcpy(text, "nan");
    for (int digits = 6; digits <= 17; ++digits) {
        snprintf(text, TRIB_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    return text;
}
