# SPDX-License-Identifier: Apache-2.0
# Hidden names, system files, and files without an image's extension: counted, and not an error.
mkdir -p in/.ipynb_checkpoints in/__MACOSX
cp "$samples/00-ankle-boot.png" in/a.png
cp "$samples/02-trouser.png" in/b.PNG
for name in ._a.png .hidden.png .ipynb_checkpoints/a-checkpoint.png __MACOSX/._a.png; do printf x >"in/$name"; done
for name in Thumbs.db .DS_Store 1.gif 2.GIF 3.heic 4.tif 5.avif notes.txt; do printf x >"in/$name"; done
ok classify "$model" in --topk 1
expect_lines 3 out
expect_err "passed over: 1 ._*, 1 .avif, 2 .gif, 1 .heic, 1 .tif, 1 .txt, 1 Thumbs.db, 1 __MACOSX, 3 hidden"
expect_err "2 classified, 0 skipped"
tar cf in.tar in || fail "tar"
ok classify "$model" in.tar --topk 1
expect_lines 3 out
expect_err "passed over: 1 ._*, 1 .avif, 2 .gif"
find in -name '*.png' | sort >list
grep -v -e /.hidden.png -e /.ipynb_checkpoints/ list >mac
ok classify "$model" @mac --topk 1
expect_lines 2 out
expect_err "passed over: 1 ._*, 1 __MACOSX"
# as a shell names them
ok classify "$model" in/*[!0-9]*[bGg] in/__MACOSX --topk 1
expect_lines 3 out
expect_err "passed over: 1 Thumbs.db, 1 __MACOSX"
# nothing to report, nothing reported
rm -r in/.[a-zA-Z_]* in/__MACOSX in/Thumbs.db in/[0-9]* in/notes.txt
ok classify "$model" in --topk 1
! grep -q "passed over" err || fail "nothing was passed over"
mkdir none
printf x >none/a.gif
fails 1 "passed over: 1 .gif" classify "$model" none
