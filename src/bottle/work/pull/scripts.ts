import { gitPrologue } from "../git-script.ts"

/** What the first script found wrong with the workspace's repository, by exit code. */
export const readRefusals: Readonly<Record<number, { message: string; hint: string }>> = {
  40: {
    message: "its workspace holds no git repository",
    hint: "bottle diff shows what was changed, bottle cp copies files out",
  },
  41: { message: "its repository uses another object format than sha1", hint: "bottle cp copies files out" },
  42: {
    message: "its repository keeps its refs in a format that is not read here",
    hint: "bottle cp copies files out",
  },
}

/**
 * Reads the workspace's refs into a repository of our own that finds the workspace's objects; its settings, hooks, index,
 * replacements and grafts stay where they are. $1: "wip" makes a commit of what is not committed. Prints records ended by
 * NUL: `known`, `ref`, `current`, `head`, `uncommitted`, `nested`.
 */
export const readScript = `${gitPrologue}
theirs=/tree/.git
if [ -L "$theirs" ] || [ ! -d "$theirs" ] || [ -L "$theirs/objects" ]; then exit 40; fi
setting() { git config -f "$theirs/config" --no-includes --get "$1" 2>/dev/null || true; }
if [ -f "$theirs/config" ]; then
  case "$(setting extensions.objectformat)" in ''|sha1) ;; *) exit 41 ;; esac
  case "$(setting extensions.refstorage)" in ''|files) ;; *) exit 42 ;; esac
fi
own /scratch/pull "$theirs/objects"
plain() { [ -f "$1" ] && [ ! -L "$1" ]; }
if plain "$theirs/HEAD"; then head -c 1000 "$theirs/HEAD" > /scratch/pull/HEAD; fi
if plain "$theirs/packed-refs"; then grep -aE '^([0-9a-f]{40} refs/[^ ]+|\\^[0-9a-f]{40})$' "$theirs/packed-refs" > /scratch/pull/packed-refs || true; fi
(cd "$theirs" && find refs -xdev -type f -size -2 ! -name '*.lock' -print0 | tar --null --no-recursion -T - -cf - | tar -C /scratch/pull --no-same-owner -xf -)
export GIT_DIR=/scratch/pull
if [ -f /base/known ]; then sed 's/^/known /' /base/known | tr '\\n' '\\0'; fi
git for-each-ref --format='ref %(objectname) %(refname)' refs/heads refs/tags refs/stash 2>/dev/null | tr '\\n' '\\0'
head=$(git rev-parse -q --verify 'HEAD^{commit}' 2>/dev/null || true)
if current=$(git symbolic-ref -q HEAD); then printf 'current %s\\0' "$current"
elif [ -n "$head" ]; then printf 'head %s\\0' "$head"; fi

cd /tree
find . -xdev -mindepth 2 -iname .git -printf '%h\\0' -prune > /scratch/nested
printf 'nested %s\\0' "$(tr -cd '\\0' < /scratch/nested | wc -c)"
without=()
while IFS= read -r -d '' one; do without+=(-o -path "$one"); done < <(head -z -n 2000 /scratch/nested | sed -z 's/[][*?\\\\]/\\\\&/g')
find . -xdev '(' -iname .git "\${without[@]}" ')' -prune -o '(' -type f $small -o -type l ')' -printf '%P\\0' | LC_ALL=C sort -z > /scratch/now
export GIT_WORK_TREE=/tree GIT_INDEX_FILE=/scratch/index
if [ -n "$head" ]; then git read-tree "$head"; fi
git ls-files -z | LC_ALL=C sort -z > /scratch/was
LC_ALL=C comm -z -13 /scratch/was /scratch/now > /scratch/new
if [ -s /scratch/new ]; then
  git check-ignore -z --stdin --no-index < /scratch/new | LC_ALL=C sort -z > /scratch/ignored || true
  LC_ALL=C comm -z -23 /scratch/new /scratch/ignored > /scratch/shown
  mv /scratch/shown /scratch/new
fi
git update-index -q --refresh > /dev/null || true
if [ -n "$head" ]; then git diff-index --name-only --ignore-submodules=all -z "$head" > /scratch/changed; else : > /scratch/changed; fi
uncommitted=$(cat /scratch/changed /scratch/new | tr -cd '\\0' | wc -c)
if [ "$1" = wip ] && [ "$uncommitted" -gt 0 ]; then
  cat /scratch/changed /scratch/new | git update-index -z --add --remove --replace --stdin
  tree=$(git write-tree)
  parent=(); if [ -n "$head" ]; then parent=(-p "$head"); fi
  printf 'wip %s\\0' "$(git commit-tree "$tree" "\${parent[@]}" -m "Work in progress, taken from the bottle's workspace")"
  uncommitted=0
fi
# Too large to be committed here, and so still only in the workspace.
large=$(find . -xdev -iname .git -prune -o -type f ! $small -printf x | wc -c)
printf 'uncommitted %s\\0' "$((uncommitted + large))"
`

