import { gitPrologue } from "./git-script.ts"

/**
 * Finds out what differs between what was copied in and the workspace: afterwards `GIT_DIR` is a repository of our own
 * whose index is the workspace's files, and `$tree` what was copied in. $1: "all" shows ignored files too. Content from
 * before comes from /base or, checked against its hash, from the two repositories; what is in none of them any more is
 * taken out of the comparison and listed in /tmp/gone. Everything else about a file is read from the file itself.
 */
export const changesScript = `${gitPrologue}
empty=e69de29bb2d1d6434b8b29ae775ad8c2e48c5391
own /scratch/look /base/objects
export GIT_DIR=/scratch/look GIT_WORK_TREE=/tree GIT_INDEX_FILE=/scratch/index
cd /tree
# Without what the index says of times: whose second is the same, git takes for unchanged, and an agent is that quick.
if [ -f /base/index ]; then GIT_INDEX_FILE=/base/index git ls-files -s -z | git update-index -z --index-info; tree=$(cat /base/tree)
else tree=$(git mktree < /dev/null); fi
files > /scratch/now
git ls-files -z | LC_ALL=C sort -z > /scratch/was
LC_ALL=C comm -z -13 /scratch/was /scratch/now > /scratch/new
: > /scratch/ignored
if [ "$1" != all ] && [ -s /scratch/new ]; then
  git check-ignore -z --stdin --no-index < /scratch/new | LC_ALL=C sort -z > /scratch/ignored || true
  LC_ALL=C comm -z -23 /scratch/new /scratch/ignored > /scratch/shown
  mv /scratch/shown /scratch/new
fi
sed -z "s/^/100644 $empty 0\\t/" /scratch/new | git update-index --replace -z --index-info
find . -xdev -iname .git -prune -o -type f ! $small -printf '%P\\0' > /scratch/large
if [ -s /scratch/large ]; then
  git update-index --force-remove -z --stdin < /scratch/large
  if [ -f /base/index ]; then
    cp /base/index /scratch/smaller
    GIT_INDEX_FILE=/scratch/smaller git update-index --force-remove -z --stdin < /scratch/large
    tree=$(GIT_INDEX_FILE=/scratch/smaller git write-tree --missing-ok)
  fi
fi
git update-index -q --refresh > /dev/null || true
: > /scratch/gone
# The content of $1's other side that we do not have: from where it may be, taken over only under its true hash.
git diff-index --raw --no-renames --no-abbrev -z "$tree" | tr '\\0\\t' '\\n ' | sed -n 's/^:[0-7]* [0-7]* \\([0-9a-f]\\{40\\}\\) .*/\\1/p' \\
  | grep -v '^0*$' | LC_ALL=C sort -u > /scratch/wanted || true
missing() { git cat-file --batch-check='%(objectname)' < "$1" | sed -n 's/ missing$//p'; }
missing /scratch/wanted > /scratch/lacking
if [ -s /scratch/lacking ]; then
  own /scratch/there /known /tree/.git/objects
  export GIT_DIR=/scratch/there
  LC_ALL=C comm -23 /scratch/lacking <(missing /scratch/lacking | LC_ALL=C sort) > /scratch/offered
  export GIT_DIR=/scratch/look
  if ! GIT_DIR=/scratch/there git pack-objects -q --stdout < /scratch/offered 2>/dev/null | git index-pack --stdin > /dev/null 2>&1; then
    head -n 2000 /scratch/offered | while read -r one; do
      GIT_DIR=/scratch/there git cat-file blob "$one" 2>/dev/null | git hash-object -w --stdin > /dev/null 2>&1 || true
    done
  fi
  missing /scratch/lacking > /scratch/lost
  if [ -s /scratch/lost ]; then
    cp /base/index /scratch/before
    GIT_INDEX_FILE=/scratch/before git update-index --force-remove -z --stdin < /scratch/large
    GIT_INDEX_FILE=/scratch/before git ls-files -s -z | grep -zFf <(sed 's/$/ 0/' /scratch/lost) | cut -z -f 2- > /scratch/gone || true
    GIT_INDEX_FILE=/scratch/before git update-index --force-remove -z --stdin < /scratch/gone
    tree=$(GIT_INDEX_FILE=/scratch/before git write-tree --missing-ok)
  fi
fi
count() { tr -cd '\\0' < "$1" | wc -c; }
`
