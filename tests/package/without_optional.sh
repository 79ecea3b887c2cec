#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# without_optional.sh PROGRAM MODELS-FOLDER DATA-FOLDER: a program built without any optional library says, for each, what it cannot do and why.
set -euo pipefail
