const colour = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g');

/** What a terminal shows of a text that clients, or an API, had a hand in: no control characters, no escape sequences. */
export function terminalText(text: string): string {
  return (
    text
      // Colours that a program gives its own lines are left out as a whole, and not piece by piece.
      .replace(colour, '')
      .replaceAll('\t', '  ')
      // Cc: control characters. Cf: among others those that turn the direction of the text around.
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
  );
}
