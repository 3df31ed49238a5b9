// The text of a prompt is the truth; these functions read and write one parameter in it.

const DASH = "[-\u2010-\u2015\u2212]{1,2}";
const NEXT = `(?=\\s${DASH}[a-z]|\\s*$)`;

function pattern(names, takesValue) {
  const value = takesValue ? `((?:\\s+(?!${DASH}[a-z])\\S+)*?)${NEXT}` : "(?=\\s|$)";
  return new RegExp(`(^|\\s)${DASH}(?:${names.join("|")})${value}`, "i");
}

// The value of a parameter: a string ("" when it stands alone), or null when it is absent.
export function read(text, names) {
  const found = text.match(pattern(names, true));
  return found ? found[2].trim() : null;
}

// The text with the parameter set to `value`; null removes it, "" writes it without a value.
export function write(text, names, value) {
  const bare = text.replace(pattern(names, true), "$1").replace(/[ \t]{2,}/g, " ").trimEnd();
  if (value === null) return bare;
  return `${bare} --${names[0]}${value === "" ? "" : ` ${value}`}`.trimStart();
}
