/** Raw in JSON they are lawful; a YAML reader refuses them, and reads U+0085 as the end of a line. */
// eslint-disable-next-line no-control-regex
const NOT_YAML = /[\u007f-\u009f\ufffe\uffff]/g;

/**
 * The same JSON in a form that the API server's YAML reader (which reads every apply body, JSON too) understands alike: without
 * this a NEL in a ConfigMap arrives as a blank, and DEL or U+FFFE refuse the object. Seen on Kubernetes 1.36.
 */
export function yamlSafe(json: string): string {
  return json.replace(NOT_YAML, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
