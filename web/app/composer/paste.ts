/** Whether a pasted text is code, so that the composer offers to put it in a fence. Pure. */

const LINES = 3;
/** Ends, beginnings and forms of lines that prose hardly has. */
const SIGNS = [
  /[;{}]\s*$/,
  /[)\]]\s*=>|=>\s*[{(]/,
  /^\s*(?:def|class|import|from|return|const|let|var|function|public|private|static|if|for|while|else|elif|try|except|end|fn|func|package|use|SELECT|FROM|WHERE|INSERT|UPDATE|CREATE)\b.*[:;({,)]?\s*$/,
  /^\s*(?:#!|\/\/|\/\*|<\/?[a-z][\w-]*[\s>/]|@\w+|\$ )/,
  /^\s*["'\w$.[\]-]+\s*(?:=|:=|\+=|-=)\s*\S/,
  /^\s*"[^"]+"\s*:\s*\S/,
  /^\s*[\w.]+\([^)]*\)\s*[;:{]?\s*$/,
  /^\s*File ".*", line \d+|^\s+at \S+[ (]/,
];
/** The share of lines that must look like code. */
const SHARE = 0.5;

export function looksLikeCode(text: string): boolean {
  if (/^\s*(?:```|~~~)/m.test(text)) return false;
  const lines = text.split("\n").filter((line) => line.trim());
  if (lines.length < LINES) return false;
  const signs = lines.filter((line) => SIGNS.some((sign) => sign.test(line))).length;
  const indented = lines.filter((line) => /^(?: {2,}|\t)\S/.test(line)).length;
  return signs / lines.length >= SHARE || (signs > 0 && indented / lines.length >= SHARE);
}
