/** A string as TypeScript and JavaScript write it, whatever is in it. */
export function literal(text: string): string {
  return /^[\w\-.~!$&()*+,;=:@%/ #^|<>?[\]{}]*$/.test(text) ? `'${text}'` : JSON.stringify(text);
}

/** A list of strings in one line. */
export function listLiteral(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`;
}

/** A name as the key of an object. */
export function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

/** A string as YAML writes it: in JSON's quotes, which are YAML's too, unless it is a plain word. */
function yamlText(text: string): string {
  return /^[a-z][\w./-]*$/i.test(text) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (character) => {
        return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
      });
}

/** The same where GitHub would take `${{ … }}` for an expression. */
export function workflowText(text: string): string {
  return yamlText(text.replaceAll('${{', "${{ '${{' }}"));
}
