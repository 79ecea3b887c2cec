# SPDX-License-Identifier: Apache-2.0
# The search for the fastest schedule: where it is kept, who uses it, and what is said without it. How fast anything is
# decides nothing here.
TRIBUTARY_CACHE_DIR=$folder/cache
export TRIBUTARY_CACHE_DIR
net="--arch bvlc --img-size 32 --width-multiplier 0.1 --classes 10 --device cpu"
ok bench $net -b 2 --iterations 1 --schedule auto
expect_err "--schedule auto: serial is used, because nothing has been measured for this"
[ ! -e cache ] || fail "looking must not make a folder"

ok tune $net -b 1,2 --tune-seconds 0.5
expect_out "batch 1: "
expect_out "batch 2: "
expect_out "schedule auto: searched in "
[ -s cache/schedules-cpu.txt ] || fail "it is kept"
ok plan $net -b 2 --schedule auto --explain
expect_no_err
expect_out "schedule auto: searched in "
ok bench $net -b 2 --iterations 1 --schedule auto
expect_no_err
ok plan $net -b 3 --schedule auto
expect_err "holds none for: infer googlenet-bvlc"
ok plan $net -b 2 --train --aux-weight 0 --schedule auto
expect_err "holds none for: train "
ok tune $net --train -b 2 --tune-seconds 0.5 --aux-weight 0
ok plan $net --train -b 2 --aux-weight 0 --schedule auto --explain
expect_out "schedule auto: searched in "
ok bench $net --train -b 2 --iterations 1 --aux-weight 0 --schedule auto
expect_no_err

# A run of training, whose network is that of its data.
data=$(dirname "$case_file")/../../data/fashion-64-images-idx3-ubyte.gz
small="-b 16 --img-size 32 --width-multiplier 0.1 --device cpu --schedule auto --max-steps 1"
ok train "$data" -o run $small
expect_err "the schedule is serial, because none has been measured for this"
ok tune --arch torchvision --classes 10 --img-size 32 --width-multiplier 0.1 --device cpu --train -b 16 \
    --tune-seconds 0.1
ok train "$data" -o again $small
! grep -q "the schedule is serial" err || fail "it has been measured"
ok train "$data" -o third $small --choice-cache none
expect_err "no file is kept"

# Another file, or none.
ok tune $net --tune-seconds 0.1 --choice-cache own
[ -s own.schedules-cpu.txt ] || fail "beside the named file"
ok plan $net --schedule auto --choice-cache own
expect_no_err
ok tune $net --tune-seconds 0.1 --choice-cache none
expect_err "no file is kept"
ok plan $net --schedule auto --choice-cache none
expect_err "no file is kept"

# A damaged one is as good as none, and replaced.
printf x >>cache/schedules-cpu.txt
ok plan $net -b 2 --schedule auto
expect_err "damaged at entry"
ok tune $net -b 2 --tune-seconds 0.1
ok plan $net -b 2 --schedule auto
expect_no_err
echo mine >cache/schedules-cpu.txt
fails 1 "holds something else, and is kept" tune $net -b 2 --tune-seconds 0.1
expect_no_out # before the search

# A folder that cannot be is named, before the search.
TRIBUTARY_CACHE_DIR=$folder/cache/schedules-cpu.txt fails 1 "schedules-cpu.txt: cannot create this folder" tune $net
expect_no_out

# What limits a search is not what is stored for the network without limits.
rm -r cache
ok tune $net -b 2 --tune-seconds 0.1 --lanes 1
expect_err "the result is shown and not kept"
ok tune $net -b 2 --tune-seconds 0.1 --memory-limit 1G
expect_err "the result is shown and not kept"
[ ! -e cache ] || fail "nothing is kept"

# A profile measures what was chosen: its lanes, for all schedules.
ok profile $net -b 4 --schedule auto --iterations 1 --warmup 0 --choice-cache own
expect_out "auto is serial here, because nothing has been measured for it"
ok tune $net -b 4 --tune-seconds 0.1 --choice-cache own
lanes=$(grep -E '^[0-9]+ lanes? of [0-9]+ thread' out) || fail "its lanes"
ok profile $net -b 4 --schedule auto --iterations 1 --warmup 0 --choice-cache own
tr '\n' ' ' <out | tr -s ' ' >words
grep -q "All schedules run on $lanes, which 'tributary tune' chose for auto" words || fail "lanes of auto"

fails 2 "--schedule does not take" plan $net --schedule auto,inception_3a=serial
fails 2 "--schedule does not take" plan $net --schedule inception_3a=auto