/** For the next three: what is wanted, one object a line on stdin, and after `--not` what the operator has. */
const wantedScript = `${gitPrologue}
export GIT_DIR=/scratch/pull
cat > /scratch/input
sed '/^--not$/,$d' /scratch/input > /scratch/tips
sed '1,/^--not$/d' /scratch/input > /scratch/asked
# What the operator has and this repository knows.
git cat-file --batch-check='%(objectname) %(objecttype)' < /scratch/asked | sed -n 's/^\\([0-9a-f]*\\) \\(commit\\|tag\\)$/\\1/p' > /scratch/have
{ cat /scratch/tips; sed 's/^/^/' /scratch/have; } > /scratch/range
`

/** Prints the wanted objects' number, sizes and the largest of them, then for each wanted one its count of new commits. */
export const measureScript = `${wantedScript}
git cat-file --batch-check='%(objectname) %(objecttype)' < /scratch/tips | grep -v ' \\(commit\\|tag\\)$' > /scratch/bad || true
if [ -s /scratch/bad ]; then echo "not a commit: $(head -n 1 /scratch/bad)" >&2; exit 1; fi
git rev-list --objects --stdin < /scratch/range > /scratch/objects
git cat-file --batch-check='%(objectsize) %(objecttype) %(objectname) %(rest)' < /scratch/objects > /scratch/sizes
if grep -m 1 '^[0-9a-f]\\{40\\} missing' /scratch/sizes > /scratch/bad; then echo "object $(cat /scratch/bad)" >&2; exit 1; fi
awk '{ total += $1; count += 1; if ($1 + 0 > most) { most = $1 + 0; line = $0 } } END { printf "%d %.0f %.0f\\n%s\\n", count, total, most, line }' /scratch/sizes
cat /scratch/have | tr '\\n' ' '; echo
while read -r tip; do { echo "$tip"; sed 's/^/^/' /scratch/have; } | git rev-list --count --stdin; done < /scratch/tips
`

/** Prints the wanted objects as one pack that needs none of the operator's. */
export const packScript = `${wantedScript}
git pack-objects -q --revs --stdout --delta-base-offset < /scratch/range
`

/** Prints gitleaks' report over the wanted commits; the repository's own rules and exceptions do not count. */
export const leaksScript = `${wantedScript}
number=0
{ while read -r one; do number=$((number + 1)); echo "create refs/remotes/tips/$number $one"; done < /scratch/tips
  while read -r one; do number=$((number + 1)); echo "create refs/remotes/have/$number $one"; done < /scratch/have; } | git update-ref --stdin
unset GIT_DIR
set +e
/tools/gitleaks detect --no-banner --no-color --redact --source /scratch/pull --ignore-gitleaks-allow --gitleaks-ignore-path /nonexistent \\
  --log-opts '--no-ext-diff --no-textconv --remotes=tips --not --remotes=have' --report-format json --report-path /scratch/leaks.json --exit-code 9 --log-level error >&2
code=$?
if [ "$code" = 0 ] || [ "$code" = 9 ]; then cat /scratch/leaks.json; exit 0; fi
exit 1
`

/**
 * In a sandbox that never saw the workspace: takes the pack at /pack apart, from byte $1 on, and checks each object's form
 * and hash. Prints their number and true sizes, then which of the tips on stdin are there.
 */
export const verifyScript = `${gitPrologue}
own /scratch/check
export GIT_DIR=/scratch/check
cat > /scratch/tips
tail -c "+$1" /pack | git index-pack --stdin > /dev/null
# What the operator has is not here: only the objects themselves are judged (1), and the pack (4).
set +e
judge=(); for one in hasDotgit hasDot hasDotdot fullPathname; do judge+=(-c "fsck.$one=error"); done
for one in gitattributesMissing gitmodulesMissing; do judge+=(-c "fsck.$one=ignore"); done
git "\${judge[@]}" fsck --no-dangling --no-reflogs --no-progress > /scratch/fsck 2>&1
code=$?
set -e
if [ $((code & 5)) -ne 0 ]; then grep -a '^error' /scratch/fsck | head -n 3 >&2; exit 1; fi
git cat-file --batch-all-objects --batch-check='%(objectsize)' | awk '{ total += $1; count += 1; if ($1 + 0 > most) most = $1 + 0 } END { printf "%d %.0f %.0f\\n", count, total, most }'
git cat-file --batch-check='%(objectname) %(objecttype)' < /scratch/tips
`
